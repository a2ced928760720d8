package batch_test

import (
	"testing"

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
