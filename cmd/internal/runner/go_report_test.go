package runner

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

var updateGo = flag.Bool("update-go", false, "write testdata/go/*.out again")

// describeEvents writes events for people to read and compare.
func describeEvents(events []batch.Event) string {
	var b strings.Builder
	at := func(file string, line int) {
		if file != "" {
			fmt.Fprintf(&b, " at %s:%d", file, line)
		}
	}
	text := func(s string) {
		for line := range strings.Lines(s) {
			fmt.Fprintf(&b, "    | %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	for _, e := range events {
		switch o := e.Outcome; e.Type {
		case batch.Finish:
			fmt.Fprintf(&b, "finish %s %s %.3f %s", e.Test, o.Status, o.Seconds, o.Message)
			at(o.File, o.Line)
			b.WriteString("\n")
			text(o.Output)
			for _, c := range o.Cases {
				fmt.Fprintf(&b, "  case %s %s %s %.3f %s", c.Classname, c.Name, c.Status, c.Seconds, c.Message)
				at(c.File, c.Line)
				b.WriteString("\n")
				text(c.Output)
			}
		case batch.ProblemFound:
			fmt.Fprintf(&b, "problem %s: %s\n", e.Problem.Scope, e.Problem.Message)
			text(e.Problem.Details)
		default:
			fmt.Fprintf(&b, "%s %s\n", e.Type, e.Test)
		}
	}
	return b.String()
}

// replayGo feeds what a test binary printed to a report, in pieces of the given sizes (the last repeats).
func replayGo(names []string, ended exit, alone bool, printed string, sizes func() int) []batch.Event {
	var events []batch.Event
	relative := func(file string) string { return "p/" + filepath.Base(file) }
	report := newGoReport("example.com/p", names, relative, func(e ...batch.Event) { events = append(events, e...) })
	report.now = func() time.Time { return time.Unix(1, 0) }
	marks := &goMarks{mark: report.mark, printed: report.printed}
	for printed != "" {
		n := min(sizes(), len(printed))
		marks.Write([]byte(printed[:n]))
		printed = printed[n:]
	}
	marks.flush()
	report.close(ended, alone)
	return events
}

// The first line of an input says how the process ended and which tests the batch has; "^V" stands for the byte.
func TestGoReport(t *testing.T) {
	inputs, err := filepath.Glob("testdata/go/*.in")
	if err != nil || len(inputs) == 0 {
		t.Fatal("no inputs", err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			head, printed, _ := strings.Cut(string(text), "\n")
			printed = strings.ReplaceAll(printed, "^V", "\x16")
			var ended exit
			names := strings.Fields(head)
			switch how := names[0]; how {
			case "SIGKILL":
				ended = exit{Code: -1, Signal: syscall.SIGKILL}
			case "limit":
				ended = exit{Code: 2, Cause: &limitError{flag: "--batch-timeout", limit: time.Second}}
			case "stopped":
				ended = exit{Code: 2, Cause: errors.New("stopped")}
			default:
				if _, err := fmt.Sscan(how, &ended.Code); err != nil {
					t.Fatal(err)
				}
			}
			alone := names[1] == "alone"
			whole := func() int { return len(printed) }
			got := describeEvents(replayGo(names[2:], ended, alone, printed, whole))
			golden := strings.TrimSuffix(input, ".in") + ".out"
			if *updateGo {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if bytewise := describeEvents(replayGo(names[2:], ended, alone, printed, func() int { return 1 })); bytewise != got {
				t.Errorf("byte by byte:\n%s\nat once:\n%s", bytewise, got)
			}
		})
	}
}

// What looks like a mark but has no end is not kept: it may be a flood.
func TestGoMarksLongLine(t *testing.T) {
	printed := 0
	marks := &goMarks{mark: func(m goMark) { t.Errorf("mark %.100v", m) }, printed: func(b []byte) { printed += len(b) }}
	for range 100 {
		marks.Write([]byte("\x16=== RUN   Test"))
		for range 2 * maxGoMark / 1024 {
			marks.Write([]byte(strings.Repeat("x", 1024)))
		}
		if cap(marks.pending) > 2*maxGoMark {
			t.Fatalf("%d bytes kept", cap(marks.pending))
		}
		marks.Write([]byte("\n"))
	}
	if want := 100 * (len("\x16=== RUN   Test\n") + 2*maxGoMark); printed != want {
		t.Errorf("%d bytes printed, want %d", printed, want)
	}
}

// A test whose time was over stays a Timeout, even if it ends before its process does; others may use that time to end.
func TestGoReportEndsInGrace(t *testing.T) {
	var events []batch.Event
	r := newGoReport("p", []string{"TestA", "TestB"}, filepath.Clean, func(e ...batch.Event) { events = append(events, e...) })
	now := time.Unix(1, 0)
	var killed error
	r.now, r.testLimit, r.kill = func() time.Time { return now }, time.Hour, func(err error) { killed = err }
	r.mark(goMark{Verb: "RUN", Test: "TestA"})
	r.expire(r.running["TestA"])
	if killed != nil {
		t.Fatal("killed too early")
	}
	now = now.Add(50 * time.Minute)
	r.mark(goMark{Verb: "PAUSE", Test: "TestA"})
	r.mark(goMark{Verb: "RUN", Test: "TestB"})
	now = now.Add(50 * time.Minute)
	r.mark(goMark{Verb: "CONT", Test: "TestA"})
	r.expire(r.running["TestA"])
	if killed != nil {
		t.Fatal("the time in which it was paused counts")
	}
	now = now.Add(10 * time.Minute)
	r.expire(r.running["TestA"])
	if killed == nil {
		t.Fatal("not killed")
	}
	r.printed([]byte("goroutine 1"))
	r.mark(goMark{Verb: "PASS", Test: "TestA"})
	r.mark(goMark{Verb: "PASS", Test: "TestB"})
	r.close(exit{Code: 2, Cause: killed}, false)
	got := map[string]batch.Outcome{}
	for _, e := range events {
		if e.Type == batch.Finish {
			got[e.Test] = e.Outcome
		}
	}
	if a := got["p::TestA"]; a.Status != batch.Timeout || a.Seconds != 3600 || !strings.Contains(a.Output, "goroutine 1") || got["p::TestB"].Status != batch.Passed {
		t.Errorf("%+v", got)
	}
}

// A test with very many failing subtests must fit into one event.
func TestGoReportManySubtests(t *testing.T) {
	var printed strings.Builder
	printed.WriteString("\x16=== RUN   TestA\n")
	for i := range 1000 {
		fmt.Fprintf(&printed, "\x16=== RUN   TestA/%d\n    p_test.go:3: %s\n\x16--- FAIL: TestA/%d (0.00s)\n", i, strings.Repeat("x", 10_000), i)
	}
	printed.WriteString("\x16--- FAIL: TestA (0.00s)\n\x16FAIL\n")
	events := replayGo([]string{"TestA"}, exit{Code: 1}, true, printed.String(), printed.Len)
	o := events[len(events)-1].Outcome
	text := 0
	for _, c := range o.Cases {
		text += len(c.Output)
		if c.Status != batch.Failed || !strings.HasPrefix(c.Message, "xxx") || c.Line != 3 {
			t.Fatalf("%+v", c)
		}
	}
	if len(o.Cases) != 1001 || text == 0 || text > maxCaseOutput || len(o.Output) > 3*outputEnds {
		t.Errorf("%d cases with %d bytes, output of %d bytes", len(o.Cases), text, len(o.Output))
	}
}

// FuzzGoReport: where the pieces of the output are cut changes nothing, no output breaks the rules of Runner.
func FuzzGoReport(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/go/*.in")
	for i, input := range inputs {
		text, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		_, printed, _ := strings.Cut(string(text), "\n")
		f.Add(strings.ReplaceAll(printed, "^V", "\x16"), uint64(i), i%3, i%2 == 0)
	}
	f.Add("\x16=== RUN   TestA\n\x16"+strings.Repeat("x", maxGoMark)+"\n\x16--- PASS: TestA (NaNs)\n", uint64(1), 0, true)
	f.Fuzz(func(t *testing.T, printed string, seed uint64, code int, alone bool) {
		names := []string{"TestA", "TestB", "Example"}
		if alone {
			names = names[:1]
		}
		ended := exit{Code: code & 0xff}
		random := rand.New(rand.NewPCG(seed, 1))
		whole := replayGo(names, ended, alone, printed, func() int { return len(printed) })
		pieces := replayGo(names, ended, alone, printed, func() int { return 1 + random.IntN(9) })
		if a, b := describeEvents(whole), describeEvents(pieces); a != b {
			t.Errorf("at once:\n%s\nin pieces:\n%s", a, b)
		}
		mustFollowRules(t, names, alone, ended, whole)
	})
}

// mustFollowRules checks what Runner promises of the events of one process that ended by itself.
func mustFollowRules(t *testing.T, names []string, alone bool, ended exit, events []batch.Event) {
	t.Helper()
	finished, started, red := map[string]bool{}, map[string]bool{}, false
	for _, e := range events {
		if e.Type == batch.ProblemFound {
			red = true
			continue
		}
		if finished[e.Test] {
			t.Errorf("%s of %s after its finish", e.Type, e.Test)
		}
		switch {
		case e.Type == batch.Start:
			started[e.Test] = true
		case e.Type == batch.Finish:
			finished[e.Test] = true
			s := e.Outcome.Status
			red = red || s != batch.Passed && s != batch.Skipped
			if !started[e.Test] && s != batch.Unexecuted {
				t.Errorf("%s is %s, but never started", e.Test, s)
			}
			if e.Outcome.Cases == nil || !(e.Outcome.Seconds >= 0) {
				t.Errorf("%s: %+v", e.Test, e.Outcome)
			}
		}
	}
	if alone && len(finished) != 1 {
		t.Errorf("alone, and %d finishes", len(finished))
	}
	if ended.Code != 0 && !red && !alone {
		t.Errorf("%s, and nothing says so", ended)
	}
	if len(finished) > len(names) {
		t.Errorf("%d finishes for %d tests", len(finished), len(names))
	}
}
