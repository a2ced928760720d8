package batch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// The retries of all tests come from one budget, whoever reports the failures. When it is spent a failure is final and says
// why; crashes have a budget of their own, and go on.
func TestMaxRetriesTotal(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"), func(o *batch.Options) { o.Retries, o.MaxRetriesTotal = 5, 2 })
		w, other := r.join("w"), r.join("other")
		w.claim(2)
		other.claim(2)
		r.look()
		requeued := func(d *batchtest.Dump, name, test string) {
			finished(d, name, test, batch.Failed)
			delete(d.Results, test)
			d.Requeue = append(d.Requeue, test)
			edit(d.Tries, test, func(t *batchtest.Tries) { t.Failures++ })
		}
		w.report(1, finish("a", batch.Failed))
		r.expect(func(d *batchtest.Dump) { requeued(d, "w", "a"); d.Run["retried"] = "1" })
		r.must(r.again(r.last()))
		r.same()
		other.report(1, finish("c", batch.Failed))
		r.expect(func(d *batchtest.Dump) { requeued(d, "other", "c"); d.Run["retried"] = "2" })
		w.report(1, finish("b", batch.Failed))
		r.expect(func(d *batchtest.Dump) {
			finished(d, "w", "b", batch.Failed)
			edit(d.Tries, "b", func(t *batchtest.Tries) { t.Failures = 1 })
		})
		r.must(r.again(r.last()))
		r.same()
		w.report(1, finish("c", batch.Failed)) // not its own: late
		r.expect(func(d *batchtest.Dump) { edit(d.Workers, "w", func(w *batchtest.Worker) { w.Report++ }) })
		other.report(1, finish("d", batch.Crashed))
		r.expect(func(d *batchtest.Dump) {
			requeued(d, "other", "d")
			edit(d.Tries, "d", func(t *batchtest.Tries) { t.Failures, t.Crashes = 0, 1 })
			edit(d.Workers, "other", func(w *batchtest.Worker) { w.Finished-- })
		})
		if diff := cmp.Diff(ids("a:requeued c:requeued b:final c:late d:requeued"), reasons(r)); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}

		// A run that lost its data counts anew.
		r.must(rdb.Del(r.ctx, r.q.Keys().Run()).Err())
		q, err := r.q.Reopen(r.ctx)
		r.must(err)
		if r.q = q; q.Options().MaxRetriesTotal != 2 {
			t.Errorf("reopened with %+v", q.Options())
		}
		if r.look(); r.seen.Run["retried"] != "" {
			t.Errorf("it counts on from %s", r.seen.Run["retried"])
		}
	})
}

// reasons are the journal's finishes as "test:decision", and fails the test if a reason is not where it must be.
func reasons(r *run) []string {
	r.t.Helper()
	var list []string
	for _, e := range r.journal() {
		if e.Type != batch.Finish {
			continue
		}
		list = append(list, e.Test+":"+string(e.Decision))
		want := ""
		if e.Decision == batch.Final {
			want = "the run has no retries left, of 2 (--max-retries-total)"
		}
		if e.Text != want {
			r.t.Errorf("%s is %s because %q, want %q", e.Test, e.Decision, e.Text, want)
		}
	}
	return list
}

// Without a limit nothing is counted, and a test whose own retries are spent takes none from the run.
func TestRetriesOfATestThatHasNone(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		for _, o := range []batch.Options{{Retries: 3}, {MaxRetriesTotal: 3}} {
			r := newRun(t, rdb, ids("a b"), func(d *batch.Options) { d.Retries, d.MaxRetriesTotal = o.Retries, o.MaxRetriesTotal })
			r.join("w").runs(1, batch.Failed)
			if counted := r.seen.Run["retried"]; counted != "" {
				t.Errorf("%+v: %s retries counted", o, counted)
			}
			_, err := batch.Clean(r.ctx, rdb, r.q.RunID())
			r.must(err)
		}
	})
}

// A worker that never finished a test may be a broken machine: what its runner does not survive is not held against the test
// while a worker lives that has. The claims that a test has in all still end it.
func TestCrashesOfUnproven(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b"), func(o *batch.Options) { o.MaxClaims = 4 })
		proven, broken := r.join("proven"), r.join("broken")
		proven.runs(1, batch.Passed)
		broken.runs(1, batch.Crashed)
		broken.runs(1, batch.Unexecuted)
		broken.runs(1, batch.Timeout)
		if tries := r.seen.Tries["b"]; tries.Crashes != 0 || tries.Claims != 3 || r.seen.Results["b"] != "" {
			t.Errorf("%+v, results %v", tries, r.seen.Results)
		}
		broken.runs(1, batch.Crashed)
		if r.seen.Results["b"] != "crashed" {
			t.Errorf("after all its claims: results %v, tries %+v", r.seen.Results, r.seen.Tries["b"])
		}
	})
}

// Without one that knows better, and from a worker that has finished a test, a crash counts.
func TestCrashesCount(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		first := r.join("first")
		first.runs(1, batch.Crashed)
		first.runs(1, batch.Passed)
		first.runs(1, batch.Crashed)
		if a, c := r.seen.Tries["a"].Crashes, r.seen.Tries["c"].Crashes; a != 1 || c != 1 {
			t.Errorf("crashes of a and c: %d and %d", a, c)
		}
	})
}
