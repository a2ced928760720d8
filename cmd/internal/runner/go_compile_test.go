package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
	"go.uber.org/goleak"
)

// A go command that cannot work at all fails all packages with its own words, once.
func TestGoRunBrokenModule(t *testing.T) {
	dir := goModule(t, map[string]string{"go.mod": "modul\n", "a/p_test.go": goFile(goPassing)})
	g := newTestGo(t, dir)
	if _, err := g.List(t.Context(), []string{"./..."}); err == nil || !strings.Contains(err.Error(), "modul") {
		t.Errorf("List: %v", err)
	}
	got, events := runGo(t, g, Job{Batch: goBatch("a TestA")})
	if len(got) != 2 || events[0].Problem.Scope != "go test" || !strings.Contains(events[0].Problem.Details, "unknown directive: modul") ||
		events[1].Outcome.Status != batch.Failed {
		t.Errorf("%+v", events)
	}
}

// Before Go 1.24 the compilers' texts are not events, but lines between them. Newer ones can be told to do the same.
func TestGoRunBuildText(t *testing.T) {
	t.Setenv("GODEBUG", "gotestjsonbuildtext=1")
	g := newTestGo(t, goModule(t, map[string]string{
		"a/p_test.go": goFile("func TestA(t *testing.T) { undefinedA() }\n"),
		"b/p_test.go": goFile("func TestA(t *testing.T) { fmt.Printf(\"%d\\n\", \"x\") }\n"), // vet
	}))
	g.Prepare(append(goBatch("a TestA").Tests, goBatch("b TestA").Tests...))
	for pkg, want := range map[string]string{"a": "undefinedA", "b": "fmt.Printf"} {
		_, events := runGo(t, g, Job{Batch: goBatch(pkg + " TestA")})
		for other, text := range map[string]string{"a": "undefinedA", "b": "fmt.Printf"} {
			if got := events[0].Problem.Details; strings.Contains(got, text) != (other == pkg) {
				t.Errorf("package %s: %q", pkg, got)
			}
		}
		if got := events[1].Outcome; got.Status != batch.Failed || !strings.Contains(got.Message, want) {
			t.Errorf("package %s: %+v, want %q", pkg, got, want)
		}
	}
}

func TestGoClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	root := t.TempDir()
	t.Setenv("TMPDIR", root)
	t.Setenv("GOTMPDIR", "")
	// A toolexec that never ends stands for a long compilation.
	line, env := newLifeline(t)
	name, life, _ := strings.Cut(env, "=")
	t.Setenv(name, life)
	started := fifo(t)
	script := filepath.Join(t.TempDir(), "toolexec")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec 9>\"$LIFE\"\ncase $2 in -V*) exec \"$@\";; esac\necho >"+started+"\nwhile :; do sleep 1000; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	g, err := NewGo(GoOptions{Dir: goModule(t, map[string]string{"a/p_test.go": goFile(goPassing)}), Args: []string{"-toolexec", script, "-vet=off"}})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error)
	go func() { ran <- g.Run(t.Context(), Job{Batch: goBatch("a TestA")}, func(...batch.Event) {}) }()
	if _, err := os.ReadFile(started); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ran; !errors.Is(err, errGoClosed) {
		t.Errorf("Run: %v", err)
	}
	line.mustBeDead(t)
	if left, _ := os.ReadDir(root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNewGoWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := NewGo(GoOptions{}); err == nil || !strings.Contains(err.Error(), "go is not installed") {
		t.Errorf("error %v", err)
	}
}
