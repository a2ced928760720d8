package batch_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// timed makes tests t00, t01, … of so many seconds each; 0: unknown.
func timed(seconds ...float64) []batch.Test {
	tests := make([]batch.Test, len(seconds))
	for i, s := range seconds {
		tests[i] = batch.Test{ID: fmt.Sprintf("t%02d", i), Seconds: s}
	}
	return tests
}

// alike are n tests of so many seconds.
func alike(n int, seconds float64) []batch.Test {
	return timed(slices.Repeat([]float64{seconds}, n)...)
}

// timedRun is newRun of tests with durations.
func timedRun(t *testing.T, rdb *redis.Client, workers int, startup time.Duration, tests []batch.Test) *run {
	t.Helper()
	r := openRun(t, rdb, func(o *batch.Options) { o.ExpectWorkers, o.Startup = workers, startup })
	_, err := r.q.Enqueue(r.ctx, tests)
	r.must(err)
	r.must(r.q.Seal(r.ctx, len(tests)))
	r.look()
	return r
}

// takes claims and returns how many tests there are in the batch, which stays open.
func (w *worker) takes() int { w.r.t.Helper(); return len(w.claim(batch.MostTests).Tests) }

// passes reports the whole batch as passed and settles it.
func (w *worker) passes(b batch.Batch) {
	w.r.t.Helper()
	var events []batch.Event
	for _, id := range b.IDs() {
		events = append(events, finish(id, batch.Passed))
	}
	w.report(b.Number, events...)
	w.settle(b.Number, batch.Requeue)
}

// Where the start of a runner is dear, each worker takes its fair share at once, and the last one what is left.
func TestShareOfDearStarts(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 4, time.Hour, alike(41, 1))
		var got []int
		for range 5 {
			got = append(got, r.join("w").takes())
		}
		if diff := cmp.Diff([]int{10, 10, 10, 11, 0}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// An only worker waits for nobody: it takes all at once.
func TestShareOfOneWorker(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		if n := timedRun(t, rdb, 1, 10*time.Millisecond, alike(40, 1)).join("w").takes(); n != 40 {
			t.Errorf("it takes %d of 40 tests", n)
		}
	})
}

// Where it is cheap, they take less than a fair share of what is left, and less and less.
func TestShareOfCheapStarts(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 2, 0, alike(60, 1))
		one, two := r.join("one"), r.join("two")
		first := one.claim(100)
		if n := len(first.Tests); n < 15 || n >= 30 {
			t.Errorf("the first share has %d of 60 tests", n)
		}
		if n := two.takes(); n != len(first.Tests) {
			t.Errorf("the second one has %d, the first %d", n, len(first.Tests))
		}
		one.passes(first)
		last := len(first.Tests)
		for {
			b := one.claim(100)
			if len(b.Tests) == 0 {
				break
			}
			if len(b.Tests) > last {
				t.Errorf("after a batch of %d tests one of %d", last, len(b.Tests))
			}
			last = len(b.Tests)
			one.passes(b)
		}
		if r.look(); len(r.seen.Queue) > 0 {
			t.Errorf("%q are left", r.seen.Queue)
		}
	})
}

// A batch ends within a fair share even with bad luck, which counts the more the cheaper a start is: one long test comes with
// little else, many short ones, among which luck evens out, make up nearly a whole share.
func TestShareAllowsForBadLuck(t *testing.T) {
	for startup, want := range map[time.Duration][]int{0: {1, 67}, 500 * time.Millisecond: {2, 70}, 2 * time.Second: {25, 76}} {
		t.Run(startup.String(), func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := timedRun(t, rdb, 2, startup, append(timed(10), alike(101, 0.2)[1:]...)) // 30 s
				got := []int{r.join("long").takes(), r.join("short").takes()}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// A later batch is worth a part of a start at least: many tests that take next to nothing do not come one by one.
func TestShareIsWorthItsStart(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 2, 0, alike(60, 0.001))
		w := r.join("w")
		w.passes(w.claim(100))
		w.Startup = 50 * time.Millisecond // a fifth of it is worth ten tests
		if n := w.takes(); n < 8 {
			t.Errorf("a later batch has %d tests", n)
		}
	})
}

// Of what has no result a worker takes 80 % of a fair share when it had its first one, and so does a worker that comes when
// all expected ones had theirs.
func TestShareOfTheRest(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 2, time.Millisecond, alike(2000, 0.01))
		takesPart := func(w *worker) {
			t.Helper()
			r.look()
			fair := len(r.seen.Queue) / 2
			b := w.claim(batch.MostTests)
			if n := len(b.Tests); n < fair*7/10 || n > fair*8/10 {
				t.Errorf("%d tests of a fair share of %d", n, fair)
			}
			w.passes(b)
		}
		for _, name := range []string{"one", "two"} {
			w := r.join(name)
			w.passes(w.claim(batch.MostTests))
			takesPart(w)
			r.must(w.Leave(r.ctx, ""))
		}
		takesPart(r.join("three"))
	})
}

