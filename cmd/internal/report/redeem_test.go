package report

import (
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// A part that failed is redeemed by its own pass only, not by a rerun that leaves it out.
func TestRerunThatLeavesOutWhatFailed(t *testing.T) {
	part := func(name string, status batch.Status) batch.Case {
		return batch.Case{Classname: "C", Name: name, Status: status}
	}
	for name, test := range map[string]struct {
		rerun []batch.Case
		exit  int
	}{
		"repeated": {[]batch.Case{part("a", batch.Passed), part("c", batch.Passed)}, ExitPassed},
		"left out": {[]batch.Case{part("a", batch.Passed)}, ExitFailed},
		"skipped":  {[]batch.Case{part("a", batch.Passed), part("c", batch.Skipped)}, ExitFailed},
	} {
		h := NewHistory()
		attempt := func(number int, status batch.Status, decision batch.Decision, cases ...batch.Case) {
			h.Add(batch.Event{Type: batch.Claimed, Worker: "w", Batch: number, Tests: []string{"C"}})
			h.Add(batch.Event{Type: batch.Finish, Test: "C", Worker: "w", Batch: number, Decision: decision, Outcome: batch.Outcome{Status: status, Cases: cases}})
		}
		attempt(1, batch.Failed, batch.Requeued, part("a", batch.Passed), part("c", batch.Failed))
		attempt(2, batch.Passed, batch.Final, test.rerun...)
		h.Add(batch.Event{Type: batch.Done})
		v := Judge(h, Ending{Tests: 1, Results: map[string]batch.Status{"C": batch.Passed}, Markers: batch.Markers{Sealed: true, Done: true}})
		if v.Exit != test.exit {
			t.Errorf("%s: exit %d, want %d: %s", name, v.Exit, test.exit, v.Sentence())
		}
	}
}
