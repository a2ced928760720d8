package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// In GitHub Actions a run annotates what failed, and adds its summary to what the step wrote; elsewhere it does neither without being
// asked.
func TestGitHub(t *testing.T) {
	t.Parallel()
	tests := list(t, "good", "bad")
	failing := write(t, t.TempDir(), "failing", "bad\n")
	args := with(fake(t, "-stdin", "-junit", "{junit}", "-failing", failing), "run", "--workers", "1", "--tests", tests)
	summary := func(t *testing.T) (path string, env map[string]string) {
		path = write(t, t.TempDir(), "summary.md", "the step's own\n")
		return path, map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": path, "CI": "true"}
	}
	read := func(t *testing.T, path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		must(t, err)
		return string(text)
	}
	const annotation, heading = "\n::error title=bad failed::failed on local1", "## ❌ FAILED: 1 of 2 tests failed, 1 passed"
	expect := func(t *testing.T, text string, wanted bool, what string) {
		t.Helper()
		if strings.Contains(text, what) != wanted {
			t.Errorf("%q is there: %v\n%s", what, !wanted, text)
		}
	}
	t.Run("Actions", func(t *testing.T) {
		t.Parallel()
		path, env := summary(t)
		got := call{env: env}.run(t, args...).expect(t, 1, annotation)
		expect(t, read(t, path), true, "the step's own\n"+heading)
		if last := strings.TrimSpace(got.out); !strings.HasPrefix(last[strings.LastIndexByte(last, '\n')+1:], "FAILED: ") {
			t.Errorf("the verdict is not the last line:\n%s", got.out)
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		t.Parallel()
		expect(t, shardctl(t, args...).expect(t, 1).out, false, annotation)
		other := filepath.Join(t.TempDir(), "new", "summary.md")
		asked := append([]string{"run", "--annotations", "on", "--summary", other}, args[1:]...)
		expect(t, shardctl(t, asked...).expect(t, 1).out, true, annotation)
		expect(t, read(t, other), true, heading)
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		path, env := summary(t)
		asked := append([]string{"run", "--annotations", "off", "--summary", "off"}, args[1:]...)
		expect(t, call{env: env}.run(t, asked...).expect(t, 1).out, false, annotation)
		expect(t, read(t, path), false, heading)
	})
	t.Run("no room left", func(t *testing.T) {
		t.Parallel()
		path, env := summary(t)
		must(t, os.WriteFile(path, make([]byte, 1<<20), 0o644))
		call{env: env}.run(t, args...).expect(t, 1)
		if text := read(t, path); len(text) != 1<<20 {
			t.Errorf("%d bytes", len(text))
		}
	})
	t.Run("unwritable", func(t *testing.T) {
		t.Parallel()
		_, env := summary(t)
		env["GITHUB_STEP_SUMMARY"] = filepath.Join(t.TempDir(), "no", "such", "folder", "x")
		call{env: env}.run(t, args...).expect(t, 1, "write the step summary", "$GITHUB_STEP_SUMMARY")
	})
}
