package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parseJournal reads a journal that stands in a test.
func parseJournal(t *testing.T, text string) journal {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.journal")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return readJournal(t, file)
}

// Tests that Redis heard of together are laid out one after the other, as long as their worker measured; those that ran at once stay so.
func TestTimelineOrder(t *testing.T) {
	for name, c := range map[string]struct{ journal, want string }{
		"told at the end": {`
			0 open
			1 join w1 linux
			1 claim w1 1 p::A p::B
			4 finish w1 1 p::A passed final 1
			4 finish w1 1 p::B passed final 0.5`,
			"p::A 2.5-3.5 row 0, p::B 3.5-4 row 0; starting 1.5, testing 1.5"},
		"told together": {`
			0 open
			1 join w1 linux
			1 claim w1 1 p::A p::B
			1.5 start w1 1 p::A
			3 finish w1 1 p::A passed final 0.7
			3 start w1 1 p::B
			3 finish w1 1 p::B passed final 0.8`,
			"p::A 1.5-2.2 row 0, p::B 2.2-3 row 0; starting 0.5, testing 1.5"},
		"at once": {`
			0 open
			1 join w1 linux
			1 claim w1 1 p::A p::B
			1 start w1 1 p::A
			2 start w1 1 p::B
			3 finish w1 1 p::A passed final 2
			4 finish w1 1 p::B passed final 2`,
			"p::A 1-3 row 0, p::B 2-4 row 1; starting 0, testing 3"},
	} {
		t.Run(name, func(t *testing.T) {
			j := parseJournal(t, c.journal)
			v := Judge(j.history(), j.ending)
			l := NewTimeline(v).Lanes[0]
			var all []string
			for _, s := range l.Spans {
				all = append(all, fmt.Sprintf("%s %v-%v row %d", v.Tests[s.Test].ID, s.Begin.Seconds(), s.End.Seconds(), s.Row))
			}
			got := fmt.Sprintf("%s; starting %v, testing %v", strings.Join(all, ", "), l.Startup.Seconds(), l.Testing.Seconds())
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every journal has a timeline that holds together: no span is outside of its worker's time, none before its claim, the rows
// do not overlap unless there are too many, a path leads from the opening to the end without a gap, and what a worker did
// adds up to the time that it was there.
func TestTimelineHoldsTogether(t *testing.T) {
	for name, j := range journals(t) {
		t.Run(name, func(t *testing.T) {
			v := Judge(j.history(), j.ending)
			line := NewTimeline(v)
			for _, l := range line.Lanes {
				rows := make([]time.Duration, mostRows)
				for _, s := range l.Spans {
					if s.Begin > s.End || s.Begin < 0 || s.End > line.End {
						t.Errorf("%s: %v", v.Tests[s.Test].ID, s.Interval)
					}
					if s.Begin < rows[s.Row] && l.Rows < mostRows {
						t.Errorf("%s begins at %v in row %d of %s, which is taken until %v", v.Tests[s.Test].ID, s.Begin, s.Row, l.ID, rows[s.Row])
					}
					rows[s.Row] = max(rows[s.Row], s.End)
				}
				if sum := l.Startup + l.Testing + l.Rest + l.Idle; len(l.Holds) > 0 && sum > l.Left-l.Joined+time.Millisecond {
					t.Errorf("%s was there for %v and did something for %v", l.ID, l.Left-l.Joined, sum)
				}
			}
			at := time.Duration(0)
			path := line.CriticalPath()
			for _, s := range path {
				if s.Begin != at || s.End < s.Begin {
					t.Errorf("a step of the path goes from %v to %v, after %v", s.Begin, s.End, at)
				}
				at = s.End
			}
			if len(path) > 0 && at != line.End {
				t.Errorf("the path ends at %v, the run at %v", at, line.End)
			}
			for _, a := range line.Advise(v) {
				if a.Worth > line.End || strings.ContainsAny(a.Text, "\n\x1b") {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// A trace is JSON, and each of its slices lies on a track that has a name, beside or within the others there.
func TestTraceIsWellFormed(t *testing.T) {
	for name, j := range journals(t) {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			v := Judge(j.history(), j.ending)
			if err := WriteTrace(&b, v); err != nil {
				t.Fatal(err)
			}
			var trace struct {
				TraceEvents []traceEvent `json:"traceEvents"`
			}
			if err := json.Unmarshal([]byte(b.String()), &trace); err != nil {
				t.Fatal(err)
			}
			type track struct{ pid, tid int }
			named, slices := map[track]bool{}, 0
			for _, e := range trace.TraceEvents {
				switch e.Phase {
				case "M":
					if e.Name == "thread_name" {
						named[track{e.Pid, e.Tid}] = true
					}
				case "X":
					if !named[track{e.Pid, e.Tid}] || e.Dur == nil || e.Name == "" {
						t.Errorf("%+v", e)
					}
					if e.Cat == "test" {
						slices++
					}
				}
			}
			if want := NewTimeline(v).spans(); slices != want {
				t.Errorf("%d tests, want %d", slices, want)
			}
		})
	}
}

func TestReplay(t *testing.T) {
	j := parseJournal(t, `
		0 open
		1 join one.aa11 linux
		1 join two.bb22 linux
		1 claim one.aa11 1 p::C p::A p::B p::D
		2 start one.aa11 1 p::B
		3 finish one.aa11 1 p::B passed final 1
		3 start one.aa11 1 p::A
		4 finish one.aa11 1 p::A failed final 1
		4 finish one.aa11 1 p::C passed final 0.2
		4 settle one.aa11 1 requeue p::D
		5 claim one.aa11 2 "::error::x"
		6 finish one.aa11 2 "::error::x" passed final 1
		6 settle one.aa11 2 requeue`)
	h := j.history()
	for _, worker := range []string{"one", "one.aa11"} {
		w, turns, err := h.Replay(worker)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"p::B", "p::A", "p::C"}, turns[0].Ran); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"p::D"}, turns[0].NotRun); diff != "" {
			t.Error(diff)
		}
		var script, names strings.Builder
		if err := WriteReplay(&script, w, turns, ReplayOptions{RunID: "r", Command: "shardctl run --tests -"}); err != nil {
			t.Fatal(err)
		}
		if err := WriteReplay(&names, w, turns, ReplayOptions{Names: true}); err != nil {
			t.Fatal(err)
		}
		assertHarmless(t, script.String()+names.String())
		if want := "p::B\np::A\np::C\n{\"test\":\"::error::x\"}\n"; names.String() != want {
			t.Errorf("%q, want %q", names.String(), want)
		}
		if !strings.Contains(script.String(), "shardctl run --tests - <<'TESTS' || status=$?\n{\"test\":\"p::B\",\"group\":\"batch 1\"}\n") {
			t.Error(script.String())
		}
	}
	if _, _, err := h.Replay("three"); err == nil || !strings.Contains(err.Error(), `no worker "three"; there are one.aa11, two.bb22`) {
		t.Error(err)
	}
}
