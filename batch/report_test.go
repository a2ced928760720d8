package batch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

func TestReport(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d e f g h"))
		w := r.join("w")
		w.claim(4)
		r.look()
		w.report(1, start("c"), start("a"), start("b"), pause("b"))
		r.expect(func(d *batchtest.Dump) {
			edit(d.Workers, "w", func(w *batchtest.Worker) { w.Report = 1; w.Running = "a\nc" })
		})
		for _, status := range []batch.Status{batch.Passed, batch.Failed, batch.Skipped} {
			id := map[batch.Status]string{batch.Passed: "a", batch.Failed: "b", batch.Skipped: "d"}[status]
			w.report(1, finish(id, status))
			r.expect(func(d *batchtest.Dump) {
				finished(d, "w", id, status)
				edit(d.Workers, "w", func(w *batchtest.Worker) { w.Running = "c" })
				edit(d.Tries, id, func(t *batchtest.Tries) {
					if status == batch.Failed {
						t.Failures = 1
					}
				})
			})
		}
		if diff := cmp.Diff([]string{"a passed final", "b failed final", "d skipped final"}, r.decisions()); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// A report number that was seen changes nothing, whether it is the last or an old one, and whatever it says.
func TestReportNumberSeen(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		w.claim(2)
		w.report(1, start("a"))
		first := r.last()
		w.report(1, start("b"), finish("a", batch.Failed))
		r.look()
		events := len(r.journal())
		r.must(r.again(r.last()))
		r.must(r.again(first))
		r.must(r.raw("report", []*worker{w}, w.ID(), 1, 2, "finish", "b", "passed", "{}", ""))
		r.same()
		if n := len(r.journal()); n != events {
			t.Errorf("the journal has %d entries, %d before", n, events)
		}
	})
}

func TestReportIgnoresWhatIsNotOfTheRun(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		w.claim(1)
		r.look()
		w.report(1, start("stranger"), finish("stranger", batch.Passed), start("d"), pause("d"), finish("", batch.Passed))
		r.expect(func(d *batchtest.Dump) { edit(d.Workers, "w", func(w *batchtest.Worker) { w.Report = 1 }) })
		if len(r.decisions()) > 0 {
			t.Errorf("the journal has %q", r.decisions())
		}
		w.report(1)
		r.expect(func(d *batchtest.Dump) { edit(d.Workers, "w", func(w *batchtest.Worker) { w.Report = 2 }) })
	})
}

// A finish counts only under this batch and this worker's set. Anything but a pass is otherwise late: it charges nothing
// and takes nothing away, wherever the test is, and whatever batch number it comes under.
func TestReportLate(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("requeued held queued"))
		late, holder := r.join("late"), r.join("holder")
		holder.claim(1)
		holder.settle(1, batch.Requeue)
		holder.claim(1)
		holder.report(2, start("held"))
		r.look()
		var want []string
		for _, number := range []int{batch.NoBatch, 1, 2, 7} { // 2 is the holder's own
			for _, status := range []batch.Status{batch.Failed, batch.Crashed, batch.Timeout, batch.Unexecuted, batch.Skipped} {
				for _, id := range ids("requeued held queued") {
					late.report(number, start(id), finish(id, status))
					want = append(want, fmt.Sprintf("%s %s late", id, status))
				}
			}
		}
		r.expect(func(d *batchtest.Dump) { edit(d.Workers, "late", func(w *batchtest.Worker) { w.Report = 60 }) })
		if diff := cmp.Diff(want, r.decisions()); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// A worker's own finish under the number of an older batch of its is late, though it holds the test under a newer one.
