package batch_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

func TestState(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		one, two := r.join("one"), r.join("two")
		one.runs(1, batch.Passed)
		one.claim(1)
		one.settle(2, batch.Requeue)
		two.claim(1)
		two.settle(1, batch.Requeue)
		two.claim(2)
		two.beat(2, "d", "e")
		two.report(2, start("e"), start("d"))
		got, err := r.q.State(r.ctx)
		r.must(err)
		for i := range got.Workers {
			got.Workers[i].ID = r.name(got.Workers[i].ID)
		}
		want := batch.State{
			RunID: r.q.RunID(), Markers: batch.Markers{Sealed: true}, Tests: 8, Results: 1, Queued: 3, Requeued: 2,
			Workers: []batch.WorkerState{
				{ID: "one", Batch: 2, Finished: 1, Info: "info"},
				{ID: "two", Beat: 1, Batch: 2, Open: true, Running: ids("d e"), Held: 2, Info: "info"},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("state (-want +got):\n%s", diff)
		}
	})
}

// The age of a run is the time since its journal began, whatever the clock of whoever asks says.
func TestAge(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		events := r.q.Keys().Events()
		for _, test := range []struct {
			began           string // nothing: there is no journal
			atLeast, atMost time.Duration
		}{
			{strconv.FormatInt(time.Now().Add(-3*time.Hour).UnixMilli(), 10), 3 * time.Hour, 4 * time.Hour},
			{strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10), 0, 0}, // the clock was set back
			{"", 0, 0},
		} {
			r.must(rdb.Del(r.ctx, events).Err())
			if test.began != "" {
				r.must(rdb.XAdd(r.ctx, &redis.XAddArgs{Stream: events, ID: test.began + "-7", Values: []string{"type", "open"}}).Err())
				r.must(rdb.XAdd(r.ctx, &redis.XAddArgs{Stream: events, ID: "9999999999999-0", Values: []string{"type", "seal"}}).Err())
			}
			if age, err := r.q.Age(r.ctx); err != nil || age < test.atLeast || age > test.atMost {
				t.Errorf("began %q: age %v, error %v", test.began, age, err)
			}
		}
	})
}
