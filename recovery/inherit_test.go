package recovery_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// restoring is a run that notes what was brought back, as the tests of each request.
type restoring struct {
	*fake
	restored [][]string
}

func (r *restoring) Restore(_ context.Context, tests [][]batch.Event) (int, error) {
	var ids []string
	for _, events := range tests {
		ids = append(ids, events[0].Test)
	}
	r.do(func() { r.restored = append(r.restored, ids) })
	return len(ids), nil
}

// lost is a journal that tells of tests and is gone then.
func lost(events ...batch.Event) recovery.Queue {
	f := newFake()
	f.do(func() {
		f.tell(batch.Event{Type: batch.Opened})
		for _, e := range events {
			f.tell(e)
		}
		f.tell(batch.Event{Type: batch.Settled}) // so that it is asked whether it is complete
	})
	return gone{f}
}

// An idle worker that queues again what is nowhere does not know results. The controller does: nothing runs again that has one.
func TestAuditOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &restoring{fake: newFake()}
		r.do(func() {
			r.tell(batch.Event{Type: batch.Opened})
			for _, test := range []string{"a", "b", "c"} {
				r.tell(final(test))
			}
			r.tell(batch.Event{Type: batch.Audited, Tests: []string{"b", "c", "d"}})
			r.tell(batch.Event{Type: batch.Settled})
			r.complete = true
		})
		c := &recovery.Controller{Queue: r, Lease: lease, Observe: func([]batch.Event) {}}
		if progress, err := c.Supervise(t.Context()); progress != batch.IsDone || err != nil {
			t.Fatalf("ended %q, %v", progress, err)
		}
		if diff := cmp.Diff([][]string{{"b", "c"}}, r.restored); diff != "" {
			t.Error("restored (-want +got):\n" + diff)
		}
	})
}

// What was brought back is told again by the same journal, and is known once all the same.
func TestKnownOnce(t *testing.T) {
	late := final("a")
	late.Worker, late.Decision = "w", batch.Late
	told := final("a") // by a worker that joined anew
	told.Worker = "w"
	result := batch.Event{Type: batch.Resulted, Test: "b", Outcome: batch.Outcome{Status: batch.Lost, Message: "claimed 10 times"}}
	inBatch := final("c")
	inBatch.Worker, inBatch.Batch = "w", 7
	another := inBatch
	another.Worker = "w2"
	synctest.Test(t, func(t *testing.T) {
		back := newFake()
		back.complete = true
		var got [][]batch.Event
		c := &recovery.Controller{
			Queue: lost(late, told, result, inBatch, another, late, told, result, inBatch, another), Lease: lease, Observe: func([]batch.Event) {},
			Renew: func(_ context.Context, _ bool, known [][]batch.Event) (recovery.Queue, error) {
				got = known
				return back, nil
			},
		}
		if progress, err := c.Supervise(t.Context()); progress != batch.IsDone || err != nil {
			t.Fatalf("ended %q, %v", progress, err)
		}
		for _, events := range got {
			for i := range events {
				events[i].ID = ""
			}
		}
		if diff := cmp.Diff([][]batch.Event{{late, told}, {result}, {inBatch, another}}, got); diff != "" {
			t.Error("known (-want +got):\n" + diff)
		}
	})
}

// A controller that follows another in one process knows what that knew, though no journal tells it any more; and what it learns
// adds to that.
func TestKnownIsInherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var known recovery.Known
		var got []string
		for _, test := range []string{"a", "b"} {
			back := newFake()
			back.complete = true
			c := &recovery.Controller{
				Queue: lost(final(test)), Lease: lease, Known: &known, Observe: func([]batch.Event) {},
				Renew: func(_ context.Context, _ bool, known [][]batch.Event) (recovery.Queue, error) {
					var tests []string
					for _, events := range known {
						tests = append(tests, events[0].Test)
					}
					got = append(got, strings.Join(tests, " "))
					return back, nil
				},
			}
			if progress, err := c.Supervise(t.Context()); progress != batch.IsDone || err != nil {
				t.Fatalf("ended %q, %v", progress, err)
			}
		}
		if diff := cmp.Diff([]string{"a", "a b"}, got); diff != "" {
			t.Error("known (-want +got):\n" + diff)
		}
	})
}

// A run's time counts from its opening, whoever supervises it; that of waiting for a worker from when somebody waits.
func TestLimitsOfAnOldRun(t *testing.T) {
	for name, test := range map[string]struct {
		limits recovery.Limits
		after  time.Duration
		reason string
	}{
		"run":    {recovery.Limits{Run: 5 * time.Minute}, 2 * time.Minute, "--run-timeout"},
		"over":   {recovery.Limits{Run: time.Minute}, 0, "--run-timeout"},
		"worker": {recovery.Limits{FirstWorker: time.Minute}, time.Minute, "no worker joined"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				began := time.Now()
				c := &recovery.Controller{Queue: f, Lease: lease, Limits: test.limits, Age: 3 * time.Minute, Observe: func([]batch.Event) {}}
				progress, err := c.Supervise(t.Context())
				if progress != batch.IsAborted || err != nil || !strings.Contains(f.abortion.Why, test.reason) {
					t.Fatalf("ended %q %v, reason %q", progress, err, f.abortion.Why)
				}
				if took := time.Since(began); took < test.after || took > test.after+beat {
					t.Errorf("after %v, not %v", took, test.after)
				}
			})
		})
	}
}
