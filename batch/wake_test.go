package batch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// cursor is where the wake stream stands.
func (r *run) cursor() string {
	r.t.Helper()
	entries, err := r.rdb.XRevRangeN(r.ctx, r.q.Keys().Wake(), "+", "-", 2).Result()
	r.must(err)
	if len(entries) != 1 {
		r.t.Fatalf("the wake stream has %d entries", len(entries))
	}
	return entries[0].ID
}

// The wake stream moves when somebody should look again, and only then.
func TestWakes(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb, func(o *batch.Options) { o.Retries = 1 })
		w, idle := r.join("w"), r.join("idle")
		for _, step := range []struct {
			name  string
			wakes bool
			do    func()
		}{
			{"first tests", true, func() { r.enqueue(ids("a b c d")...) }},
			{"the same tests", false, func() { r.enqueue(ids("a b c d")...) }},
			{"seal", true, func() { r.must(r.q.Seal(r.ctx, 4)) }},
			{"seal again", false, func() { r.must(r.q.Seal(r.ctx, 4)) }},
			{"join", false, func() { r.join("another") }},
			{"claim", false, func() { w.claim(1) }},
			{"claim of nothing new", false, func() { r.must(r.again(r.last())) }},
			{"beat", false, func() { w.beat(1, "a") }},
			{"start", false, func() { w.report(1, start("a")) }},
			{"failure that is retried", true, func() { w.report(1, finish("a", batch.Failed)) }},
			{"settle of an empty batch", false, func() { w.settle(1, batch.Requeue) }},
			{"hand-back", true, func() { w.claim(1); w.settle(2, batch.HandBack) }},
			{"left over", true, func() { w.claim(1); w.settle(3, batch.Requeue) }},
			{"given back by a beat", true, func() { w.claim(1); w.beat(4) }},
			{"empty batch again", false, func() { w.settle(4, batch.Requeue) }},
			{"a pass among others", false, func() { w.runs(1, batch.Passed); w.runs(1, batch.Passed) }},
			{"reap", true, func() { idle.claim(1); idle.reaped() }},
			{"another pass", false, func() { w.runs(1, batch.Passed) }},
			{"the last result", true, func() { w.report(8, finish(w.claim(1).IDs()[0], batch.Passed)) }},
			{"finish that is refused", false, func() { r.finish(batch.IsBusy) }},
			{"the last batch, so that finish is tried again", true, func() { w.settle(8, batch.Requeue) }},
			{"done", true, func() { r.finish(batch.IsDone) }},
			{"done again", false, func() { r.finish(batch.IsDone) }},
			{"leave", false, func() { r.must(w.Leave(r.ctx, "over")) }},
		} {
			before := r.cursor()
			step.do()
			if moved := r.cursor() != before; moved != step.wakes {
				r.look()
				t.Fatalf("%s: wakes: %v, want %v; now %+v", step.name, moved, step.wakes, r.seen)
			}
		}
	})
}

// Whoever waits from the cursor of an answer misses nothing that came between the two, and learns how the run stands.
func TestWait(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		w := r.join("w")
		w.claim(1)
		c, err := r.join("idle").Claim(r.ctx, 1, true)
		r.must(err)
		_, err = r.q.Abort(r.ctx, batch.Abortion{Why: "why", Who: "who"})
		r.must(err)
		got, err := r.q.Wait(r.ctx, c.Cursor, time.Minute)
		r.must(err)
		if got.Cursor != r.cursor() || got.Markers != (batch.Markers{Sealed: true, Aborted: true}) {
			t.Errorf("got %+v", got)
		}

		// Nothing more comes: the wait ends by itself, and says so.
		again, err := r.q.Wait(r.ctx, got.Cursor, 0)
		r.must(err)
		if again.Cursor != got.Cursor {
			t.Errorf("got %+v, want the old cursor %s", again, got.Cursor)
		}

		// Somebody waits already.
		type answer struct {
			batch.Answer
			error
		}
		woken := make(chan answer)
		go func() {
			a, err := r.q.Wait(r.ctx, got.Cursor, time.Minute)
			woken <- answer{a, err}
		}()
		w.settle(1, batch.HandBack)
		if a := <-woken; a.error != nil || a.Cursor != r.cursor() {
			t.Errorf("got %+v", a)
		}

		// Its caller gives up.
		ctx, cancel := context.WithCancel(r.ctx)
		go func() {
			a, err := r.q.Wait(ctx, r.cursor(), time.Minute)
			woken <- answer{a, err}
		}()
		cancel()
		w.settle(1, batch.HandBack)
		r.must(w.Leave(r.ctx, ""))
		if a := <-woken; !errors.Is(a.error, context.Canceled) {
			t.Errorf("got %+v, want the context's error", a)
		}
	})
}
