package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// goBatch is a batch of units of module example.com/m: "mix TestA TestB".
func goBatch(spec string) batch.Batch {
	pkg, names, _ := strings.Cut(spec, " ")
	var b batch.Batch
	for _, name := range strings.Fields(names) {
		b.Tests = append(b.Tests, batch.Test{ID: goID("example.com/m/"+pkg, name)})
	}
	b.Alone = len(b.Tests) == 1
	return b
}

// each makes an emit function of one for single events.
func each(take func(batch.Event)) func(...batch.Event) {
	return func(events ...batch.Event) {
		for _, e := range events {
			take(e)
		}
	}
}

// runGo runs a job and returns a line for each event, without the package.
func runGo(t *testing.T, g *Go, job Job) (lines []string, events []batch.Event) {
	t.Helper()
	err := g.Run(t.Context(), job, func(e ...batch.Event) { events = append(events, e...) })
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		_, name, _ := strings.Cut(e.Test, "::")
		switch line := string(e.Type) + " " + name; e.Type {
		case batch.Finish:
			lines = append(lines, strings.TrimSpace(line+" "+string(e.Outcome.Status)+" "+e.Outcome.Message))
		case batch.ProblemFound:
			lines = append(lines, line+e.Problem.Message)
		default:
			lines = append(lines, line)
		}
	}
	return lines, events
}

