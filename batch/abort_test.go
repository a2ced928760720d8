package batch_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// After an abort nothing is claimed, joined or enqueued; what runs is reported, given back and left as ever.
func TestAbort(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		w, idle, dead := r.join("w"), r.join("idle"), r.join("dead")
		w.claim(2)
		dead.claim(1)
		r.look()
		how, err := r.q.Abort(r.ctx, batch.Abortion{Why: "a test failed", Who: "ctl"})
		r.must(err)
		if how != batch.IsAborted {
			t.Errorf("got %s", how)
		}
		r.expect(func(d *batchtest.Dump) {
			d.Control = ids("aborted sealed")
			d.Run["abort_reason"], d.Run["abort_by"], d.Run["abort_failures"] = "a test failed", "ctl", "0"
		})
		_, err = r.q.Abort(r.ctx, batch.Abortion{Why: "another reason", Who: "somebody else"}) // the first counts
		r.must(err)
		r.same()

		c, err := idle.Claim(r.ctx, 5, true)
		r.must(err)
		if c.Batch.Number != 0 || !c.Markers.Aborted || !c.Markers.Over() {
			t.Errorf("got claim %+v", c)
		}
		_, _, err = r.q.Join(r.ctx, "new", "")
		r.refused(err, batch.Ended)
		_, err = r.q.Enqueue(r.ctx, asTests("a"))
		r.refused(err, batch.Ended)
		r.refused(r.q.Seal(r.ctx, 8), batch.Ended)
		r.must(r.raw("claim", []*worker{w}, w.ID(), 1, 2, "1")) // its first answer was lost
		r.same()

		w.report(1, finish("a", batch.Passed))
		r.expect(func(d *batchtest.Dump) { finished(d, "w", "a", batch.Passed) })
		w.beat(1, "b")
		r.expect(func(d *batchtest.Dump) { beats(d, "w") })
		r.must(w.Leave(r.ctx, "aborted"))
		r.expect(func(d *batchtest.Dump) {
			d.Queue = ids("b d e f g h")
			settled(d, "w")
			uncounted(d, "b")
			delete(d.Workers, "w")
		})
		dead.reap(0, 1)
		r.expect(func(d *batchtest.Dump) { gone(d, "dead") })

		state, err := r.q.State(r.ctx)
		r.must(err)
		if !state.Markers.Aborted || state.Abortion != (batch.Abortion{Why: "a test failed", Who: "ctl"}) {
			t.Errorf("got state %+v", state)
		}
	})
}

// A run may be aborted before its list is sealed.
func TestAbortUnsealed(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		r.enqueue("a")
		_, err := r.q.Abort(r.ctx, batch.Abortion{Why: "why", Who: "who"})
		r.must(err)
		r.finish(batch.IsAborted)
		r.look()
		r.refused(r.q.Seal(r.ctx, 1), batch.Ended)
	})
}
