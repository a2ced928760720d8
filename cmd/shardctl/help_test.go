package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHelp compares all help texts with golden files; -update writes them anew.
func TestHelp(t *testing.T) {
	t.Parallel()
	golden(t, "shardctl", shardctl(t, "--help"))
	for _, c := range program().Commands {
		t.Run(c.Name, func(t *testing.T) {
			got := shardctl(t, c.Name, "--help")
			golden(t, "shardctl-"+c.Name, got)
			equal(t, got, shardctl(t, "help", c.Name))
			equal(t, got, shardctl(t, c.Name, "--help", "--redis-url", "nonsense"))
		})
	}
}

func TestHelpIsTheSameHoweverItIsAskedFor(t *testing.T) {
	t.Parallel()
	want := shardctl(t, "--help")
	equal(t, want, shardctl(t))
	equal(t, want, shardctl(t, "help"))
	equal(t, want, shardctl(t, "-h"))
}

func golden(t *testing.T, name string, got result) {
	t.Helper()
	if got.status != 0 || got.err != "" {
		t.Errorf("exit status %d, stderr %q", got.status, got.err)
	}
	file := filepath.Join("testdata", "help", name+".golden")
	if *update {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(got.out), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	equal(t, string(want), got.out)
}

func TestVersion(t *testing.T) {
	t.Parallel()
	want := shardctl(t, "version").expect(t, 0, "shardctl ", "go1.", "protocol ")
	equal(t, want, shardctl(t, "--version"))
	shardctl(t, "version", "now").expect(t, 2, `unexpected argument "now"`)
}
