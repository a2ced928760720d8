package recovery_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

func final(test string) batch.Event {
	return batch.Event{Type: batch.Finish, Test: test, Outcome: batch.Outcome{Status: batch.Passed}, Decision: batch.Final}
}

// A controller whose run is lost has it brought back with what it knows, reads the new journal from its beginning, and goes on.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost, back := newFake(), newFake()
		lost.do(func() {
			lost.tell(batch.Event{Type: batch.Opened})
			failed := final("a")
			failed.Outcome.Status, failed.Decision = batch.Failed, batch.Requeued
			lost.tell(failed)
			lost.tell(final("a"))
			lost.tell(batch.Event{Type: batch.Finish, Test: "b", Decision: batch.Late})
		})
		back.do(func() {
			back.tell(batch.Event{Type: batch.Opened})
			back.tell(final("a"))
			back.complete = true
		})
		var told []string
		calls := 0
		c := &recovery.Controller{
			Queue: gone{lost}, Lease: lease,
			Observe: func(events []batch.Event) {
				for _, e := range events {
					told = append(told, string(e.Type)+e.Test)
				}
			},
			Renew: func(_ context.Context, damaged bool, known [][]batch.Event) (recovery.Queue, error) {
				if calls++; calls == 1 {
					return nil, errAway // it passes
				}
				if !damaged || len(known) != 1 || len(known[0]) != 2 || known[0][0].Test != "a" {
					t.Errorf("damaged %v, known %v", damaged, known)
				}
				return back, nil
			},
		}
		if progress, err := c.Supervise(t.Context()); progress != batch.IsDone || err != nil {
			t.Errorf("ended %q, %v", progress, err)
		}
		want := []string{"open", "finisha", "finisha", "finishb", "open", "finisha", "done"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error("told (-want +got):\n" + diff)
		}
	})
}

// If nobody who knows the list brings it back, the controller gives up, with an error that says so.
func TestRenewInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &recovery.Controller{
			Queue: gone{newFake()}, Lease: lease, Limits: recovery.Limits{Lost: time.Minute}, Observe: func([]batch.Event) {},
			Renew: func(context.Context, bool, [][]batch.Event) (recovery.Queue, error) {
				return nil, &batch.Error{Code: batch.Gone}
			},
		}
		began := time.Now()
		if _, err := c.Supervise(t.Context()); !errors.Is(err, batch.Gone) || time.Since(began) < time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// Tests that are nowhere are queued again; a list that lost its end is closed again.
func TestMend(t *testing.T) {
	for progress, want := range map[batch.Progress][2]int{batch.IsUneven: {1, 0}, batch.IsUnsealed: {0, 1}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.progress = progress
			f.do(func() { f.tell(batch.Event{Type: batch.Sealed}) })
			renewed := 0
			c := &recovery.Controller{
				Queue: f, Lease: lease, Observe: func([]batch.Event) {},
				Renew: func(_ context.Context, damaged bool, _ [][]batch.Event) (recovery.Queue, error) {
					if damaged {
						t.Error("the run is not damaged")
					}
					renewed++
					f.do(func() { f.progress = batch.IsBusy })
					return f, nil
				},
			}
			time.AfterFunc(10*time.Second, func() { f.do(func() { f.complete = true }) })
			if progress, err := c.Supervise(t.Context()); progress != batch.IsDone || err != nil {
				t.Errorf("ended %q, %v", progress, err)
			}
			if got := [2]int{f.audits, renewed}; got != want {
				t.Errorf("%s: %d audits, %d renewals; want %v", progress, got[0], got[1], want)
			}
		})
	}
}
