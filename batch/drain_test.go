package batch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// A worker that is stopped gives back what it has not begun, and says that it leaves. Should it vanish before that, nobody
// is charged for what it ran.
func TestDrain(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		w := r.join("w")
		w.claim(3)
		w.report(1, start("a"))
		r.look()
		_, err := w.Drain(r.ctx, 1, ids("a"))
		r.must(err)
		r.expect(func(d *batchtest.Dump) {
			beats(d, "w")
			edit(d.Workers, "w", func(w *batchtest.Worker) { w.Leaving = true })
			d.Queue = ids("b c d e f g h")
			d.Sets["w"] = ids("a")
			uncounted(d, "b", "c")
			for _, id := range ids("b c") {
				edit(d.Tries, id, func(t *batchtest.Tries) { t.Held = false })
			}
		})
		journal := r.journal()
		want := batch.Event{Type: batch.Returned, Worker: "w", Batch: 1, Tests: ids("c b")}
		if diff := cmp.Diff(want, journal[len(journal)-1]); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
		w.reap(1, 1)
		r.expect(func(d *batchtest.Dump) {
			gone(d, "w")
			uncounted(d, "a")
		})
	})
}