func TestReportOldBatch(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		w := r.join("w")
		w.claim(1)
		w.settle(1, batch.Requeue)
		w.claim(1)
		r.look()
		w.report(1, start("a"), finish("a", batch.Crashed))
		r.expect(func(d *batchtest.Dump) { edit(d.Workers, "w", func(w *batchtest.Worker) { w.Report = 1 }) })
		w.report(1, finish("a", batch.Passed)) // but a pass is a pass
		r.expect(func(d *batchtest.Dump) {
			finished(d, "w", "a", batch.Passed)
			edit(d.Workers, "w", func(w *batchtest.Worker) { w.Finished = 0 })
		})
		if diff := cmp.Diff([]string{"a crashed late", "a passed final"}, r.decisions()); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// A late pass becomes the result where none stands, and takes the test out of wherever it is.
func TestReportLatePass(t *testing.T) {
	for _, place := range []string{"queue", "requeue", "another set"} {
		t.Run(place, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := newRun(t, rdb, ids("a b c"))
				dead, other := r.join("dead"), r.join("other")
				dead.claim(1)
				switch place {
				case "queue":
					dead.settle(1, batch.HandBack)
				case "requeue":
					dead.reaped()
				case "another set":
					dead.settle(1, batch.HandBack)
					dead.reaped()
					other.claim(1)
					other.report(1, start("a"))
				}
				late := r.join("late")
				late.report(batch.NoBatch, finish("a", batch.Passed))
				r.expect(func(d *batchtest.Dump) {
					d.Results["a"] = "passed"
					edit(d.Workers, "late", func(w *batchtest.Worker) { w.Report = 1 })
					edit(d.Tries, "a", func(t *batchtest.Tries) { t.Held = false })
					switch place {
					case "queue":
						d.Queue = ids("b c")
					case "requeue":
						d.Requeue = nil
					case "another set":
						delete(d.Sets, "other")
					}
				})

				// What comes after it changes nothing: not another pass, nor what the holder says.
				late.report(batch.NoBatch, finish("a", batch.Passed), finish("a", batch.Failed))
				r.expect(func(d *batchtest.Dump) { edit(d.Workers, "late", func(w *batchtest.Worker) { w.Report = 2 }) })
				want := ids("final late late")
				if place == "another set" {
					other.report(1, finish("a", batch.Failed))
					r.expect(func(d *batchtest.Dump) { edit(d.Workers, "other", func(w *batchtest.Worker) { w.Report = 2 }) })
					other.settle(1, batch.Requeue)
					r.expect(func(d *batchtest.Dump) {
						edit(d.Workers, "other", func(w *batchtest.Worker) { w.Open, w.Running = false, "" })
					})
					want = append(want, "late")
				}
				var got []string
				for _, decision := range r.decisions() {
					got = append(got, decision[strings.LastIndex(decision, " ")+1:])
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("decisions (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A result stands whatever comes later: also a failure before a late pass, which makes the test flaky in the journal.
func TestReportResultStands(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b"))
		one, two := r.join("one"), r.join("two")
		one.runs(1, batch.Failed)
		two.report(batch.NoBatch, finish("a", batch.Passed))
		r.expect(func(d *batchtest.Dump) { edit(d.Workers, "two", func(w *batchtest.Worker) { w.Report = 1 }) })
		if diff := cmp.Diff([]string{"a failed final", "a passed late"}, r.decisions()); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// The outputs that a run keeps are bounded; its verdicts are not.
func TestReportOutputBudget(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"), func(o *batch.Options) { o.MaxOutput = 10 })
		w := r.join("w")
		w.claim(2)
		r.look()
		first, second := finish("a", batch.Failed), finish("b", batch.Failed)
		first.Outcome.Output, second.Outcome.Output = "8 bytes.", "3 b"
		w.report(1, first, second)
		r.expect(func(d *batchtest.Dump) {
			finished(d, "w", "a", batch.Failed)
			finished(d, "w", "b", batch.Failed)
			edit(d.Workers, "w", func(w *batchtest.Worker) { w.Report = 1 })
			edit(d.Tries, "a", func(t *batchtest.Tries) { t.Failures = 1 })
			edit(d.Tries, "b", func(t *batchtest.Tries) { t.Failures = 1 })
			d.Run["output"] = "11"
		})
		var outputs []string
		for _, e := range r.journal() {
			if e.Type == batch.Finish {
				outputs = append(outputs, e.Outcome.Output)
			}
		}
		want := []string{"8 bytes.", "[output not kept: the run's budget for output is spent]"}
		if diff := cmp.Diff(want, outputs); diff != "" {
			t.Errorf("outputs (-want +got):\n%s", diff)
		}
	})
}
