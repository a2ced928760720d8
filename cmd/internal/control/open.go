package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// Opening is what it takes to open a run with its whole list.
type Opening struct {
	RunID    string
	Tests    []batch.Test
	Manifest string
	Options  batch.Options
	// Secret proves where the commands of gates come from; empty: there is none.
	Secret string
	Log    *slog.Logger
	// Known is the run if it was seen before, else nil. If Redis has lost it, it is brought back as the same run: its workers would
	// leave another one alone.
	Known *batch.Queue
	// Results are the events of tests whose result was known, by test: what Redis lost of them is brought back, and what holds from a former
	// attempt is brought in.
	Results [][]batch.Event
	// Rerun says whether results of a former attempt hold. The zero value: none do.
	Rerun Rerun
	// holding are those; nil before they were looked for.
	holding [][]batch.Event
}

// Open opens the run, or finds it under way with the same list, puts all tests into it and closes the list. It may be repeated, by
// anybody: what is there already stays. Redis may be away meanwhile, or lose what it has of the run.
func (o Opening) Open(ctx context.Context, rdb redis.UniversalClient) (*batch.Queue, error) {
	var err error
	for began := time.Now(); ; {
		var q *batch.Queue
		q, err = o.open(ctx, rdb, errors.Is(err, batch.Gone))
		if err == nil || !recovery.Passes(err) || time.Since(began) > outage {
			return q, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		o.Log.Warn("the list could not be put into Redis, trying again", "run", o.RunID, "error", err)
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// again is how long Open waits before it tries again.
const again = 500 * time.Millisecond

// open tries once. damaged: Redis has lost the run that is known, or a part of it.
func (o *Opening) open(ctx context.Context, rdb redis.UniversalClient, damaged bool) (*batch.Queue, error) {
	if err := o.lookBack(ctx, rdb); err != nil {
		return nil, err
	}
	if o.Known != nil && !damaged {
		_, err := o.Known.Reattach(ctx)
		damaged = errors.Is(err, batch.Gone)
	}
	if o.Known != nil && damaged {
		if _, err := o.Known.Reopen(ctx); err != nil {
			return nil, err
		}
	}
	q, err := batch.Open(ctx, rdb, o.RunID, o.Manifest, o.Options)
	if err != nil {
		return nil, err
	}
	o.Known = q
	if q.Options() != o.Options {
		o.Log.Warn("the run is under way with other options (retries, budgets, lease); those hold", "run", o.RunID)
	}
	Sign(o.Tests, o.Secret, q)
	if _, err := q.Enqueue(ctx, o.Tests); err != nil {
		return nil, err
	}
	held, err := q.Restore(ctx, o.holding)
	if err != nil {
		return nil, err
	}
	if _, err := q.Restore(ctx, o.Results); err != nil {
		return nil, err
	}
	if err := q.Seal(ctx, len(o.Tests)); err != nil {
		return nil, err
	}
	if state, err := q.State(ctx); err == nil && state.Results > held {
		o.Log.Warn(fmt.Sprintf("this run was under way: %d of its %d tests have results from before, and do not run again", state.Results, state.Tests), "run", o.RunID)
	}
	return q, nil
}

// lookBack finds what holds from a former attempt, once, and not for a run that this process has seen open.
func (o *Opening) lookBack(ctx context.Context, rdb redis.UniversalClient) (err error) {
	if o.holding != nil || o.Known != nil {
		return nil
	}
	if o.holding, err = o.Rerun.holding(ctx, rdb, o.RunID, o.Manifest, o.Log); err == nil && o.holding == nil {
		o.holding = [][]batch.Event{}
	}
	return err
}
