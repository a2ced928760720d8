package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/cmd/internal/cli"
)

// Every flag of shardctl run, wait and plan's sources may stand in .shard.yml, or is one that may not; and each setting is a flag.
func TestEveryFlagIsASettingOrNot(t *testing.T) {
	t.Parallel()
	flags := settingFlags()
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(cli.Settings, f.Name) == slices.Contains(cli.NotSettings, f.Name) && f.Name != "gate" {
			t.Errorf("--%s is to be in one of cli.Settings and cli.NotSettings", f.Name)
		}
	})
	for _, name := range cli.Settings {
		if flags.Lookup(name) == nil && name != "args" {
			t.Errorf("%s is in cli.Settings, and no flag", name)
		}
	}
}

// What init writes is read again, as it is and with all its comments taken away.
func TestInit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module m\n")
	shardctl(t, "init", "-C", dir).expect(t, 0, "written for the runner go (go.mod)")
	path := filepath.Join(dir, ".shard.yml")
	text, err := os.ReadFile(path)
	must(t, err)
	if !strings.Contains(string(text), "\nrunner: go\n") || !strings.Contains(string(text), "\npattern: [./...]\n") {
		t.Errorf("%s", text)
	}
	shardctl(t, "init", "-C", dir).expect(t, 2, "is there already")
	again, err := os.ReadFile(path)
	must(t, err)
	equal(t, string(text), string(again))
	status := []string{"wait", "--redis-url", "redis://127.0.0.1:1", "--run-id", "r"}
	call{patience: 1}.run(t, append(status, "-C", dir)...).expect(t, 2, "unknown shorthand flag") // wait has no -C

	write(t, dir, "a_test.go", "package m\n\nimport \"testing\"\n\nfunc TestA(*testing.T) {}\n")
	w := newWorld(t) // as -C changes the folder of the process
	w.run("shardctl", "list", "-C", dir).expect(t, 0, "m::TestA")

	for i, line := range strings.Split(string(text), "\n") {
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "# "), ": ")
		if !ok || !slices.Contains(cli.Settings, name) || value == `""` {
			continue
		}
		write(t, dir, ".shard.yml", strings.TrimPrefix(line, "# ")+"\n")
		r := w.run("shardctl", "run", "-C", dir, "--tests", list(t), "--", "true")
		if name == "runner" { // it takes what follows -- for options
			continue
		}
		if r.status != 4 {
			t.Errorf("line %d, %q: exit status %d\n%s%s", i+1, line, r.status, r.out, r.err)
		}
	}
}

func TestInitWithoutRunner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shardctl(t, "init", "-C", dir).expect(t, 0, "that you choose", "no test runner")
	shardctl(t, "init", "--stdout", "-C", dir).expect(t, 0, "\n# runner: \n")
}
