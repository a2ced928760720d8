package batch_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

func beats(d *batchtest.Dump, name string) {
	edit(d.Workers, name, func(w *batchtest.Worker) { w.Beat++ })
}

// Each beat counts, also a repeated one, and changes nothing else for a worker that holds what Redis thinks.
func TestBeat(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		w.beat(batch.NoBatch)
		r.expect(func(d *batchtest.Dump) { beats(d, "w") })
		b := w.claim(2)
		r.look()
		w.beat(1, append(b.IDs(), "stranger", "d")...)
		r.expect(func(d *batchtest.Dump) { beats(d, "w") })
		r.must(r.again(r.last()))
		r.expect(func(d *batchtest.Dump) { beats(d, "w") })
	})
}

// What a worker does not hold, though Redis thinks so, goes back to the head of the queue, uncharged.
func TestBeatGivesBack(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		w := r.join("w")
		w.claim(3)
		r.look()
		w.beat(1, "b")
		r.expect(func(d *batchtest.Dump) {
			beats(d, "w")
			d.Queue = ids("a c d e f g h")
			d.Sets["w"] = ids("b")
			uncounted(d, "a", "c")
			for _, id := range ids("a c") {
				edit(d.Tries, id, func(t *batchtest.Tries) { t.Held = false })
			}
		})
		w.beat(1) // the batch stays open until it is settled
		r.expect(func(d *batchtest.Dump) {
			beats(d, "w")
			d.Queue = ids("b a c d e f g h")
			delete(d.Sets, "w")
			uncounted(d, "b")
			edit(d.Tries, "b", func(t *batchtest.Tries) { t.Held = false })
		})
	})
}

func TestBeatGivesBackAlone(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b"))
		w := r.join("w")
		for number := 1; number <= 2; number++ {
			w.claim(1)
			w.settle(number, batch.Requeue)
		}
		w.claim(1)
		r.look()
		w.beat(3)
		r.expect(func(d *batchtest.Dump) {
			beats(d, "w")
			d.Requeue = ids("a b")
			delete(d.Sets, "w")
			uncounted(d, "a")
			edit(d.Tries, "a", func(t *batchtest.Tries) { t.Held = false })
		})
	})
}

// A beat that was sent while a claim is under way, or that arrives late, knows of another batch than Redis: it must not
// take away what the worker is about to receive, or runs.
func TestBeatOfAnotherBatch(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		w := r.join("w")
		r.must(r.raw("claim", []*worker{w}, w.ID(), 1, 2, "1")) // its answer is still on the way
		r.look()
		w.beat(batch.NoBatch)
		r.expect(func(d *batchtest.Dump) { beats(d, "w") })
		late := r.last()
		batchSummary{1, false, ids("a b")}.diff(t, w.claim(2))

		w.report(1, finish("a", batch.Passed), finish("b", batch.Passed))
		w.beat(1)
		older := r.last()
		w.settle(1, batch.Requeue)
		w.claim(2)
		r.look()
		for _, request := range [][]any{late, older} {
			r.must(r.again(request))
			r.expect(func(d *batchtest.Dump) { beats(d, "w") })
		}
		w.beat(3)
		r.expect(func(d *batchtest.Dump) { beats(d, "w") })
	})
}

func TestBeatInterval(t *testing.T) {
	for lease, want := range map[time.Duration]time.Duration{
		15 * time.Second: 15 * time.Second / 8, 800 * time.Millisecond: 100 * time.Millisecond, time.Minute: 2 * time.Second,
	} {
		if got := batch.BeatInterval(lease); got != want {
			t.Errorf("lease %v: got %v, want %v", lease, got, want)
		}
	}
}