// What a worker hands back is for all: the last of the expected workers does not take it besides its own share.
func TestShareAfterHandBack(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 4, time.Hour, alike(40, 1))
		stopped := r.join("stopped")
		stopped.takes()
		stopped.settle(1, batch.HandBack)
		r.must(stopped.Leave(r.ctx, ""))
		var got []int
		for range 3 {
			got = append(got, r.join("w").takes())
		}
		if diff := cmp.Diff([]int{10, 10, 10}, got); diff != "" {
			t.Error(diff)
		}
		if n := r.join("replacement").takes(); n < 1 || n > 10 {
			t.Errorf("the replacement takes %d tests", n)
		}
	})
}

// A worker that comes when most is done takes a share of what is left, whether luck counts or not.
func TestShareOfLateWorker(t *testing.T) {
	for _, startup := range []time.Duration{0, 2 * time.Second} {
		t.Run(startup.String(), func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := timedRun(t, rdb, 4, startup, alike(100, 1))
				for range 3 {
					w := r.join("w")
					w.passes(w.claim(100))
				}
				r.look()
				left := len(r.seen.Queue)
				if n := r.join("late").takes(); n < 1 || n > left/3 {
					t.Errorf("it takes %d of the %d tests that are left", n, left)
				}
			})
		})
	}
}

// Tests of unknown duration are spread over the workers, and a claim never comes back without tests while there are any.
func TestShareOfUnknown(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 4, time.Hour, slices.Concat(timed(0, 0, 0, 0, 0, 0, 0, 0)[:8], func() []batch.Test {
			tests := alike(32, 1)
			for i := range tests {
				tests[i].ID = "known " + tests[i].ID
			}
			return tests
		}()))
		for range 4 {
			unknown := 0
			for _, id := range r.join("w").claim(100).IDs() {
				if id[0] == 't' {
					unknown++
				}
			}
			if unknown != 2 {
				t.Errorf("a worker has %d of the 8 tests of unknown duration", unknown)
			}
		}
	})
}

// A first share leaves tests out between those that it takes, but not when what it finds first is none of the run's any more.
func TestShareIsDealt(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 10, time.Hour, alike(40, 1))
		w := r.join("w")
		if diff := cmp.Diff(ids("t00 t02 t04 t06"), w.claim(100).IDs()); diff != "" {
			t.Error(diff)
		}
		w.settle(1, batch.HandBack)
		other := r.join("w")
		r.must(rdb.LPush(r.ctx, r.q.Keys().Queue(), "stranger").Err())
		if diff := cmp.Diff(ids("t00 t01 t04"), other.claim(100).IDs()); diff != "" { // what it drops counts towards its time
			t.Error(diff)
		}
	})
}

// A group is claimed as a whole, whatever the most tests and the time, also when it was handed back among others, by a
// settlement or a beat.
func TestShareOfGroups(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		tests := timed(slices.Repeat([]float64{1}, 12)...)
		for i := range tests {
			tests[i].Group = []string{"x", "y", ""}[i%3] // so that the order of ids mixes them
		}
		slices.SortStableFunc(tests, func(a, b batch.Test) int { return len(b.Group) - len(a.Group) })
		slices.SortStableFunc(tests[:8], func(a, b batch.Test) int { return int(a.Group[0]) - int(b.Group[0]) })
		r := timedRun(t, rdb, 12, 0, tests)
		x, y := ids("t00 t03 t06 t09"), ids("t01 t04 t07 t10")

		w := r.join("w")
		b := w.claim(1)
		if diff := cmp.Diff(x, b.IDs()); diff != "" {
			t.Fatal(diff)
		}
		w.settle(1, batch.HandBack)
		w.Startup = time.Hour // and so it takes all
		if n := len(w.claim(100).Tests); n != len(tests) {
			t.Fatalf("%d of %d tests", n, len(tests))
		}
		w.beat(2, "t00")
		w.settle(2, batch.HandBack)
		r.look()
		if diff := cmp.Diff(slices.Concat(x, y, ids("t02 t05 t08 t11")), r.seen.Queue); diff != "" {
			t.Fatalf("handed back:\n%s", diff)
		}
		if diff := cmp.Diff(x, r.join("w").claim(1).IDs()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(y, r.join("w").claim(1).IDs()); diff != "" {
			t.Error(diff)
		}
	})
}

// counters are what the run keeps for its shares.
func (r *run) counters() map[string]string {
	counters := map[string]string{}
	for _, name := range []string{"known", "known_us", "known_ms2", "left_us", "left_unknown", "shares", "shares_us"} {
		counters[name] = r.rdb.HGet(r.ctx, r.q.Keys().Run(), name).Val()
	}
	return counters
}

