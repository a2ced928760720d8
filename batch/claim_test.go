package batch_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// claimed changes a state to one where a worker has claimed a batch of tests.
func claimed(d *batchtest.Dump, name string, number int64, alone bool, tests ...string) {
	edit(d.Workers, name, func(w *batchtest.Worker) { w.Batch, w.Open, w.Alone = number, true, alone })
	d.Sets[name] = tests
	for _, id := range tests {
		edit(d.Tries, id, func(t *batchtest.Tries) { t.Claims++; t.Worker = name; t.Held = true })
	}
}

// batchSummary is a batch as tests compare it.
type batchSummary struct {
	Number int
	Alone  bool
	IDs    []string
}

func (b batchSummary) diff(t *testing.T, got batch.Batch) {
	t.Helper()
	if diff := cmp.Diff(b, batchSummary{got.Number, got.Alone, got.IDs()}); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
}

func TestClaim(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("d c b a e f g h"))
		w := r.join("w")
		batchSummary{1, false, ids("b c d")}.diff(t, w.claim(3)) // ordered by id
		r.expect(func(d *batchtest.Dump) {
			d.Queue = ids("a e f g h")
			claimed(d, "w", 1, false, "b", "c", "d")
		})

		// Its answer was lost: the raw request again, and under the next number only when it is settled.
		r.must(r.again(r.last()))
		r.same()
		r.must(r.raw("claim", []*worker{w}, w.ID(), 1, 100, "1"))
		r.same()
		_, err := w.Claim(r.ctx, 3, true)
		r.refused(err, batch.Holding)

		w.settle(1, batch.HandBack)
		b := w.claim(1)
		r.look()
		batchSummary{2, false, ids("b")}.diff(t, b) // handed back in the order of ids
		if err := r.raw("claim", []*worker{w}, w.ID(), 1, 3, "1"); !redis.HasErrorPrefix(err, "STALE") {
			t.Errorf("got error %v for a lower number, want STALE", err)
		}
		r.same()
	})
}

// A client whose first answer was lost gets the same batch by calling Claim again.
func TestClaimAnswersAgain(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		r.must(r.raw("claim", []*worker{w}, w.ID(), 1, 2, "0"))
		r.look()
		batchSummary{1, false, ids("a b")}.diff(t, w.claim(1))
		r.same()

		// The same of a claim from the requeue, although the queue holds tests again by then.
		w.report(1, finish("b", batch.Passed))
		w.settle(1, batch.Requeue)
		w.runs(1, batch.Passed)
		w.runs(1, batch.Passed)
		r.must(r.raw("claim", []*worker{w}, w.ID(), 4, 9, "1"))
		r.look()
		batchSummary{4, true, ids("a")}.diff(t, w.claim(9))
		r.same()

		// A late result took the test out before the claim is answered: the batch is to be settled, though it is empty.
		w.settle(4, batch.Requeue)
		r.must(r.raw("claim", []*worker{w}, w.ID(), 5, 9, "1"))
		w.report(batch.NoBatch, finish("a", batch.Passed))
		r.look()
		batchSummary{5, true, []string{}}.diff(t, w.claim(9))
		r.same()
	})
}

func TestClaimShare(t *testing.T) {
	for _, c := range []struct {
		name                  string
		workers, expect, most int
		want                  int
	}{
		{"at most what was asked for", 1, 0, 2, 2},
		{"enough for three more is left", 1, 0, 100, 3},
		{"and for three more of each", 2, 0, 100, 2},
		{"half of what is left", 1, 1, 100, 10},
		{"half of a fair share", 3, 1, 100, 4},
		{"as if all were there", 1, 5, 100, 2},
		{"more came than were expected", 4, 2, 100, 3},
		{"at least one", 1, 100, 100, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := newRun(t, rdb, ids("a b c d e f g h i j k l m n o p q r s t"), func(o *batch.Options) { o.ExpectWorkers = c.expect })
				var w *worker
				for range c.workers {
					w = r.join("w")
				}
				if got := len(w.claim(c.most).Tests); got != c.want {
					t.Errorf("got %d tests of 20, want %d", got, c.want)
				}
			})
		})
	}
}

// Later claims reckon with the workers that are there, whether durations are known or not.
func TestClaimShareLater(t *testing.T) {
	for name, tests := range map[string][]batch.Test{"unknown": alike(42, 0), "known": alike(42, 1)} {
		t.Run(name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				w := timedRun(t, rdb, 0, time.Second, tests).join("w")
				first := w.claim(100)
				w.passes(first)
				later, left := w.takes(), len(tests)-len(first.Tests)
				if 4*len(first.Tests) > len(tests) || 2*later < left {
					t.Errorf("first %d of %d tests, then %d of %d", len(first.Tests), len(tests), later, left)
				}
			})
		})
	}
}

