package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// Tests that passed in no time took some, unless the tool tells no durations at all; what did not pass tells nothing.
func TestMeasured(t *testing.T) {
	for name, c := range map[string]struct{ seconds, want map[string]float64 }{
		"steps of a second": {map[string]float64{"a": 0, "b": 1, "c": 0}, map[string]float64{"a": Tiny, "b": 1, "c": Tiny}},
		"no durations":      {map[string]float64{"a": 0, "b": 0}, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHistory()
			at := testEpoch
			h.Add(batch.Event{Type: batch.Claimed, Time: at, Worker: "w", Batch: 1, Tests: []string{"a", "b", "c", "fails"}})
			tell := func(id string, status batch.Status, seconds float64) {
				at = at.Add(time.Second)
				h.Add(batch.Event{Type: batch.Finish, Time: at, Worker: "w", Batch: 1, Test: id, Decision: batch.Final,
					Outcome: batch.Outcome{Status: status, Seconds: seconds}})
			}
			for id, seconds := range c.seconds {
				tell(id, batch.Passed, seconds)
			}
			tell("fails", batch.Failed, 9)
			if diff := cmp.Diff(c.want, h.Measured().Seconds); diff != "" {
				t.Error(diff)
			}
		})
	}
}
