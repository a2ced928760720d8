package batch_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// halfRun is a run of which a passed, b failed for good, c waits to run alone, d is held and e and f are queued.
func halfRun(t *testing.T, rdb *redis.Client) (r *run, w *worker) {
	r = newRun(t, rdb, ids("a b c d e f"))
	w = r.join("w")
	b := w.claim(3)
	w.report(b.Number, finish("a", batch.Passed), finish("b", batch.Failed))
	w.settle(b.Number, batch.Requeue)
	w.claim(1)
	r.look()
	return r, w
}

// finals are the events of the tests that have a result, as a controller knows them from the journal.
func (r *run) finals() [][]batch.Event {
	byTest := map[string][]batch.Event{}
	for _, e := range r.journal() {
		if e.Type == batch.Finish {
			byTest[e.Test] = append(byTest[e.Test], e)
		}
	}
	return [][]batch.Event{byTest["a"], byTest["b"]}
}

func (r *run) audit(want int) {
	r.t.Helper()
	got, err := r.q.Audit(r.ctx)
	r.must(err)
	if got != want {
		r.t.Errorf("the audit found %d tests, want %d", got, want)
	}
}

// Whichever of these keys Redis evicts, an audit queues again what is nowhere, and the run goes on.
func TestAudit(t *testing.T) {
	for _, c := range []struct {
		name string
		key  func(r *run, w *worker) string
		want int
		then func(d *batchtest.Dump)
	}{
		{"queue", func(r *run, _ *worker) string { return r.q.Keys().Queue() }, 2, func(*batchtest.Dump) {}},
		{"requeue", func(r *run, _ *worker) string { return r.q.Keys().Requeue() }, 1, func(*batchtest.Dump) {}},
		{"set", func(r *run, w *worker) string { return r.q.Keys().Worker(w.ID()) }, 1, func(d *batchtest.Dump) {
			delete(d.Sets, "w")
			d.Requeue = ids("c d")
			edit(d.Tries, "d", func(t *batchtest.Tries) { t.Held = false })
		}},
		{"results", func(r *run, _ *worker) string { return r.q.Keys().Results() }, 2, func(d *batchtest.Dump) {
			clear(d.Results)
			d.Requeue = ids("c a b")
			delete(d.Tries, "b")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r, w := halfRun(t, rdb)
				r.must(rdb.Del(r.ctx, c.key(r, w)).Err())
				r.finish(batch.IsUneven)
				r.audit(c.want)
				r.expect(c.then)
				r.audit(0)
				r.same()
				r.finish(batch.IsBusy)
			})
		})
	}
	t.Run("two places", func(t *testing.T) {
		batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
			r, w := halfRun(t, rdb)
			r.must(rdb.RPush(r.ctx, r.q.Keys().Queue(), "a", "d", "e", "stranger").Err())
			r.must(rdb.SAdd(r.ctx, r.q.Keys().Worker(w.ID()), "b").Err())
			r.finish(batch.IsUneven)
			r.audit(0)
			r.same()
		})
	})
}

// Without the tries, what is in a set is still known to be held.
func TestAuditOfTries(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r, _ := halfRun(t, rdb)
		r.must(rdb.Del(r.ctx, r.q.Keys().Tries()).Err())
		r.audit(0)
		r.expect(func(d *batchtest.Dump) {
			d.Tries = map[string]batchtest.Tries{"d": {Worker: "w", Held: true}}
		})
	})
}

func TestAuditAfterTheEnd(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r, _ := halfRun(t, rdb)
		_, err := r.q.Abort(r.ctx, batch.Abortion{Why: "why", Who: "who"})
		r.must(err)
		r.must(rdb.Del(r.ctx, r.q.Keys().Queue(), r.q.Keys().Requeue()).Err())
		r.audit(0)
	})
}