func TestGoRun(t *testing.T) {
	t.Setenv("PATH", t.TempDir()+string(os.PathListSeparator)+os.Getenv("PATH")) // go puts its own folder before it
	dir := goModule(t, goRunFiles)
	g := newTestGo(t, dir, "-vet=off", "-short")
	g.leastIdle = 300 * time.Millisecond
	all, err := g.List(t.Context(), []string{"./..."})
	if err != nil {
		t.Fatal(err)
	}
	g.Prepare(all)
	grace := Limits{Grace: 10 * time.Second}
	second := Limits{Test: time.Second, Grace: 10 * time.Second}
	const never = "its process ended before the test did: "
	for _, test := range []struct {
		batch  string
		limits Limits
		want   string   // one event a line
		output []string // that the last event with text has
	}{
		{"mix TestFail TestParallel1 TestParallel2 FuzzSeeds Example", grace, `
start TestFail
finish TestFail failed wrong
start TestParallel1
pause TestParallel1
start TestParallel2
pause TestParallel2
start TestParallel1
finish TestParallel1 passed
start TestParallel2
finish TestParallel2 skipped why
start FuzzSeeds
finish FuzzSeeds passed
start Example
finish Example passed`, nil},
		{"mix TestFail", grace, "start TestFail\nfinish TestFail failed wrong", []string{"no newline\n    p_test.go:", "--- FAIL: TestFail/sub"}},
		{"panics TestA TestB TestC", grace, "start TestA\nfinish TestA passed\nstart TestB\nfinish TestB failed panic: oh", []string{"--- FAIL: TestB/sub", "panic: oh", "p_test.go"}},
		{"osexit TestA TestB TestC", grace, "start TestA\nfinish TestA passed\nstart TestB\nfinish TestB failed panic: unexpected call to os.Exit(0) during test", []string{"os.Exit"}},
		{"exit0 TestA TestB TestC", grace, "start TestA\nfinish TestA passed\nstart TestB\nfinish TestB crashed " + never + "exit status 0", nil},
		{"exit0 TestC", grace, "start TestC\nfinish TestC passed", nil},
		{"sigkill TestA TestB TestC", grace, "start TestA\nfinish TestA passed\nstart TestB\nfinish TestB crashed " + never + "killed by SIGKILL, often because the machine ran out of memory", []string{"to stdout\nto stderr\n"}},
		{"hang TestA TestB TestC", second, "start TestA\nfinish TestA passed\nstart TestB\nfinish TestB timeout it had not ended when the time limit of 1s was over (--test-timeout)", []string{"The goroutines of its process:", "waitsHere"}},
		{"hang TestA TestB TestC", Limits{Batch: time.Second, Grace: time.Second}, "start TestA\nfinish TestA passed\nstart TestB", nil},
		{"hang TestB", Limits{Batch: time.Second, Grace: time.Second}, "start TestB\nfinish TestB timeout it had not ended when the time limit of 1s was over (--batch-timeout)", []string{"waitsHere"}},
		{"mainhangs TestA", second, "finish TestA timeout its process had not begun it when the time limit of 1s was over (outside of tests)", []string{"TestMain"}},
		{"mainhangs TestA TestA2", second, "", nil},
		{"main3 TestA TestAbsent", grace, "start TestA\nfinish TestA passed\nproblem exit status 3 after all tests passed", []string{"leak"}},
		{"mainnorun TestA", grace, "finish TestA unexecuted its process ended before the test began: exit status 0", []string{"not today"}},
		{"mainnorun TestA TestB", grace, "", nil},
		{"onlymain [package]", grace, "start [package]\nfinish [package] passed", nil},
		{"twice TestA TestAbsent", grace, "start TestA\nfinish TestA passed\nproblem TestA failed after it had ended once, in one process: p and p_test both have it, TestMain runs all tests twice, or it starts its own binary, which tells of the same test", nil},
		{"bad TestA TestB", grace, `
problem does not build
finish TestA failed package example.com/m/bad does not build: bad/p_test.go:7:28: undefined: undefined
finish TestB failed package example.com/m/bad does not build: bad/p_test.go:7:28: undefined: undefined`, []string{"undefined: undefined"}},
		{"bad TestB", grace, "finish TestB failed package example.com/m/bad does not build: bad/p_test.go:7:28: undefined: undefined", nil},
		{"mix [package]", grace, "finish [package] failed where the list was made this package has no tests or cannot be listed, but here it has 5: make the list from the same sources, with the same flags", nil},
		{"syntax [package]", grace, "problem does not build\nfinish [package] failed package example.com/m/syntax does not build: syntax/p_test.go:7:27: expected '}', found 'EOF'", nil},
		{"absent TestA", grace, "problem does not build\nfinish TestA failed package example.com/m/absent does not build", []string{"example.com/m/absent"}},
		{"env TestA", grace, "start TestA\nfinish TestA failed go <nil> true", []string{"dir env env\n", "binary env.test\n", "job yes short true\n"}},
		{"mix TestAbsent TestAbsent2", grace, "", nil},
	} {
		t.Run(test.batch, func(t *testing.T) {
			got, events := runGo(t, g, Job{Batch: goBatch(test.batch), Env: []string{"JOB=yes"}, Limits: test.limits})
			if want := strings.TrimSpace(test.want); strings.Join(got, "\n") != want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
			}
			text := ""
			for _, e := range events {
				if e.Type == batch.Finish || e.Type == batch.ProblemFound {
					text = e.Outcome.Output + e.Problem.Details
				}
			}
			for _, want := range test.output {
				if !strings.Contains(text, want) {
					t.Errorf("the output lacks %q:\n%s", want, text)
				}
			}
		})
	}

	t.Run("crash among parallel tests", func(t *testing.T) {
		got, events := runGo(t, g, Job{Batch: goBatch("parallel TestA TestB TestC"), Limits: grace})
		for _, want := range []string{"finish TestA crashed panic: oh", "finish TestB crashed panic: oh", "finish TestC passed"} {
			if !slices.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		}
		for _, e := range events {
			if e.Outcome.Status == batch.Crashed && !strings.Contains(e.Outcome.Output, "panic: oh") {
				t.Errorf("%s: the output lacks the panic: %q", e.Test, e.Outcome.Output)
			}
		}
	})
	t.Run("package without tests fails", func(t *testing.T) {
		got, events := runGo(t, g, Job{Batch: goBatch("onlymain [package]"), Env: []string{"ONLY_FAILS=1"}})
		if want := "finish [package] failed the test binary failed without running any test: exit status 4"; got[1] != want || !strings.Contains(events[1].Outcome.Output, "setup") {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("places and cases", func(t *testing.T) {
		_, events := runGo(t, g, Job{Batch: goBatch("mix TestFail"), Limits: grace})
		o := events[1].Outcome
		if o.File != filepath.Join("mix", "p_test.go") || o.Line == 0 || len(o.Cases) != 2 || o.Cases[1].Name != "TestFail/sub" ||
			o.Cases[1].Classname != "example.com/m/mix" || o.Cases[1].Status != batch.Failed || o.Cases[1].Message != "wrong" {
			t.Errorf("%+v", o)
		}
	})
	t.Run("flood", func(t *testing.T) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, events := runGo(t, g, Job{Batch: goBatch("flood TestA"), Limits: grace})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%d MB allocated for 300 MB of output", used>>20)
		}
		o := events[1].Outcome
		if o.Status != batch.Failed || o.Message != "flooded" || len(o.Output) > 3*outputEnds || !strings.Contains(o.Output, "end of the flood") {
			t.Errorf("%q, output of %d bytes", got, len(o.Output))
		}
	})
	t.Run("grandchild", func(t *testing.T) {
		line, env := newLifeline(t)
		got, _ := runGo(t, g, Job{Batch: goBatch("child TestA"), Env: []string{env}, Limits: grace})
		if !slices.Contains(got, "finish TestA passed") {
			t.Errorf("%q", got)
		}
		line.mustBeDead(t)
	})
	t.Run("the batch's limit is for all its processes", func(t *testing.T) {
		b := batch.Batch{Tests: append(goBatch("hang TestB").Tests, goBatch("parallel TestA").Tests...)}
		got, _ := runGo(t, g, Job{Batch: b, Limits: Limits{Batch: time.Second}})
		if len(got) != 1 || !strings.HasPrefix(got[0], "start Test") { // whichever is compiled first
			t.Errorf("%q, want one start", got)
		}
	})
	t.Run("context ends", func(t *testing.T) {
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		err := g.Run(ctx, Job{Batch: goBatch("hang TestB"), Limits: grace}, each(func(e batch.Event) {
			if e.Type == batch.Finish {
				t.Errorf("%+v", e)
			}
			cancel(stop)
		}))
		if !errors.Is(err, stop) {
			t.Errorf("error %v, want %v", err, stop)
		}
		if err := g.Run(ctx, Job{Batch: goBatch("mix Example")}, func(e ...batch.Event) { t.Errorf("%+v", e) }); !errors.Is(err, stop) {
			t.Errorf("error %v, want %v", err, stop)
		}
	})
	t.Run("packages of a batch are independent, and Runs concurrent", func(t *testing.T) {
		b := goBatch("panics TestB TestC")
		b.Tests = append(b.Tests, goBatch("exit0 TestA TestB").Tests...)
		b.Tests = append(b.Tests, goBatch("mix Example").Tests...)
		var runs sync.WaitGroup
		for range 4 {
			runs.Go(func() {
				finished := map[string]batch.Status{}
				if err := g.Run(t.Context(), Job{Batch: b, Limits: grace}, each(func(e batch.Event) {
					if e.Type == batch.Finish {
						finished[strings.TrimPrefix(e.Test, "example.com/m/")] = e.Outcome.Status
					}
				})); err != nil {
					t.Error(err)
				}
				if len(finished) != 4 || finished["panics::TestB"] != batch.Failed || finished["exit0::TestB"] != batch.Crashed ||
					finished["exit0::TestA"] != batch.Passed || finished["mix::Example"] != batch.Passed {
					t.Errorf("%v", finished)
				}
			})
		}
		runs.Wait()
	})
	t.Run("not a Go id", func(t *testing.T) {
		for _, id := range []string{"x", "-exec=x::TestA", "./...::TestA", "::TestA", "p::", "a/...::T", "p::TestA/sub"} {
			b := batch.Batch{Tests: []batch.Test{{ID: id}}, Alone: true}
			_, events := runGo(t, g, Job{Batch: b})
			if len(events) != 1 || events[0].Outcome.Status != batch.Unexecuted || !strings.Contains(events[0].Outcome.Message, "is not a Go test") {
				t.Errorf("%q: %+v", id, events)
			}
		}
	})
}

func TestSplitNames(t *testing.T) {
	var names []string
	for range 100 {
		names = append(names, "Test"+strings.Repeat("x", 996))
	}
	parts := splitNames(names)
	if len(parts) != 7 || !slices.Equal(slices.Concat(parts...), names) {
		t.Errorf("%d parts", len(parts))
	}
	for _, part := range parts {
		if n := len("^(" + strings.Join(part, "|") + ")$"); n > maxGoPattern {
			t.Errorf("pattern of %d bytes", n)
		}
	}
}
