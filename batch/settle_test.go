package batch_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// settled changes a state to one where a worker's batch is settled.
func settled(d *batchtest.Dump, name string) {
	delete(d.Sets, name)
	edit(d.Workers, name, func(w *batchtest.Worker) { w.Open, w.Running = false, "" })
	for id, tries := range d.Tries {
		if tries.Worker == name {
			edit(d.Tries, id, func(t *batchtest.Tries) { t.Held = false })
		}
	}
}

// uncounted takes back the claims of tests.
func uncounted(d *batchtest.Dump, tests ...string) {
	for _, id := range tests {
		edit(d.Tries, id, func(t *batchtest.Tries) { t.Claims-- })
	}
}

// What was not executed goes to the requeue, and stays counted as claimed.
func TestSettleRequeue(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("d c b a e f g h"))
		w := r.join("w")
		w.claim(3)
		w.report(1, start("c"), finish("c", batch.Passed), start("d"))
		r.look()
		w.settle(1, batch.Requeue)
		r.expect(func(d *batchtest.Dump) {
			settled(d, "w")
			d.Requeue = ids("b d")
		})
		w.settle(1, batch.Requeue) // its answer was lost
		w.settle(1, batch.HandBack)
		r.same()
	})
}

// What is given back unrun goes to the head of the queue, as if it had not been claimed.
func TestSettleHandBack(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("d c b a e f g h"))
		w := r.join("w")
		w.claim(4)
		w.report(1, start("b"), finish("b", batch.Passed), start("d"))
		r.look()
		w.settle(1, batch.HandBack)
		r.expect(func(d *batchtest.Dump) {
			settled(d, "w")
			uncounted(d, "a", "c", "d")
			d.Queue = ids("a c d e f g h")
		})
		w.settle(1, batch.HandBack)
		w.settle(1, batch.Requeue)
		r.same()
	})
}

// A test that was to run alone goes back to where it came from.
func TestSettleHandBackAlone(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b"))
		w := r.join("w")
		for number := 1; number <= 2; number++ {
			w.claim(1)
			w.settle(number, batch.Requeue)
		}
		w.claim(1)
		r.look()
		w.settle(3, batch.HandBack)
		r.expect(func(d *batchtest.Dump) {
			settled(d, "w")
			uncounted(d, "a")
			d.Requeue = ids("a b")
		})
	})
}

// Another batch number than the open one changes nothing: a settle that comes late does not end the next batch.
func TestSettleOtherBatch(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		w, other := r.join("w"), r.join("other")
		w.claim(2)
		w.settle(1, batch.Requeue)
		late := r.last()
		w.claim(2)
		r.look()
		r.must(r.again(late))
		for _, number := range []int{batch.NoBatch, 1, 3} {
			for _, how := range []batch.Settlement{batch.Requeue, batch.HandBack} {
				w.settle(number, how)
			}
		}
		other.settle(2, batch.Requeue)
		r.same()
	})
}
