package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Each shell that is here takes its completion, and bash completes with it.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		text := shardctl(t, "completion", shell).expect(t, 0, "doctor", "run-id").out
		equal(t, text, shardctl(t, "@completion", shell).out)
		if path, err := exec.LookPath(shell); err == nil {
			file := write(t, t.TempDir(), "completion", text)
			if out, err := exec.Command(path, "-n", file).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", shell, err, out)
			}
		}
	}
	shardctl(t, "completion", "tcsh").expect(t, 2, `"tcsh": choose one of bash, zsh, fish`)
	shardctl(t, "completion").expect(t, 2, "for which shell?")
	shardctl(t, "@nonsense").expect(t, 2, "neither @man nor")

	file := write(t, t.TempDir(), "completion", shardctl(t, "completion", "bash").out)
	for typed, want := range map[string]string{"doc": "doctor", "run --redis-u": "--redis-url", "list --run-": ""} {
		words := append([]string{"shardctl"}, strings.Fields(typed)...)
		script := ". " + file + "; COMP_WORDS=(" + strings.Join(words, " ") + "); COMP_CWORD=" + string(rune('0'+len(words)-1)) + `; _shardctl; echo "${COMPREPLY[*]}"`
		out, err := exec.Command("bash", "-c", script).CombinedOutput()
		if err != nil || !slices.Contains([]string{want}, strings.TrimSpace(string(out))) {
			if want != "" || err != nil {
				t.Errorf("%q: %q, error %v, want %q", typed, out, err, want)
			}
		}
	}
}

// The manual page names each command and flag, and man takes it where there is one.
func TestMan(t *testing.T) {
	t.Parallel()
	page := shardctl(t, "@man").expect(t, 0, ".TH SHARDCTL 1", "--redis-url", "SHARDCTL DOCTOR").out
	equal(t, page, shardctl(t, "@man").out)
	if path, err := exec.LookPath("man"); err == nil {
		out, err := exec.Command(path, "--warnings", "-l", write(t, t.TempDir(), "shardctl.1", page)).CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning:") {
			t.Errorf("%v\n%.2000s", err, out)
		}
	}
}
