package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
	"github.com/shardctl/shardctl/recovery"
)

// errNoWorkers is why a run on this machine alone is stopped when none of its workers can work.
var errNoWorkers = errors.New("no local worker can work")

// withWorkers runs local workers beside the controller, and returns what the controller returns once the workers ended. A
// worker that fails is reaped at once: nobody has to wait for its lease.
func (o *runOptions) withWorkers(ctx context.Context, q *batch.Queue, r runner.Runner, log *slog.Logger, control func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		failed  []error
	)
	for i := range o.workers {
		workers.Go(func() {
			err := o.local(ctx, q, r, log, i)
			if err == nil {
				return
			}
			log.Error("a local worker cannot go on", "worker", i, "error", err)
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
			if len(failed) == o.workers && o.where.RedisURL == "" {
				_, abortErr := q.Abort(context.WithoutCancel(ctx), fmt.Sprintf("%v: %v", errNoWorkers, err), whoami())
				if abortErr != nil {
					cancel(errors.Join(errNoWorkers, abortErr))
				}
			}
		})
	}
	err := control(ctx)
	cancel(nil) // a controller that gave up takes its workers with it
	workers.Wait()
	return err
}

// local runs one local worker.
func (o *runOptions) local(ctx context.Context, q *batch.Queue, r runner.Runner, log *slog.Logger, index int) error {
	var id string
	err := worker.Run(ctx, q, r, worker.Options{
		Name: fmt.Sprintf("local%d", index+1), Info: cli.HostInfo(), Index: index, BatchSize: o.how.BatchSize, Log: log,
		Limits: runner.Limits{Test: o.how.TestTimeout, Batch: o.how.BatchTimeout, Grace: runner.DefaultGrace},
		Joined: func(joined string) { id = joined },
	})
	if err != nil && id != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, recovery.Reap(ctx, q, id, "the worker ended: "+err.Error()))
	}
	return err
}
