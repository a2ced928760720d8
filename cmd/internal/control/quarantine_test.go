package control_test

import (
	"testing"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

// A run that Redis lost comes back with its quarantines; without whoever knows the list, what is lost excuses nothing.
func TestQuarantineAfterDataLoss(t *testing.T) {
	t.Parallel()
	rdb := batchtest.Embedded(t)
	tests := asTests("a", "b")
	tests[1].Quarantine = batch.Quarantine{Owner: "anna", Reason: "flaky", Until: "2999-12-31"}
	options := batch.DefaultOptions()
	options.Lease = lease
	q, err := batch.Open(t.Context(), rdb, "r", "list", options)
	must(t, err)
	_, err = q.Enqueue(t.Context(), tests)
	must(t, err)
	must(t, q.Seal(t.Context(), len(tests)))
	at := attend(t, control.Attendance{Queue: q, Tests: tests, Output: verbose(t)})
	m, _, err := q.Join(t.Context(), "w", "")
	must(t, err)
	for told := 0; told < len(tests); {
		claim, err := m.Claim(t.Context(), 2, true)
		must(t, err)
		var events []batch.Event
		for _, id := range claim.Batch.IDs() {
			status := map[string]batch.Status{"a": batch.Passed, "b": batch.Failed}[id]
			events = append(events, batch.Event{Type: batch.Finish, Test: id, Outcome: batch.Outcome{Status: status}})
		}
		_, err = m.Report(t.Context(), claim.Batch.Number, events)
		must(t, err)
		if told += len(events); told < len(tests) { // the last batch stays open: the run is not done before it is lost
			_, err = m.Settle(t.Context(), claim.Batch.Number, batch.Requeue)
			must(t, err)
		}
	}
	at.says("b failed on w")
	must(t, rdb.FlushAll(t.Context()).Err())
	at.wait(0, "bringing it back", "PASSED: 1 of 2 tests passed, 1 quarantined failure", "until 2999-12-31, see anna: flaky")
}
