package batch_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// Every request of a run with all that can happen in it, each sent again as it was: that changes nothing but the count of
// a beat (invariant 7), neither in the state nor in the journal.
func TestRepeat(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb, func(o *batch.Options) { o.Retries = 1 })
		scripts := map[string]string{}
		for name, script := range batch.Scripts() {
			scripts[script.Hash()] = name
			r.must(script.Load(r.ctx, rdb).Err())
		}
		seen := map[string]bool{}
		repeat := func() {
			t.Helper()
			request := r.last()
			name := scripts[request[1].(string)]
			seen[name] = true
			r.look()
			events := len(r.journal())
			_ = r.again(request) // may be refused, as in the case of a claim of an ended batch
			r.expect(func(d *batchtest.Dump) {
				if name == "beat" {
					for id := range d.Workers {
						if r.read().Workers[id].Beat != d.Workers[id].Beat {
							beats(d, id)
						}
					}
				}
			})
			if n := len(r.journal()); n != events {
				t.Errorf("%s: the journal has %d entries, %d before", name, n, events)
			}
		}
		again, err := batch.Open(r.ctx, rdb, r.q.RunID(), "digest", batch.DefaultOptions())
		r.must(err)
		r.q = again
		repeat()
		w, dead := r.join("w"), r.join("dead")
		repeat()
		for _, step := range []func(){
			func() { r.enqueue(ids("a b c d e f g h i j k l")...) },
			func() { w.claim(3) },
			func() { w.report(1, start("a"), start("b"), pause("b")) },
			func() {
				w.report(1, finish("a", batch.Failed), finish("b", batch.Passed), batch.Event{Type: batch.ProblemFound})
			},
			func() { w.beat(1, "c") },
			func() { w.beat(1) },
			func() { w.settle(1, batch.Requeue) },
			func() { w.claim(2) },
			func() { w.settle(2, batch.HandBack) },
			func() { w.claim(2) },
			func() { w.settle(3, batch.Requeue) },
			func() { dead.claim(2); dead.report(1, start("e")) },
			func() { dead.reaped() },
			func() { w.report(batch.NoBatch, finish("e", batch.Passed)) },
			func() { r.enqueueBehind(gpu, "z") },
			func() { r.must(r.q.Seal(r.ctx, 13)) },
			func() { r.finish(batch.IsBusy) },
			func() { w.gate(w.claim(1), false) },
			func() { w.settle(4, batch.HandBack) },
			func() { w.gate(w.claim(1), true) },
			func() { w.report(5, finish("z", batch.Passed)) },
			func() { r.must(r.rdb.Del(r.ctx, r.q.Keys().Requeue()).Err()); r.audit(4) },
			func() {
				_, err := r.q.Restore(r.ctx, [][]batch.Event{{{Type: batch.Finish, Test: "f", Decision: batch.Final, Outcome: batch.Outcome{Status: batch.Passed}}}})
				r.must(err)
			},
			func() { w.settle(5, batch.HandBack) },
		} {
			step()
			repeat()
		}
		for {
			b := w.claim(5)
			repeat()
			if b.Number == 0 {
				break
			}
			for _, id := range b.IDs() {
				w.report(b.Number, start(id), finish(id, batch.Crashed))
				repeat()
			}
			w.settle(b.Number, batch.Requeue)
			repeat()
		}
		r.finish(batch.IsDone)
		repeat()
		_, err = r.q.Abort(r.ctx, batch.Abortion{Why: "too late", Who: ""})
		r.must(err)
		repeat()
		r.must(w.Leave(r.ctx, "over"))
		repeat()
		if diff := cmp.Diff(slices.Sorted(maps.Values(scripts)), slices.Sorted(maps.Keys(seen))); diff != "" {
			t.Errorf("scripts (-all +repeated):\n%s", diff)
		}
	})
}

// The same of an abort that wins.
func TestRepeatAbort(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		_, err := r.q.Abort(r.ctx, batch.Abortion{Why: "why", Who: "who"})
		r.must(err)
		r.look()
		events := len(r.journal())
		r.must(r.again(r.last()))
		r.same()
		if n := len(r.journal()); n != events {
			t.Errorf("the journal has %d entries, %d before", n, events)
		}
	})
}