// The requeue comes after the queue, one test at a time.
func TestClaimFromRequeue(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e"))
		one, two := r.join("one"), r.join("two")
		for number := 1; number <= 2; number++ {
			one.claim(1)
			one.settle(number, batch.Requeue)
		}
		for _, want := range ids("c d e") {
			if b := two.runs(100, batch.Passed); b.Alone || !slices.Equal(b.IDs(), ids(want)) {
				t.Errorf("got %v, want %s from the queue", b, want)
			}
		}
		batchSummary{4, true, ids("a")}.diff(t, two.claim(100))
		r.expect(func(d *batchtest.Dump) {
			d.Requeue = ids("b")
			claimed(d, "two", 4, true, "a")
		})
	})
}

// An empty claim leaves its number unused, and nothing else.
func TestClaimOfNothing(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		w := r.join("w")
		for range 2 {
			if b := w.claim(5); b.Number != 0 || len(b.Tests) > 0 {
				t.Errorf("got %v of an empty queue", b)
			}
			r.same()
		}
		r.enqueue("a")
		batchSummary{1, false, ids("a")}.diff(t, w.claim(5))
	})
}

// A worker leaves requeued tests that it ran last to others, unless it is eager or alone.
func TestClaimDefers(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b"), func(o *batch.Options) { o.Retries = 9 })
		one, two := r.join("one"), r.join("two")
		one.runs(1, batch.Failed)
		two.runs(1, batch.Failed)
		claim := func(w *worker, eager bool) batch.Claim {
			t.Helper()
			c, err := w.Claim(r.ctx, 5, eager)
			r.must(err)
			return c
		}
		// Each skips its own, though it is first, and takes the other's.
		batchSummary{2, true, ids("a")}.diff(t, claim(two, false).Batch)
		r.look()
		two.settle(2, batch.Requeue)
		r.look()
		if diff := cmp.Diff(ids("b a"), r.seen.Requeue); diff != "" {
			t.Fatalf("requeue (-want +got):\n%s", diff)
		}
		if c := claim(two, false); !c.Deferred || c.Batch.Number != 0 {
			t.Errorf("got %+v, want the tests that it ran last to be deferred", c)
		}
		r.same()
		batchSummary{2, true, ids("b")}.diff(t, claim(one, false).Batch)
		one.settle(2, batch.Requeue)
		batchSummary{3, true, ids("a")}.diff(t, claim(two, true).Batch)
		two.settle(3, batch.Requeue)
		r.must(two.Leave(r.ctx, ""))
		batchSummary{3, true, ids("b")}.diff(t, claim(one, false).Batch)
	})
}

// Ids that have a result, an owner, or are not in the list are dropped when they are popped, from either list.
func TestClaimDrops(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(map[bool]string{false: "queue", true: "requeue"}[alone], func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := newRun(t, rdb, ids("a b c d e f g h"))
				one, two := r.join("one"), r.join("two")
				done := one.runs(1, batch.Passed).IDs()[0]
				held := one.claim(1).IDs()[0]
				r.look()
				key, rest := r.q.Keys().Queue(), slices.Clone(r.seen.Queue)
				r.must(rdb.Del(r.ctx, key).Err())
				if alone {
					key = r.q.Keys().Requeue()
				}
				r.must(rdb.RPush(r.ctx, key, done, held, "stranger", held, rest[0]).Err()) // as a recovery may have left it

				if b := two.claim(1); b.Alone != alone || !slices.Equal(b.IDs(), rest[:1]) {
					t.Errorf("got %v, want test %s", b, rest[0])
				}
				r.must(rdb.RPush(r.ctx, r.q.Keys().Queue(), rest[1:]).Err())
				r.expect(func(d *batchtest.Dump) {
					d.Queue = rest[1:]
					claimed(d, "two", 1, alone, rest[0])
				})
			})
		})
	}
}

func TestClaimRefusesUnknownSpec(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		r.must(rdb.HSet(r.ctx, r.q.Keys().Tests(), "b", "7 something").Err())
		r.look()
		c, err := w.Claim(r.ctx, 5, true)
		if !errors.Is(err, batch.UnknownSpec) || batch.Transient(err) {
			t.Errorf("got error %v, want SPEC", err)
		}
		if c.Batch.Number != 1 || len(c.Batch.Tests) > 0 {
			t.Errorf("got batch %+v, want only its number", c.Batch)
		}
		w.settle(c.Batch.Number, batch.HandBack)
		r.expect(func(d *batchtest.Dump) {
			edit(d.Workers, "w", func(w *batchtest.Worker) { w.Batch = 1 })
			for _, id := range ids("a b") {
				d.Tries[id] = batchtest.Tries{Worker: "w"}
			}
		})
	})
}

func TestClaimNeedsJoin(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		w := r.join("w")
		w.reaped()
		_, err := w.Claim(r.ctx, 1, true)
		r.refused(err, batch.NotJoined)
		_, err = w.Report(r.ctx, 1, []batch.Event{finish("a", batch.Passed)})
		r.refused(err, batch.NotJoined)
		_, err = w.Settle(r.ctx, 1, batch.Requeue)
		r.refused(err, batch.NotJoined)
		_, err = w.Beat(r.ctx, 1, nil)
		r.refused(err, batch.NotJoined)
	})
}
