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
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
	"github.com/shardctl/shardctl/recovery"
)

// errNoWorkers is why a run on this machine alone is stopped when none of its workers can work.
var errNoWorkers = errors.New("no local worker can work")

// local is a worker in this process, and the id under which it joins first.
type local struct {
	index    int
	name, id string
}

func (o *runOptions) locals() []local {
	all := make([]local, o.workers)
	for i := range all {
		name := fmt.Sprintf("local%d", i+1)
		all[i] = local{index: i, name: name, id: batch.WorkerID(name)}
	}
	return all
}

// jobs are what the workers' batches have in common.
func (o *runOptions) jobs(locals []local) []runner.Job {
	jobs := make([]runner.Job, len(locals))
	for i, l := range locals {
		jobs[i] = runner.Job{Slot: l.index, Env: worker.Env(o.where.RunID, l.id, l.index), Limits: o.how.Limits()}
	}
	return jobs
}

// withWorkers runs local workers beside the controller, and returns what the controller returns once all have ended. A
// worker that fails is reaped at once: nobody has to wait for its lease. After a signal the controller goes on while the
// workers come to their end, so that what they still finish is in its reports.
func (o *runOptions) withWorkers(ctx context.Context, q *batch.Queue, r runner.Runner, locals []local, gates gate.Options, log *slog.Logger, attend func(context.Context) error) error {
	now, stopNow := context.WithCancelCause(cli.Now(ctx))
	defer stopNow(nil)
	controlled, release := context.WithCancelCause(context.WithoutCancel(ctx))
	defer release(nil)
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		failed  int
		untold  *worker.UntoldError
	)
	for _, l := range locals {
		workers.Go(func() {
			err := o.work(ctx, now, q, r, l, gates, log)
			if err == nil {
				return
			}
			log.Error("a local worker cannot go on", "worker", l.index, "error", err)
			mu.Lock()
			defer mu.Unlock()
			errors.As(err, &untold)
			if failed++; failed == len(locals) && o.nobodyElse(ctx, q) {
				why := batch.Abortion{Why: fmt.Sprintf("%v: %v", errNoWorkers, err), Who: cli.WhoAmI()}
				q, abortErr := q.Reattach(context.WithoutCancel(ctx))
				if abortErr == nil {
					_, abortErr = q.Abort(context.WithoutCancel(ctx), why)
				}
				if abortErr != nil {
					release(errors.Join(errNoWorkers, abortErr))
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		workers.Wait()
		if ctx.Err() != nil {
			release(context.Cause(ctx))
		}
	}()
	err := attend(controlled)
	stopNow(nil) // a controller that gave up takes its workers with it
	<-ended
	if err == nil && untold != nil {
		return untold
	}
	return err
}

// nobodyElse tells whether there is no other worker that could run the tests.
func (o *runOptions) nobodyElse(ctx context.Context, q *batch.Queue) bool {
	if o.where.RedisURL == "" {
		return true
	}
	others, err := q.Workers(context.WithoutCancel(ctx))
	return err == nil && len(others) == 0
}

// work runs one local worker.
func (o *runOptions) work(ctx, now context.Context, q *batch.Queue, r runner.Runner, l local, gates gate.Options, log *slog.Logger) error {
	var id string
	gates.Log = log.With("worker", l.name)
	err := worker.Run(ctx, now, q, r, worker.Options{
		Name: l.name, ID: l.id, Info: cli.HostInfo(), Index: l.index, BatchSize: o.how.BatchSize, Log: log, StopTimeout: o.how.StopTimeout,
		Limits: o.how.Limits(),
		Joined: func(joined string) { id = joined }, Gates: gates, MaxConsecutiveFailures: o.how.MaxConsecutiveFailures,
	})
	if errors.Is(err, worker.ErrUnqualified) {
		log.Warn("a local worker leaves", "worker", l.index, "why", err)
		return nil
	}
	if err != nil && id != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		q, reapErr := q.Reattach(ctx) // it may have been opened again since
		if reapErr == nil {
			reapErr = recovery.Reap(ctx, q, id, "the worker ended: "+err.Error())
		}
		err = errors.Join(err, reapErr)
	}
	return err
}
