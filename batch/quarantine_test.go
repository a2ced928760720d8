package batch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// The journal tells of quarantines before the tests are in the list, and never of a test that is there: nobody turns a failure green
// afterwards.
func TestQuarantine(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		flaky := batch.Quarantine{Owner: "anna", Reason: "#7\n\"flaky\"", Until: "2026-12-31"}
		slow := batch.Quarantine{Owner: "ben", Reason: "slow"}
		enqueue := func(tests ...batch.Test) {
			t.Helper()
			_, err := r.q.Enqueue(r.ctx, tests)
			r.must(err)
		}
		told := func() (events []batch.Event) {
			for _, e := range r.journal() {
				if e.Type == batch.Quarantined {
					events = append(events, e)
				}
			}
			return events
		}
		enqueue(batch.Test{ID: "a", Quarantine: flaky}, batch.Test{ID: "b"}, batch.Test{ID: "c", Quarantine: slow}, batch.Test{ID: "d", Quarantine: flaky})
		want := []batch.Event{
			{Type: batch.Quarantined, Quarantine: flaky, Tests: ids("a d")},
			{Type: batch.Quarantined, Quarantine: slow, Tests: ids("c")},
		}
		if diff := cmp.Diff(want, told()); diff != "" {
			t.Error(diff)
		}

		// Another producer thinks otherwise, too late for b; e is new.
		enqueue(batch.Test{ID: "a"}, batch.Test{ID: "b", Quarantine: slow}, batch.Test{ID: "e", Quarantine: slow})
		want = append(want, batch.Event{Type: batch.Quarantined, Quarantine: slow, Tests: ids("e")})
		if diff := cmp.Diff(want, told()); diff != "" {
			t.Error(diff)
		}

		// A closed list, and an aborted run, stay as they are.
		r.must(r.q.Seal(r.ctx, 5))
		enqueue(batch.Test{ID: "b", Quarantine: slow})
		if _, err := r.q.Enqueue(r.ctx, []batch.Test{{ID: "b", Quarantine: flaky}}); err != nil {
			t.Error(err)
		}
		_, err := r.q.Abort(r.ctx, batch.Abortion{})
		r.must(err)
		if _, err := r.q.Enqueue(r.ctx, []batch.Test{{ID: "f", Quarantine: flaky}}); err == nil {
			t.Error("a test was added to an aborted run")
		}
		if diff := cmp.Diff(want, told()); diff != "" {
			t.Error(diff)
		}
	})
}
