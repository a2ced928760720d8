package control

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
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
}

// Open opens the run, or finds it under way with the same list, puts all tests into it and closes the list. It may be repeated, by
// anybody: what is there already stays.
func (o Opening) Open(ctx context.Context, rdb redis.UniversalClient) (*batch.Queue, error) {
	q, err := batch.Open(ctx, rdb, o.RunID, o.Manifest, o.Options)
	if err != nil {
		return nil, err
	}
	if q.Options() != o.Options {
		o.Log.Warn("the run is under way with other options (retries, budgets, lease); those hold", "run", o.RunID)
	}
	Sign(o.Tests, o.Secret, q)
	if _, err := q.Enqueue(ctx, o.Tests); err != nil {
		return nil, err
	}
	if err := q.Seal(ctx, len(o.Tests)); err != nil {
		return nil, err
	}
	if state, err := q.State(ctx); err == nil && state.Results > 0 {
		o.Log.Warn(fmt.Sprintf("this run was under way: %d of its %d tests have results from before, and do not run again", state.Results, state.Tests), "run", o.RunID)
	}
	return q, nil
}
