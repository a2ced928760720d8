package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

const (
	// watchNews is how many events of the journal Watch reads at once, watchWait how long it waits for some.
	watchNews = 1000
	watchWait = 500 * time.Millisecond
)

// Watch shows a run until it is over or ctx ends, and does nothing for it. A run that Redis lost and somebody brought back goes on
// being shown, and is returned; one that stays away is an error.
func (o *Output) Watch(ctx context.Context, q *batch.Queue, streams cli.Streams, log *slog.Logger) (*batch.Queue, error) {
	history := report.NewHistory()
	age, _ := q.Age(ctx) // for show only
	show := o.showing(ctx, q, nil, history, streams, age, log)
	defer show.close()
	cursor, seen := batch.JournalStart, time.Now()
	for over := false; ; {
		events, err := q.Events(ctx, cursor, watchNews, watchWait)
		if ctx.Err() != nil {
			return q, context.Cause(ctx)
		}
		for _, e := range events {
			history.Add(e)
			cursor, over = e.ID, e.Type == batch.Done || e.Type == batch.Aborted || over && e.Type != batch.Opened
		}
		if over && len(events) < watchNews {
			show.events(ctx, events, q)
			return stillThere(ctx, q)
		}
		if err == nil {
			q, err = stillThere(ctx, q)
		}
		if err == nil {
			seen = time.Now()
		} else if !errors.Is(err, batch.Gone) && !batch.Transient(err) || time.Since(seen) > outage {
			return q, err
		}
		show.events(ctx, events, q)
		if err != nil {
			pause(ctx, watchWait)
		}
	}
}

// stillThere returns the run under whatever epoch it has.
func stillThere(ctx context.Context, q *batch.Queue) (*batch.Queue, error) {
	now, err := q.Reattach(ctx)
	if err != nil {
		return q, err
	}
	return now, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
