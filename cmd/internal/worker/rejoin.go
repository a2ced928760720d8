package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// rejoins tells whether a membership ended so that another should follow: the worker was presumed dead, or Redis lost
// writes of it.
func rejoins(err error) bool { return errors.Is(err, batch.NotJoined) || rewound(err) }

// rewound tells whether Redis is at an earlier state of this worker, as a failover may leave it.
func rewound(err error) bool {
	return errors.Is(err, batch.Rewound) || errors.Is(err, batch.Holding) || errors.Is(err, batch.Stale)
}

// lost tells whether Redis lost the run, or holds it under another epoch.
func lost(err error) bool { return errors.Is(err, batch.Gone) || errors.Is(err, batch.OtherEpoch) }

// find waits until a run that was lost is there again, with a list that is whole. cause is how it was found to be lost.
func (w *worker) find(cause error) error {
	patience := recovery.LostLeases * w.q.Options().Lease
	if w.o.Reopen {
		patience = max(patience, outage) // the next leader has a lease to wait for, and a list to make
	}
	w.o.Log.Warn(fmt.Sprintf("Redis lost data of this run; waiting up to %v for somebody who knows its list to bring it back", patience), "error", cause)
	ctx, cancel := context.WithTimeout(w.stop, patience)
	defer cancel()
	for {
		if w.o.Reopen {
			w.reopen(ctx)
		}
		q, err := w.q.ReattachWhole(ctx)
		if err == nil {
			w.q = q
			return nil
		}
		if errors.Is(err, batch.Replaced) {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			if w.stop.Err() != nil {
				return nil // the next join sees it
			}
			return fmt.Errorf("nobody has brought this run back within %v, so its tests did not all run: %w", patience, cause)
		}
	}
}

// reopen opens the run again if Redis has nothing of it. The list is for others, who may be long in coming: a newcomer among them
// would open a run of its own meanwhile, in which all that happened here counts nothing.
func (w *worker) reopen(ctx context.Context) {
	if _, err := w.q.Reattach(ctx); !errors.Is(err, batch.Gone) {
		return
	}
	if _, err := w.q.Reopen(ctx); err != nil {
		w.o.Log.Debug("cannot open the run again", "error", err)
	}
}

// retell tells the run what happened here and it does not know: because Redis lost it, or because this worker, or a
// predecessor of its name on this machine, was cut off before. Of tests that have a result there is nothing to tell.
func (w *worker) retell() error {
	events := w.outcomes.all()
	if len(events) == 0 {
		return nil
	}
	var ids []string
	for _, e := range events {
		if e.Type == batch.Finish {
			ids = append(ids, e.Test)
		}
	}
	var lacking []string
	err := w.persist(func() (err error) {
		lacking, err = w.q.Lacking(w.redis, ids)
		return err
	})
	if err != nil {
		return err
	}
	unknown := make(map[string]bool, len(lacking))
	for _, id := range lacking {
		unknown[id] = true
	}
	events = slices.DeleteFunc(events, func(e batch.Event) bool { return e.Type == batch.Finish && !unknown[e.Test] })
	for len(events) > 0 {
		some := events[:oneReport(events)]
		if err := w.persist(func() error { _, err := w.m.Report(w.redis, batch.NoBatch, some); return err }); err != nil {
			return err
		}
		events = events[len(some):]
	}
	w.untold = nil
	return nil
}