// Only what was final comes back, and what was decided without an execution, wherever the tests are now.
func TestRestore(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r, _ := halfRun(t, rdb)
		event := func(test string, status batch.Status, decision batch.Decision) batch.Event {
			e := finish(test, status)
			e.Decision = decision
			return e
		}
		lost := batch.Event{Type: batch.Resulted, Test: "f", Outcome: batch.Outcome{Status: batch.Lost}}
		known := [][]batch.Event{
			{event("c", batch.Failed, batch.Requeued)},
			{event("d", batch.Failed, batch.Requeued), event("d", batch.Passed, batch.Final)},
			{lost},
			{event("stranger", batch.Passed, batch.Final)},
		}
		if n, err := r.q.Restore(r.ctx, known); err != nil || n != 2 {
			t.Errorf("restored %d results, error %v, want 2", n, err)
		}
		r.expect(func(d *batchtest.Dump) {
			delete(d.Sets, "w")
			edit(d.Tries, "d", func(t *batchtest.Tries) { t.Held = false })
			d.Tries["f"] = batchtest.Tries{}
			d.Queue = ids("e")
			d.Results["d"], d.Results["f"] = "passed", "lost"
		})
	})
}

// Somebody who knows no results has queued tests again that had one, and one of them is held by now: whoever knows the results
// brings them back, and what the holder says of it is late.
func TestRestoreAfterAudit(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r, w := halfRun(t, rdb)
		known := r.finals()
		r.must(rdb.Del(r.ctx, r.q.Keys().Results()).Err())
		r.audit(2)
		w.settle(2, batch.HandBack)
		other := r.join("other")
		b := other.claim(1)
		for ; b.IDs()[0] != "a"; b = other.claim(1) {
			other.report(b.Number, finish(b.IDs()[0], batch.Passed))
			other.settle(b.Number, batch.Requeue)
		}
		if n, err := r.q.Restore(r.ctx, known); err != nil || n != 2 {
			t.Errorf("restored %d results, error %v, want 2", n, err)
		}
		r.look()
		other.report(b.Number, finish("a", batch.Failed))
		other.settle(b.Number, batch.Requeue)
		r.look()
		want := map[string]string{"a": "passed", "b": "failed", "c": "passed", "d": "passed", "e": "passed", "f": "passed"}
		if diff := cmp.Diff(want, r.seen.Results); diff != "" {
			t.Error("results (-want +got):\n" + diff)
		}
		r.finish(batch.IsDone)
	})
}

// A run that was lost, or of which a part was lost without which it means nothing, is opened anew under the same birth; what
// its controller knows comes back, and what the workers know.
func TestReopen(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(r *run) error
	}{
		{"all", func(r *run) error { _, err := batch.Clean(r.ctx, r.rdb, r.q.RunID()); return err }},
		{"the list", func(r *run) error { return r.rdb.Del(r.ctx, r.q.Keys().Tests()).Err() }},
		{"the markers", func(r *run) error { return r.rdb.Del(r.ctx, r.q.Keys().Control()).Err() }},
		{"the workers and the list", func(r *run) error { return r.rdb.Del(r.ctx, r.q.Keys().Workers(), r.q.Keys().Tests()).Err() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r, w := halfRun(t, rdb)
				known, old := r.finals(), r.q
				r.must(c.lose(r))
				if _, err := r.q.Finish(r.ctx, nil, false); !errors.Is(err, batch.Gone) {
					t.Fatalf("finish: %v, want Gone", err)
				}
				again, err := r.q.Reopen(r.ctx)
				r.must(err)
				if again.Birth() != r.q.Birth() {
					t.Errorf("it was born anew")
				}
				second, err := r.q.Reopen(r.ctx) // another controller, or this one again
				r.must(err)
				r.q = again
				_, err = second.Enqueue(r.ctx, asTests(ids("a b c d e f")...))
				r.must(err)
				for _, want := range []int{2, 0} {
					if n, err := again.Restore(r.ctx, known); err != nil || n != want {
						t.Errorf("restored %d results, error %v, want %d", n, err, want)
					}
				}
				r.must(again.Seal(r.ctx, 6))
				r.look()
				if diff := cmp.Diff(map[string]string{"a": "passed", "b": "failed"}, r.seen.Results); diff != "" {
					t.Errorf("results (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(ids("c d e f"), r.seen.Queue); diff != "" {
					t.Errorf("queue (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"a passed final", "b failed final"}, r.decisions()); diff != "" {
					t.Errorf("journal (-want +got):\n%s", diff)
				}

				// The worker is told, and joins anew. What it finished and Redis lacks, it tells again.
				_, err = w.Beat(r.ctx, 2, ids("d"))
				r.refused(err, batch.OtherEpoch)
				found, err := w.r.q.Reattach(r.ctx)
				r.must(err)
				lacking, err := found.Lacking(r.ctx, ids("a d stranger"))
				r.must(err)
				if diff := cmp.Diff(ids("d"), lacking); diff != "" {
					t.Errorf("lacking (-want +got):\n%s", diff)
				}
				anew := r.join("w")
				anew.report(batch.NoBatch, finish("d", batch.Passed))
				anew.runs(3, batch.Passed)
				anew.runs(1, batch.Passed)
				anew.runs(1, batch.Passed)
				r.finish(batch.IsDone)
				if _, err := old.Reopen(r.ctx); !errors.Is(err, batch.Ended) {
					t.Errorf("opened again after the end: %v", err)
				}
			})
		})
	}
}

