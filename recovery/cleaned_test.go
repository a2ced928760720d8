package recovery_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// A run that is over and then gone was cleaned away: nobody brings it back, and nobody waits for it. One that is gone before it was
// over is lost.
func TestCleaned(t *testing.T) {
	for name, test := range map[string]struct {
		journal []batch.EventType
		brought bool
	}{
		"aborted":                              {[]batch.EventType{batch.Opened, batch.Aborted}, false},
		"done":                                 {[]batch.EventType{batch.Opened, batch.Done}, false},
		"under way":                            {[]batch.EventType{batch.Opened, batch.Sealed}, true},
		"lost after its end, and brought back": {[]batch.EventType{batch.Opened, batch.Done, batch.Opened}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, back := newFake(), newFake()
				back.complete = true
				f.do(func() {
					for _, kind := range append(test.journal, batch.Settled) {
						f.tell(batch.Event{Type: kind})
					}
				})
				brought := false
				c := &recovery.Controller{
					Queue: gone{f}, Lease: lease, Limits: recovery.Limits{Lost: time.Minute}, Observe: func([]batch.Event) {},
					Renew: func(context.Context, bool, [][]batch.Event) (recovery.Queue, error) {
						brought = true
						return back, nil
					},
				}
				began := time.Now()
				_, err := c.Supervise(t.Context())
				if brought != test.brought || errors.Is(err, batch.Gone) == test.brought || time.Since(began) > lease {
					t.Errorf("brought back: %v, ended after %v with %v", brought, time.Since(began), err)
				}
			})
		})
	}
}

// A run that is cleaned while the controller waits for the workers to leave has come to its end, and says that its data is gone.
func TestCleanedWhileWorkersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.complete = true
		c := &recovery.Controller{Queue: vanishing{f}, Lease: lease, Observe: func([]batch.Event) {}}
		if progress, err := c.Supervise(t.Context()); progress != batch.IsDone || !errors.Is(err, batch.Gone) {
			t.Errorf("ended %q, %v", progress, err)
		}
	})
}

// vanishing is a run that is cleaned as soon as it is done.
type vanishing struct{ *fake }

func (v vanishing) Workers(ctx context.Context) ([]batch.WorkerState, error) {
	workers, err := v.fake.Workers(ctx)
	if v.progress == batch.IsDone {
		err = &batch.Error{Code: batch.Gone}
	}
	return workers, err
}
