package batch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// gone changes a state to one where a worker was reaped, its tests are in the requeue, and those that ran are charged.
func gone(d *batchtest.Dump, name string, charged ...string) {
	d.Requeue = append(d.Requeue, d.Sets[name]...)
	settled(d, name)
	delete(d.Workers, name)
	for _, id := range charged {
		edit(d.Tries, id, func(t *batchtest.Tries) { t.Losses++ })
	}
}

// reap takes a worker for dead whose beat was seen, and expects how many tests it held.
func (w *worker) reap(beat int64, held int) {
	w.r.t.Helper()
	ok, n, err := w.r.q.Reap(w.r.ctx, w.ID(), beat, "no beat")
	w.r.must(err)
	if !ok || n != held {
		w.r.t.Errorf("reaped: %v with %d tests, want %d", ok, n, held)
	}
}

// Only what was announced and neither withdrawn nor finished is charged.
func TestReapCharges(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h i j"))
		w := r.join("w")
		w.claim(5)
		w.report(1, start("a"), finish("a", batch.Passed), start("b"), start("c"), pause("c"), start("d"), pause("d"), start("d"))
		r.look()
		w.reap(0, 4)
		r.expect(func(d *batchtest.Dump) { gone(d, "w", "b", "d") })
		journal := r.journal()
		want := batch.Event{
			Type: batch.Reaped, Worker: "w", Batch: 1, Tests: ids("b c d e"), Charged: ids("b d"), Text: "no beat",
		}
		if diff := cmp.Diff(want, journal[len(journal)-1]); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// A claim from the requeue is its own announcement.
func TestReapChargesAlone(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		w := r.join("w")
		w.claim(1)
		w.settle(1, batch.Requeue)
		w.claim(1)
		r.look()
		w.reap(0, 1)
		r.expect(func(d *batchtest.Dump) { gone(d, "w", "a") })
	})
}

// A worker that has beaten since somebody looked lives, and one that is gone cannot be reaped twice.
func TestReapStaleBeat(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b"))
		w := r.join("w")
		w.claim(1)
		w.beat(1, "a")
		r.look()
		none := func(beat int64) {
			t.Helper()
			if ok, n, err := r.q.Reap(r.ctx, w.ID(), beat, "no beat"); ok || n != 0 || err != nil {
				t.Errorf("beat %d: reaped %v with %d tests, error %v", beat, ok, n, err)
			}
			r.same()
		}
		none(0)
		none(2)
		w.reap(1, 1)
		r.expect(func(d *batchtest.Dump) { gone(d, "w") })
		none(1)
	})
}

// A worker that never finished a test may be a broken machine: it accuses nobody while one lives that has.
func TestReapOfUnproven(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		proven, broken, last := r.join("proven"), r.join("broken"), r.join("last")
		proven.runs(1, batch.Passed)
		fails := func(w *worker, charged ...string) {
			t.Helper()
			b := w.claim(1)
			w.report(b.Number, start(b.IDs()[0]))
			r.look()
			w.reap(0, 1)
			r.expect(func(d *batchtest.Dump) { gone(d, w.name, charged...) })
		}
		fails(broken)
		fails(proven, "c")
		fails(last, "d") // nobody lives who knows better
		fails(r.join("broken"), "e")
	})
}

// A late report of a reaped worker, which joined anew: what passed counts, and the rest was sent to the requeue.
func TestReapedWorkerComesBack(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f"))
		w := r.join("w")
		w.claim(3)
		w.report(1, start("a"), start("b"))
		r.look()
		w.reap(0, 3)
		r.expect(func(d *batchtest.Dump) { gone(d, "w", "a", "b") })
		_, err := w.Report(r.ctx, 1, []batch.Event{finish("a", batch.Passed)})
		r.refused(err, batch.NotJoined)

		w = r.join("w")
		w.report(batch.NoBatch, finish("a", batch.Passed), finish("b", batch.Failed))
		r.expect(func(d *batchtest.Dump) {
			edit(d.Workers, "w'", func(w *batchtest.Worker) { w.Report = 1 })
			d.Results["a"] = "passed"
			d.Requeue = ids("b c")
		})
	})
}
