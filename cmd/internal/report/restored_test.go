package report

import (
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// Results that Redis lost and a controller brought back are told again by the same journal: each attempt is shown once all the same,
// also one that a worker told after it had joined anew.
func TestToldAgain(t *testing.T) {
	finish := func(worker string, number int, status batch.Status, decision batch.Decision, seconds float64) batch.Event {
		return batch.Event{Type: batch.Finish, Test: "a", Worker: worker, Batch: number, Decision: decision, Outcome: batch.Outcome{Status: status, Seconds: seconds}}
	}
	told := []batch.Event{
		finish("w", 3, batch.Failed, batch.Requeued, 1),
		finish("w", batch.NoBatch, batch.Passed, batch.Final, 2),
		finish("w", batch.NoBatch, batch.Failed, batch.Late, 3), // another attempt
		finish("v", batch.NoBatch, batch.Failed, batch.Late, 4), // on another worker
	}
	h := NewHistory()
	for range 3 {
		for _, e := range told {
			h.Add(e)
		}
	}
	test := h.Test("a")
	if n := len(test.Attempts); n != len(told) || test.Result != batch.Passed || !test.Flaky() {
		t.Errorf("%d attempts, result %s, flaky %v", n, test.Result, test.Flaky())
	}
}