func TestShareCounters(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := timedRun(t, rdb, 2, time.Hour, timed(3, 2, 1, 0))
		want := map[string]string{"known": "3", "known_us": "6000000", "known_ms2": "14000000", "left_us": "6000000", "left_unknown": "1", "shares": "", "shares_us": ""}
		compare := func() {
			t.Helper()
			if diff := cmp.Diff(want, r.counters()); diff != "" {
				t.Error(diff)
			}
		}
		compare()
		w := r.join("w")
		b := w.claim(100) // 8 s in all, as the mean is 2
		want["shares"], want["shares_us"] = "1", "4000000"
		compare()
		r.must(r.again(r.last()))
		compare()
		if diff := cmp.Diff(ids("t00 t02"), b.IDs()); diff != "" {
			t.Fatal(diff)
		}
		w.report(1, finish("t00", batch.Passed), finish("t00", batch.Passed), finish("t02", batch.Failed))
		r.must(r.again(r.last()))
		want["left_us"] = "2000000"
		compare()
		r.join("other").report(batch.NoBatch, finish("t03", batch.Passed)) // a late result, of a test that nobody holds
		want["left_unknown"] = "0"
		compare()
		if _, err := r.q.Enqueue(r.ctx, timed(3, 2, 1, 0)); err != nil { // again
			t.Fatal(err)
		}
		compare()
	})
}

// Counters that are off change how many tests a claim takes, and nothing else.
func TestShareWithDrift(t *testing.T) {
	for name, drift := range map[string]map[string]any{
		"everything is done":   {"left_us": 0, "left_unknown": 0},
		"more than everything": {"left_us": -5_000_000, "left_unknown": -7, "shares": 99, "shares_us": "999999999999"},
		"nothing is known":     {"known": 0, "known_us": 0},
		"more than the list":   {"known": 1000, "known_us": 1, "shares_us": "8999999999999999999"},
		"nothing was listed":   {"known_us": 0, "known_ms2": 0, "left_us": 0},
		"far too much":         {"known_us": "9000000000000000000", "known_ms2": "9000000000000000000", "left_us": "9000000000000000000"},
		"gone":                 nil,
	} {
		t.Run(name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := timedRun(t, rdb, 3, time.Second, timed(9, 7, 5, 3, 0, 2, 1, 0.5, 0.1))
				if drift == nil {
					r.must(rdb.Del(r.ctx, r.q.Keys().Expected()).Err())
				} else {
					r.must(rdb.HSet(r.ctx, r.q.Keys().Run(), drift).Err())
				}
				workers := []*worker{r.join("a"), r.join("b")}
				for n := 0; ; n++ {
					b := workers[n%2].claim(5)
					if len(b.Tests) == 0 {
						break
					}
					workers[n%2].passes(b)
				}
				progress, err := r.q.Finish(r.ctx, nil, false)
				if err != nil || progress != batch.IsDone {
					t.Errorf("the run is %s, error %v", progress, err)
				}
			})
		})
	}
}

// Durations beyond all reason are no reason for a run to fail.
func TestShareOfAbsurdDurations(t *testing.T) {
	for _, seconds := range []float64{1e-9, 1e7, 1.7e12, 1e300, math.Inf(1), math.NaN(), -1, math.Inf(-1)} {
		t.Run(strings.ReplaceAll(fmt.Sprint(seconds), "+", ""), func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := timedRun(t, rdb, 1, time.Second, append(alike(1500, seconds), batch.Test{ID: "short", Seconds: 1}))
				w := r.join("w")
				for {
					b := w.claim(1600)
					if len(b.Tests) == 0 {
						break
					}
					w.passes(b)
				}
				progress, err := r.q.Finish(r.ctx, nil, false)
				if err != nil || progress != batch.IsDone {
					t.Errorf("the run is %s, error %v", progress, err)
				}
			})
		})
	}
}

// Long lists are walked through in pieces: nothing is lost or doubled, and the order of what stays is kept.
func TestShareOfLongLists(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		tests := make([]batch.Test, 6000)
		for i := range tests {
			tests[i] = batch.Test{ID: fmt.Sprintf("t%04d", i), Seconds: float64(6000 - i)}
		}
		r := timedRun(t, rdb, 50, 0, tests)
		w := r.join("w")
		b := w.claim(3)
		if len(b.Tests) != 3 {
			t.Errorf("%q", b.IDs())
		}
		r.look()
		if !slices.IsSorted(r.seen.Queue) || len(r.seen.Queue) != 5997 {
			t.Errorf("%d tests are left, in order: %v", len(r.seen.Queue), slices.IsSorted(r.seen.Queue))
		}
	})
}
