package control_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

// A run that comes to its end has the verdict's status, and its reports, whatever is shown meanwhile.
func TestAttend(t *testing.T) {
	for name, test := range map[string]struct {
		status    batch.Status
		flags     []string
		reproduce func(string) string
		exit      int
		says      []string
	}{
		"green":        {status: batch.Passed, says: []string{"PASSED: all 2 tests passed"}},
		"red":          {status: batch.Failed, exit: 1, says: []string{"FAILED: all 2 tests failed", "on purpose"}},
		"quiet":        {status: batch.Failed, flags: []string{"--progress", "none"}, exit: 1, says: []string{"FAILED: all 2 tests failed"}},
		"reproducible": {status: batch.Failed, reproduce: func(id string) string { return "run " + id + " again" }, exit: 1, says: []string{"run a again"}},
		"on stdout":    {status: batch.Passed, flags: []string{"--junit", "-"}, says: []string{"PASSED", "<testsuites"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := open(t, batchtest.Embedded(t), "a", "b")
			a := control.Attendance{Queue: q, Tests: asTests("a", "b"), Reproduce: test.reproduce}
			must(t, parse(a.Output.Register, test.flags...))
			at := attend(t, a)
			work(t, q, test.status)
			at.wait(test.exit, test.says...)
		})
	}
}

// A report that cannot be written makes a green run an error; a red one keeps its status.
func TestUnwritableReport(t *testing.T) {
	for status, exit := range map[batch.Status]int{batch.Passed: 3, batch.Failed: 1} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			q := open(t, batchtest.Embedded(t), "a")
			dir := filepath.Join(t.TempDir(), "reports")
			a := control.Attendance{Queue: q, Tests: asTests("a")}
			must(t, parse(a.Output.Register, "--junit", filepath.Join(dir, "junit.xml")))
			must(t, a.Output.Validate())
			at := attend(t, a)
			must(t, os.RemoveAll(dir))
			must(t, os.WriteFile(dir, nil, 0o644))
			work(t, q, status)
			at.wait(exit, "write --junit", "not a directory")
		})
	}
}

// An empty list is green for who said so, whether it is known here or not: an empty list is known, none is not.
func TestAttendEmpty(t *testing.T) {
	for name, test := range map[string]struct {
		tests      []batch.Test
		allowEmpty bool
		exit       int
		says       string
	}{
		"allowed":               {asTests(), true, 0, "PASSED: there are no tests, which --allow-empty takes for green"},
		"allowed, list unknown": {nil, true, 0, "PASSED: there are no tests"},
		"not allowed":           {nil, false, 4, "NO TESTS: the list is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := open(t, batchtest.Embedded(t))
			attend(t, control.Attendance{Queue: q, Tests: test.tests, AllowEmpty: test.allowEmpty}).wait(test.exit, test.says)
		})
	}
}

// An empty list that is known is brought back as any other; who does not know the list waits for who does.
func TestAttendEmptyThatIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		tests []batch.Test
		exit  int
		says  string
	}{
		"known":   {asTests(), 0, "PASSED: there are no tests"},
		"unknown": {nil, 3, "nobody who knows its list has brought the run back within 1.6s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := batchtest.Embedded(t)
			options := batch.DefaultOptions()
			options.Lease = lease
			q, err := batch.Open(t.Context(), rdb, "r", "list", options)
			must(t, err)
			must(t, rdb.FlushAll(t.Context()).Err())
			attend(t, control.Attendance{Queue: q, Tests: test.tests, AllowEmpty: true}).wait(test.exit, test.says)
		})
	}
}

// A run that is cleaned under its controller ends for that one too, red and with the reason, also if all its tests had passed: it
// cannot be told any more.
func TestCleanedRun(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(t *testing.T, q *batch.Queue)
		sign string
		says []string
	}{
		"aborted": {func(t *testing.T, q *batch.Queue) {
			_, err := q.Abort(t.Context(), batch.Abortion{Why: "it costs too much", Who: "anna"})
			must(t, err)
		}, "ABORT", []string{"INCOMPLETE: the run was aborted by anna: it costs too much", "Redis holds no run of this id"}},
		"done": {func(t *testing.T, q *batch.Queue) {
			m, _, err := q.Join(t.Context(), "w", "")
			must(t, err)
			work(t, q, batch.Passed)
			_, err = q.Finish(t.Context(), []string{m.ID()}, false)
			must(t, err)
		}, "done", []string{"INCOMPLETE: the run came to its end, but Redis lost it, or somebody cleaned it, before this verdict", "all 2 tests passed", "Redis holds no run of this id"}},
	} {
		for _, list := range [][]batch.Test{asTests("a", "b"), nil} {
			t.Run(name+map[bool]string{true: ", list unknown"}[list == nil], func(t *testing.T) {
				t.Parallel()
				rdb := batchtest.Embedded(t)
				q := open(t, rdb, "a", "b")
				_, _, err := q.Join(t.Context(), "stays", "") // so that the controller does so too
				must(t, err)
				at := attend(t, control.Attendance{Queue: q, Tests: list})
				test.end(t, q)
				at.says(test.sign)
				_, err = batch.Clean(t.Context(), rdb, "r")
				must(t, err)
				at.wait(3, test.says...)
				if left := rdb.Keys(t.Context(), "*").Val(); len(left) > 0 {
					t.Errorf("somebody brought it back: %q", left)
				}
			})
		}
	}
}

// The limits hold while a run is attended: here that of failures, which makes what did not run no scandal.
func TestAttendFailFast(t *testing.T) {
	q := open(t, batchtest.Embedded(t), "a", "b")
	a := control.Attendance{Queue: q, Tests: asTests("a", "b")}
	must(t, parse(a.Limits.Register, "--fail-fast"))
	at := attend(t, a)
	m, _, err := q.Join(t.Context(), "w", "")
	must(t, err)
	claim, err := m.Claim(t.Context(), 1, true)
	must(t, err)
	_, err = m.Report(t.Context(), claim.Batch.Number, []batch.Event{{Type: batch.Finish, Test: claim.Batch.IDs()[0], Outcome: batch.Outcome{Status: batch.Failed}}})
	must(t, err)
	at.says("ABORT")
	must(t, m.Leave(t.Context(), ""))
	at.wait(1, "enough tests failed", "1 of 2 tests")
}

// Who only passes by goes without a word about a run that others attend; everybody else tells what is known.
func TestStoppedAttendance(t *testing.T) {
	for name, passing := range map[string]bool{"passing": true, "staying": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := open(t, batchtest.Embedded(t), "a")
			stopped := errors.New("stopped")
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(stopped)
			var out strings.Builder
			a := control.Attendance{Queue: q, Tests: asTests("a"), Passing: passing, Streams: cli.Streams{Out: &out}, Log: slog.New(slog.DiscardHandler)}
			if err := a.Attend(ctx); !errors.Is(err, stopped) {
				t.Errorf("it ends with %v", err)
			}
			if told := strings.Contains(out.String(), "INCOMPLETE"); told == passing {
				t.Errorf("it says %q", &out)
			}
		})
	}
}
