package batch_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// finish posts the done marker, or not, and expects the answer.
func (r *run) finish(want batch.Progress) {
	r.t.Helper()
	got, err := r.q.Finish(r.ctx, nil, false)
	r.must(err)
	if got != want {
		r.t.Errorf("finish: got %s, want %s", got, want)
	}
}

// Each reason why a run is not complete, alone: emptiness is never evidence of completion.
// isGone stands for the error Gone.
const isGone = batch.Progress("gone")

func TestFinishRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		tests string
		seal  bool
		run   func(r *run, w *worker)
		want  batch.Progress
	}{
		{"unsealed and empty", "", false, func(*run, *worker) {}, batch.IsUnsealed},
		{"unsealed with all results", "a", false, func(r *run, w *worker) { w.runs(1, batch.Passed) }, batch.IsUnsealed},
		{"queue", "a", true, func(*run, *worker) {}, batch.IsBusy},
		{"requeue", "a", true, func(r *run, w *worker) { w.claim(1); w.settle(1, batch.Requeue) }, batch.IsBusy},
		{"set", "a", true, func(r *run, w *worker) { w.claim(1) }, batch.IsBusy},
		{"open batch without tests", "a", true,
			func(r *run, w *worker) { w.claim(1); w.report(1, finish("a", batch.Passed)) }, batch.IsBusy},
		{"leftover in the queue", "a", true, func(r *run, w *worker) {
			w.runs(1, batch.Passed)
			r.must(r.rdb.RPush(r.ctx, r.q.Keys().Queue(), "b").Err())
		}, batch.IsUneven},
		{"leftover in the requeue", "a", true, func(r *run, w *worker) {
			w.runs(1, batch.Passed)
			r.must(r.rdb.RPush(r.ctx, r.q.Keys().Requeue(), "b").Err())
		}, batch.IsUneven},
		{"leftover in a set", "a", true, func(r *run, w *worker) {
			w.runs(1, batch.Passed)
			r.must(r.rdb.SAdd(r.ctx, r.q.Keys().Worker(w.ID()), "b").Err())
		}, batch.IsUneven},
		{"lost queue", "a b", true, func(r *run, w *worker) {
			w.runs(1, batch.Passed)
			r.must(r.rdb.Del(r.ctx, r.q.Keys().Queue()).Err())
		}, batch.IsUneven},
		{"lost results", "a b", true, func(r *run, w *worker) {
			w.runs(1, batch.Passed)
			w.runs(1, batch.Passed)
			r.must(r.rdb.Del(r.ctx, r.q.Keys().Results()).Err())
		}, batch.IsUneven},
		{"lost markers", "a", true, func(r *run, w *worker) {
			w.runs(1, batch.Passed)
			r.must(r.rdb.Del(r.ctx, r.q.Keys().Control()).Err())
		}, isGone},
	} {
		t.Run(c.name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := openRun(t, rdb)
				r.enqueue(ids(c.tests)...)
				if c.seal {
					r.must(r.q.Seal(r.ctx, len(ids(c.tests))))
				}
				c.run(r, r.join("w"))
				before, err := batchtest.Read(r.ctx, rdb, r.q.Keys())
				r.must(err)
				if c.want == isGone {
					if _, err := r.q.Finish(r.ctx, nil, false); !errors.Is(err, batch.Gone) {
						t.Errorf("error %v, want Gone", err)
					}
				} else {
					r.finish(c.want)
				}
				after, err := batchtest.Read(r.ctx, rdb, r.q.Keys())
				r.must(err)
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("state (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// After a complete run the queues and sets are gone, and all that remains is what a report needs.
func TestFinish(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		one, two := r.join("one"), r.join("two")
		one.claim(1)
		one.settle(1, batch.Requeue)
		for _, w := range []*worker{two, two, one, two} {
			r.finish(batch.IsBusy)
			w.runs(1, batch.Passed)
		}
		r.must(one.Leave(r.ctx, "over"))
		r.look()
		r.finish(batch.IsDone)
		r.expect(func(d *batchtest.Dump) { d.Control = ids("done sealed") })
		r.finish(batch.IsDone)
		if c, err := two.Claim(r.ctx, 5, true); err != nil || c.Batch.Number != 0 || !c.Markers.Done || !c.Markers.Over() {
			t.Errorf("got claim %+v, error %v, after the end", c, err)
		}
		r.same()
		r.must(two.Leave(r.ctx, "over"))
		r.expect(func(d *batchtest.Dump) { delete(d.Workers, "two") })

		k := r.q.Keys()
		for _, key := range []string{k.Queue(), k.Requeue(), k.Workers(), k.Worker(one.ID()), k.Worker(two.ID())} {
			if n := rdb.Exists(r.ctx, key).Val(); n != 0 {
				t.Errorf("%s is left", key)
			}
		}
		state, err := r.q.State(r.ctx)
		r.must(err)
		if state.Results != 4 || state.Tests != 4 || !state.Markers.Done {
			t.Errorf("got state %+v", state)
		}
	})
}

// The list may be empty: then it is for whoever sealed it to say whether that is a success.
func TestFinishOfNothing(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, nil)
		r.finish(batch.IsDone)
		r.expect(func(d *batchtest.Dump) { d.Control = ids("done sealed") })
	})
}

// Done and aborted exclude each other: the first one wins.
func TestAbortAndDone(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		r.join("w").runs(1, batch.Passed)
		r.finish(batch.IsDone)
		r.look()
		if how, err := r.q.Abort(r.ctx, batch.Abortion{Why: "why", Who: "who"}); how != batch.IsDone || err != nil {
			t.Errorf("abort: got %s, error %v, want done", how, err)
		}
		r.same()
	})
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		r.join("w").runs(1, batch.Passed)
		for range 2 {
			if how, err := r.q.Abort(r.ctx, batch.Abortion{Why: "why", Who: "who"}); how != batch.IsAborted || err != nil {
				t.Errorf("abort: got %s, error %v, want aborted", how, err)
			}
		}
		r.look()
		r.finish(batch.IsAborted)
		r.same()
	})
}
