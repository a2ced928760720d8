package recovery_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

const lease = 16 * time.Second // a beat every 2 s

// supervise runs a controller over the fake and returns what it ended with, what it told, and how long it took.
func supervise(ctx context.Context, f *fake, limits recovery.Limits) (progress batch.Progress, told []batch.EventType, took time.Duration, err error) {
	began := time.Now()
	c := &recovery.Controller{
		Queue: f, Lease: lease, Limits: limits, Name: "controller",
		Observe: func(events []batch.Event) {
			for _, e := range events {
				told = append(told, e.Type)
			}
		},
	}
	progress, err = c.Supervise(ctx)
	return progress, told, time.Since(began), err
}

func TestEndsAtOnceWhenComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.do(func() { f.tell(batch.Event{Type: batch.Opened}) })
		go func() {
			time.Sleep(3 * time.Second)
			f.do(func() {
				f.complete = true
				f.tell(batch.Event{Type: batch.Settled})
			})
		}()
		progress, told, took, err := supervise(t.Context(), f, recovery.Limits{})
		if progress != batch.IsDone || err != nil {
			t.Fatalf("ended %q, %v", progress, err)
		}
		if took != 3*time.Second {
			t.Errorf("it noticed the end after %v instead of at once", took-3*time.Second)
		}
		if diff := cmp.Diff([]batch.EventType{batch.Opened, batch.Settled, batch.Done}, told); diff != "" {
			t.Error("told (-want +got):\n" + diff)
		}
	})
}

func TestReapsWhatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.workers = []batch.WorkerState{{ID: "dead", Beat: 7}, {ID: "live", Beat: 1}}
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for range 40 {
				time.Sleep(2 * time.Second)
				f.beat("live")
			}
			cancel()
		}()
		_, _, _, err := supervise(ctx, f, recovery.Limits{})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if len(f.reaped) != 1 {
			t.Fatalf("reaped %v", f.reaped)
		}
		if after := f.reaped["dead"].Sub(began); after < lease || after > lease+3*time.Second {
			t.Errorf("the dead worker was reaped after %v, the lease is %v", after, lease)
		}
	})
}

// After an outage nobody is dead yet: the workers could not beat either.
func TestOutageStartsLeasesAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.workers = []batch.WorkerState{{ID: "w", Beat: 1}}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		const back = 30 * time.Second
		go func() {
			time.Sleep(10 * time.Second)
			f.do(func() { f.away = true })
			time.Sleep(back - 10*time.Second)
			f.do(func() { f.away = false })
		}()
		_, _, _, _ = supervise(ctx, f, recovery.Limits{})
		if after := f.reaped["w"].Sub(began); after < back+lease {
			t.Errorf("reaped %v after the start: within a lease of Redis's return at %v", after, back)
		}
	})
}

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		limits  recovery.Limits
		workers []batch.WorkerState
		after   time.Duration
		reason  string
	}{
		"run":             {recovery.Limits{Run: time.Minute}, []batch.WorkerState{{ID: "w"}}, time.Minute, "--run-timeout"},
		"no first worker": {recovery.Limits{FirstWorker: 30 * time.Second, NoWorker: time.Second}, nil, 30 * time.Second, "no worker joined"},
		"no worker left":  {recovery.Limits{FirstWorker: time.Second, NoWorker: 20 * time.Second}, []batch.WorkerState{{ID: "w"}}, lease + 20*time.Second, "no live worker"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.workers = test.workers
				if name == "run" { // it lives
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					go func() {
						for {
							select {
							case <-time.After(time.Second):
								f.beat("w")
							case <-ctx.Done():
								return
							}
						}
					}()
				}
				progress, _, took, err := supervise(t.Context(), f, test.limits)
				if progress != batch.IsAborted || err != nil || !strings.Contains(f.abortion.Why, test.reason) {
					t.Fatalf("ended %q %v, reason %q", progress, err, f.abortion.Why)
				}
				if name != "run" && (took < test.after || took > test.after+5*time.Second) { // with workers it sees them off
					t.Errorf("after %v, not %v", took, test.after)
				}
			})
		})
	}
}

func TestEnoughFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.do(func() {
			f.tell(batch.Event{Type: batch.Quarantined, Tests: []string{"q"}, Quarantine: batch.Quarantine{Owner: "anna"}})
			f.tell(batch.Event{Type: batch.Finish, Test: "q", Outcome: batch.Outcome{Status: batch.Failed}, Decision: batch.Final})
			f.tell(batch.Event{Type: batch.Finish, Test: "a", Outcome: batch.Outcome{Status: batch.Failed}, Decision: batch.Requeued})
			f.tell(batch.Event{Type: batch.Finish, Test: "a", Outcome: batch.Outcome{Status: batch.Passed}, Decision: batch.Final})
			f.tell(batch.Event{Type: batch.Finish, Test: "b", Outcome: batch.Outcome{Status: batch.Crashed}, Decision: batch.Final})
			f.tell(batch.Event{Type: batch.Resulted, Test: "c", Outcome: batch.Outcome{Status: batch.Lost}})
		})
		progress, _, took, err := supervise(t.Context(), f, recovery.Limits{Failures: 2})
		want := batch.Abortion{Why: "enough tests failed (--fail-fast is 1, --max-failures here 2), first b", Who: "controller", EnoughFailures: true}
		if progress != batch.IsAborted || err != nil || took > 0 || f.abortion != want {
			t.Errorf("ended %q, %v after %v, because %+v", progress, err, took, f.abortion)
		}
	})
}

func TestGivesUpWithoutRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.away = true
		_, _, took, err := supervise(t.Context(), f, recovery.Limits{Outage: time.Minute})
		if !errors.Is(err, errAway) || took < time.Minute {
			t.Fatalf("after %v: %v", took, err)
		}
	})
}

// farewell is how long a controller waits for workers that do not leave.
const farewell = 10 * time.Second

// What a run is stuck on is given up after a while, later if expected workers are missing; whoever comes meanwhile starts
// the time anew.
func TestGivesUpWhatNobodyMayRun(t *testing.T) {
	limits := recovery.Limits{Unqualified: 30 * time.Second, NoWorker: 5 * time.Minute}
	for name, test := range map[string]struct {
		standstill batch.Progress
		comes      bool
		want       time.Duration
	}{
		"stuck":                 {batch.IsStuck, false, 30 * time.Second},
		"expected are missing":  {batch.IsShort, false, 5 * time.Minute},
		"somebody new is asked": {batch.IsStuck, true, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.workers = []batch.WorkerState{{ID: "w"}}
				f.progress = test.standstill
				ticker := time.NewTicker(2 * time.Second)
				done := make(chan struct{})
				defer func() { close(done); synctest.Wait() }()
				go func() {
					for {
						select {
						case <-ticker.C:
							f.beat("w")
						case <-done:
							return
						}
					}
				}()
				if test.comes {
					time.AfterFunc(10*time.Second, func() { f.do(func() { f.progress = batch.IsBusy }) })
					time.AfterFunc(15*time.Second, func() { f.do(func() { f.progress = test.standstill }) })
				}
				f.do(func() { f.tell(batch.Event{Type: batch.Opened}) })
				progress, _, took, err := supervise(t.Context(), f, limits)
				took -= farewell
				if progress != batch.IsDone || err != nil || took < test.want || took > test.want+5*time.Second {
					t.Errorf("ended %q, %v after %v, want it after %v", progress, err, took, test.want)
				}
			})
		})
	}
}

func TestRefusalEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := gone{newFake()}
		c := &recovery.Controller{Queue: f, Lease: lease, Observe: func([]batch.Event) {}}
		if _, err := c.Supervise(t.Context()); !errors.Is(err, batch.Gone) {
			t.Fatal(err)
		}
	})
}

// gone is a run whose data is lost.
type gone struct{ *fake }

func (gone) Finish(context.Context, []string, bool) (batch.Progress, error) {
	return "", &batch.Error{Code: batch.Gone}
}

func TestReapAtOnce(t *testing.T) {
	f := newFake()
	f.workers = []batch.WorkerState{{ID: "a", Beat: 3}, {ID: "b", Beat: 4}}
	if err := recovery.Reap(t.Context(), f, "b", "it ended"); err != nil {
		t.Fatal(err)
	}
	if len(f.workers) != 1 || f.workers[0].ID != "a" {
		t.Errorf("left: %v", f.workers)
	}
}
