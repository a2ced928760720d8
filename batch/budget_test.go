package batch_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// Each row is a test that is run again and again until it has a result, with everything that Redis made of it. A finish
// under a status; "vanish" is a worker that is reaped while it runs the test; "left over" a batch settled without it.
func TestBudgets(t *testing.T) {
	const vanish, leftOver batch.Status = "vanish", "left over"
	for _, c := range []struct {
		name   string
		change func(*batch.Options)
		runs   []batch.Status
		result batch.Status
		tries  batchtest.Tries
	}{
		{"pass", nil, []batch.Status{batch.Passed}, batch.Passed, batchtest.Tries{Claims: 1}},
		{"no retries", nil, []batch.Status{batch.Failed}, batch.Failed, batchtest.Tries{Claims: 1, Failures: 1}},
		{"retries", func(o *batch.Options) { o.Retries = 2 }, []batch.Status{batch.Failed, batch.Failed, batch.Failed},
			batch.Failed, batchtest.Tries{Claims: 3, Failures: 3}},
		{"flaky", func(o *batch.Options) { o.Retries = 2 }, []batch.Status{batch.Failed, batch.Failed, batch.Passed},
			batch.Passed, batchtest.Tries{Claims: 3, Failures: 2}},
		{"skipped after a failure", func(o *batch.Options) { o.Retries = 2 }, []batch.Status{batch.Failed, batch.Skipped},
			batch.Skipped, batchtest.Tries{Claims: 2, Failures: 1}},
		{"crashes", nil, []batch.Status{batch.Crashed, batch.Crashed}, batch.Crashed, batchtest.Tries{Claims: 2, Crashes: 2}},
		{"time-out", nil, []batch.Status{batch.Crashed, batch.Timeout}, batch.Timeout, batchtest.Tries{Claims: 2, Crashes: 2}},
		{"innocent of one crash", nil, []batch.Status{batch.Crashed, batch.Passed}, batch.Passed, batchtest.Tries{Claims: 2, Crashes: 1}},
		{"never executed", nil, []batch.Status{leftOver, batch.Unexecuted, batch.Unexecuted}, batch.Lost,
			batchtest.Tries{Claims: 3, Crashes: 2}},
		{"losses", nil, []batch.Status{vanish, vanish, vanish}, batch.Lost, batchtest.Tries{Claims: 3, Losses: 3}},
		{"separate budgets", func(o *batch.Options) { o.Retries = 1 },
			[]batch.Status{vanish, batch.Failed, batch.Crashed, vanish, batch.Passed}, batch.Passed,
			batchtest.Tries{Claims: 5, Losses: 2, Failures: 1, Crashes: 1}},
		{"claims", nil, slices.Repeat([]batch.Status{leftOver}, 10), batch.Lost, batchtest.Tries{Claims: 10}},
		{"claims spent by a failure", func(o *batch.Options) { o.Retries, o.MaxClaims = 5, 3 },
			[]batch.Status{batch.Failed, batch.Failed, batch.Failed}, batch.Failed, batchtest.Tries{Claims: 3, Failures: 3}},
		{"claims spent by a crash", func(o *batch.Options) { o.MaxClaims = 2 },
			[]batch.Status{leftOver, batch.Crashed}, batch.Crashed, batchtest.Tries{Claims: 2, Crashes: 1}},
		{"claims spent by a loss", func(o *batch.Options) { o.MaxClaims = 2 },
			[]batch.Status{vanish, vanish}, batch.Lost, batchtest.Tries{Claims: 2, Losses: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := newRun(t, rdb, ids("a"), func(o *batch.Options) {
					if c.change != nil {
						c.change(o)
					}
				})
				var last string
				for n, status := range c.runs {
					r.look()
					if r.seen.Results["a"] != "" {
						t.Fatalf("the result is %s after %v", r.seen.Results["a"], c.runs[:n])
					}
					w := r.join("w")
					last = w.name
					b := w.claim(1)
					batchSummary{1, n > 0, ids("a")}.diff(t, b)
					switch status {
					case vanish:
						w.report(1, start("a"))
						w.reaped()
						continue
					case leftOver:
					default:
						w.report(1, start("a"), finish("a", status))
					}
					w.settle(1, batch.Requeue)
					r.must(w.Leave(r.ctx, "over"))
				}
				r.expect(func(d *batchtest.Dump) {
					d.Workers, d.Sets, d.Requeue, d.Queue = nil, nil, nil, nil
					d.Results = map[string]string{"a": string(c.result)}
					c.tries.Worker = last
					d.Tries = map[string]batchtest.Tries{"a": c.tries}
				})
				var want []string
				for n, status := range c.runs {
					decision := map[bool]batch.Decision{true: batch.Final, false: batch.Requeued}[n == len(c.runs)-1]
					if status != vanish && status != leftOver {
						want = append(want, fmt.Sprintf("a %s %s", status, decision))
					}
				}
				if diff := cmp.Diff(want, r.decisions()); diff != "" {
					t.Errorf("journal (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Only what was at fault pays: those that were claimed together with it go to the requeue as they were.
func TestBatchMatesAreNotCharged(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f"))
		w := r.join("w")
		w.claim(3)
		r.look()
		w.report(1, start("a"), finish("a", batch.Crashed))
		w.settle(1, batch.Requeue)
		r.expect(func(d *batchtest.Dump) {
			d.Requeue = ids("a b c")
			delete(d.Sets, "w")
			edit(d.Workers, "w", func(w *batchtest.Worker) { w.Report, w.Open = 1, false })
			edit(d.Tries, "a", func(t *batchtest.Tries) { t.Crashes = 1 })
			for _, id := range ids("a b c") {
				edit(d.Tries, id, func(t *batchtest.Tries) { t.Held = false })
			}
		})
	})
}