// Who knows a run does not take another of its id for it.
func TestReplaced(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r, _ := halfRun(t, rdb)
		_, err := batch.Clean(r.ctx, rdb, r.q.RunID())
		r.must(err)
		if _, err := r.q.Reattach(r.ctx); !errors.Is(err, batch.Gone) {
			t.Errorf("attach: %v, want Gone", err)
		}
		_, err = batch.Open(r.ctx, rdb, r.q.RunID(), "digest", batch.DefaultOptions())
		r.must(err)
		if _, err := r.q.Reattach(r.ctx); !errors.Is(err, batch.Replaced) {
			t.Errorf("attach: %v, want Replaced", err)
		}
		if _, err := r.q.Reopen(r.ctx); !errors.Is(err, batch.Replaced) {
			t.Errorf("open: %v, want Replaced", err)
		}
	})
}

// A failover takes Redis back to where it was before: the worker notices by its numbers, hands back and joins anew.
func TestRewound(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		w.claim(2)
		w.report(1, finish("a", batch.Passed))
		names, err := rdb.Keys(r.ctx, r.q.Keys().Prefix()+"*").Result()
		r.must(err)
		before := takeSnapshot(r.ctx, rdb, names)
		w.report(1, finish("b", batch.Passed))
		w.settle(1, batch.Requeue)
		w.claim(1)
		_, err = batch.Clean(r.ctx, rdb, r.q.RunID())
		r.must(err)
		before.restore(r.ctx, rdb)
		r.look()
		_, err = w.Report(r.ctx, 2, []batch.Event{finish("c", batch.Passed)})
		if !errors.Is(err, batch.Rewound) {
			t.Fatalf("report: %v, want Rewound", err)
		}
		r.must(w.Leave(r.ctx, "Redis lost writes"))
		lacking, err := r.q.Lacking(r.ctx, ids("a b"))
		r.must(err)
		if diff := cmp.Diff(ids("b"), lacking); diff != "" {
			t.Errorf("lacking (-want +got):\n%s", diff)
		}
		anew := r.join("w")
		anew.report(batch.NoBatch, finish("b", batch.Passed))
		r.look()
		if diff := cmp.Diff(map[string]string{"a": "passed", "b": "passed", "c": "passed"}, r.seen.Results); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
	})
}

// Within a batch the worker notices by the number of its reports.
func TestRewoundReport(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		w.claim(2)
		names, err := rdb.Keys(r.ctx, r.q.Keys().Prefix()+"*").Result()
		r.must(err)
		before := takeSnapshot(r.ctx, rdb, names)
		w.report(1, finish("a", batch.Passed))
		_, err = batch.Clean(r.ctx, rdb, r.q.RunID())
		r.must(err)
		before.restore(r.ctx, rdb)
		if _, err = w.Settle(r.ctx, 1, batch.Requeue); !errors.Is(err, batch.Rewound) {
			t.Errorf("settle: %v, want Rewound", err)
		}
	})
}
