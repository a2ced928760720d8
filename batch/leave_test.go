package batch_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

func TestJoin(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		m, answer, err := r.q.Join(r.ctx, "w", "linux/amd64")
		r.must(err)
		if answer.Markers != (batch.Markers{}) || answer.Cursor == "" {
			t.Errorf("got answer %+v", answer)
		}
		r.names[m.ID()] = "w"
		r.expect(func(d *batchtest.Dump) { d.Workers["w"] = batchtest.Worker{Info: "linux/amd64"} })
		r.must(r.again(r.last()))
		r.same()

		_, err = r.q.Abort(r.ctx, batch.Abortion{Why: "", Who: ""})
		r.must(err)
		r.look()
		_, _, err = r.q.Join(r.ctx, "w", "")
		r.refused(err, batch.Ended)
	})
}

func TestLeave(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		w.runs(1, batch.Passed)
		for range 2 {
			r.must(w.Leave(r.ctx, "over"))
			r.expect(func(d *batchtest.Dump) { delete(d.Workers, "w") })
		}
	})
}

// Whoever leaves gives back what it holds, also what it was given by a claim whose answer never came.
func TestLeaveHandsBack(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		untouched := r.seen
		w := r.join("w")
		w.claim(2)
		r.look()
		if err := r.raw("leave", []*worker{w}, w.ID(), "over"); !redis.HasErrorPrefix(err, "HOLDING") {
			t.Errorf("got error %v, want HOLDING", err)
		}
		r.same()
		r.must(w.Leave(r.ctx, "over"))
		back := func(d *batchtest.Dump) {
			*d = untouched
			d.Tries = map[string]batchtest.Tries{"a": {Worker: "w"}, "b": {Worker: "w"}}
		}
		r.expect(back)

		w = r.join("w")
		r.must(r.raw("claim", []*worker{w}, w.ID(), 1, 2, "1"))
		r.look()
		r.must(w.Leave(r.ctx, "over"))
		r.expect(func(d *batchtest.Dump) {
			back(d)
			d.Tries = map[string]batchtest.Tries{"a": {Worker: "w'"}, "b": {Worker: "w'"}}
		})
	})
}

// An id is never used again. So a join, leave or reap that arrives late cannot hit a successor of the same name; a
// late join leaves a worker without a beat, which is reaped.
func TestDelayedDuplicates(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		first := r.join("w")
		join := r.last()
		first.claim(1)
		claim := r.last()
		first.reaped()
		reap := r.last()
		second := r.join("w")
		second.claim(1)
		r.must(first.Leave(r.ctx, "over"))
		leave := r.last()
		r.look()

		r.must(r.again(leave))
		r.must(r.again(reap))
		r.same()
		r.must(r.again(join))
		r.expect(func(d *batchtest.Dump) { d.Workers["w"] = batchtest.Worker{Info: "info"} })
		r.must(r.again(claim)) // even this one
		r.expect(func(d *batchtest.Dump) {
			d.Queue = ids("d")
			claimed(d, "w", 1, false, "c")
		})
		r.must(r.again(reap))
		r.expect(func(d *batchtest.Dump) {
			settled(d, "w")
			delete(d.Workers, "w")
			d.Requeue = ids("a c")
		})
	})
}
