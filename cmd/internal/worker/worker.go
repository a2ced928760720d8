package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/recovery"
)

// Options of a worker.
type Options struct {
	// Name is what the worker's id begins with, Info what it runs on, for people.
	Name, Info string
	// ID is that of the first membership, if it was made before, see batch.WorkerID.
	ID string
	// Index tells the workers of one machine apart, from 0; tests see it as SHARD_WORKER_INDEX, the runner as Job.Slot.
	Index int
	// BatchSize is the most tests that one claim takes. 0: as many as the queue's own rule gives, at most batch.MostTests.
	BatchSize int
	// Limits of each batch.
	Limits runner.Limits
	// MaxConsecutiveFailures is after how many tests in a row that ended badly the worker leaves, see UselessError. 0: it stays.
	MaxConsecutiveFailures int
	// Gates decides which tests this worker may run.
	Gates gate.Options
	// StopTimeout is how long the running test may go on after a stop. 0: not at all.
	StopTimeout time.Duration
	// Journal is the folder for what this worker finished, should Redis lose it, or the worker die before it is told. Empty: the
	// system's folder for temporary files.
	Journal string
	// Reopen: if Redis has lost the run, it is opened again, with an empty list, as the same run, and waited for as long as for
	// Redis. This is for a worker whose leader is elected: who comes with the list may never have seen this run.
	Reopen bool
	// Log gets what a person who watches this worker should know.
	Log *slog.Logger
	// Joined is called with the id of each membership, before its first claim; nil: nobody asks.
	Joined func(id string)
}

const (
	// poll stands behind the wake-ups: how long a worker waits without looking again, jittered.
	poll = 5 * time.Second
	// patience is how long a worker leaves a requeued test that it ran last to others.
	patience = time.Second
	// cleanup is how long after a stop Redis may take to answer the requests that hand back and leave.
	cleanup = 5 * time.Second
)

var (
	errStopped = errors.New("stopped")
	errAborted = errors.New("the run was aborted")
)

// Run works for a run until it is over or stop ends, and returns nil in both cases: the worker has done its duty, whatever
// the tests say. ErrUnqualified is as good. UselessError says that others should run the tests. Any other error means that it could not: Redis is gone, holds no such run any
// more, or the runner cannot work. What it held is handed back.
//
// When stop ends, nothing more is claimed, the tests of the batch that have not started go back at once, and the running one
// may end within StopTimeout. When now ends (it ends no later than the caller wants to wait; it may be stop itself), the
// runner is stopped at once. Whatever Redis does, Run returns some seconds later.
func Run(stop, now context.Context, q *batch.Queue, r runner.Runner, o Options) error {
	stop, cancel := context.WithCancelCause(stop)
	defer cancel(nil)
	context.AfterFunc(now, func() { cancel(context.Cause(now)) })
	keeper, err := gate.New(o.Gates)
	if err != nil {
		return err
	}
	if o.Journal == "" {
		o.Journal = os.TempDir()
	}
	w := &worker{q: q, runner: r, o: o, stop: stop, now: now, gates: keeper, breaker: breaker{most: o.MaxConsecutiveFailures}}
	w.outcomes = openOutcomes(o.Journal, q.RunID(), q.Birth(), o.Name, o.Log)
	defer func() { w.outcomes.close(w.over) }()
	var end context.CancelFunc
	w.redis, end = context.WithCancel(context.WithoutCancel(stop))
	defer end()
	after(stop, w.redis, o.StopTimeout+o.Limits.Grace+cleanup, end)
	after(now, w.redis, o.Limits.Grace+cleanup, end)
	for {
		err := w.member(stop)
		switch {
		case lost(err):
			if err := w.find(err); err != nil {
				return err
			}
		case !rejoins(err):
			return err
		}
		o.Log.Warn("joining anew: this worker was presumed dead, or Redis lost what it knew of it", "error", err)
		w.gates.Forget()
	}
}

// after calls do some time after ctx ended, unless end has ended by then.
func after(ctx, end context.Context, by time.Duration, do func()) {
	context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(by, do)
		context.AfterFunc(end, func() { timer.Stop() })
	})
}

// worker is the state of one Run. All of it belongs to the goroutine of Run; life and reporter have their own.
type worker struct {
	q      *batch.Queue
	runner runner.Runner
	gates  *gate.Keeper
	o      Options
	// breaker says when nothing works here.
	breaker breaker
	// stop says stop claiming, now stop running; redis is for requests, and outlives them.
	stop, now, redis context.Context
	m                *batch.Member
	// outcomes are all that happened here in this run, over says that nobody needs them any more. untold are problems that the
	// run was not told.
	outcomes *outcomes
	over     bool
	untold   []batch.Problem
}

// member is one membership: from join to leave. Whether another should follow its error, rejoins tells.
func (w *worker) member(ctx context.Context) error {
	answer, err := w.join()
	if err != nil || answer.Markers.Over() {
		return err
	}
	life := w.live(answer)
	defer life.end()
	if err = w.retell(); err == nil {
		err = w.work(ctx, life)
	}
	if restErr := w.rest(); err == nil {
		err = restErr
	}
	switch {
	case rewound(err): // what Redis believes it to hold goes back at once
		return errors.Join(err, w.leave(w.m.Leave, err.Error()))
	case rejoins(err) || lost(err) || batch.Transient(err):
		return err
	}
	leave, why := w.m.Leave, "the run is over"
	switch {
	case errors.Is(err, ErrUnqualified):
		leave, why = w.m.LeaveUnqualified, err.Error()
	case err != nil:
		why = err.Error()
	case ctx.Err() != nil:
		why = errStopped.Error()
	}
	return errors.Join(err, w.leave(leave, why))
}

// join enters the run, or finds that it is over already.
func (w *worker) join() (answer batch.Answer, err error) {
	err = w.persist(func() error {
		id := cmp.Or(w.o.ID, batch.WorkerID(w.o.Name))
		w.o.ID = ""
		w.m, answer, err = w.q.JoinAs(w.stop, id, w.o.Info)
		return err
	})
	switch {
	case errors.Is(err, batch.Ended):
		w.over = true
		return batch.Answer{Markers: batch.Markers{Done: true}}, w.unheard()
	case w.stop.Err() != nil:
		return batch.Answer{Markers: batch.Markers{Done: true}}, w.abandon()
	case err == nil && w.o.Joined != nil:
		w.o.Joined(w.m.ID())
	}
	return answer, err
}

// abandon leaves a run whose answer to the join was not waited for.
func (w *worker) abandon() error {
	if w.m == nil {
		return nil
	}
	return w.leave(w.m.Leave, errStopped.Error())
}

func (w *worker) leave(leave func(ctx context.Context, why string) error, why string) error {
	err := w.persist(func() error { return leave(w.redis, why) })
	if errors.Is(err, batch.NotJoined) {
		return nil
	}
	return err
}

// work claims and runs batches until there is nothing left to do, and returns nil, or why it cannot go on.
func (w *worker) work(ctx context.Context, life *life) error {
	watch := recovery.NewWatch(w.q, w.q.Options().Lease)
	var deferred time.Time // since when there is nothing but tests that others should take
	for {
		if ctx.Err() != nil {
			return nil
		}
		eager := !deferred.IsZero() && time.Since(deferred) >= patience
		var claim batch.Claim
		err := w.persist(func() (err error) {
			claim, err = w.m.Claim(ctx, w.batchSize(), eager, w.gates.Refused()...)
			return err
		})
		switch {
		case errors.Is(err, batch.UnknownSpec):
			return errors.Join(err, w.settle(claim.Batch.Number, batch.HandBack))
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case claim.Batch.Number > 0:
			deferred = time.Time{}
			if err := w.run(ctx, life, claim.Batch); err != nil {
				return err
			}
		case claim.Markers.Over():
			w.over = true
			return nil
		case w.unqualified():
			return ErrUnqualified
		case claim.Deferred:
			if deferred.IsZero() {
				deferred = time.Now()
			}
			life.wait(ctx, time.Until(deferred.Add(patience)))
		case !w.resting():
			if err := w.rest(); err != nil {
				return err
			}
		default:
			pause := min(poll, w.q.Options().Lease/3) // a watch must not be blind for half a lease
			pause += rand.N(pause / 5)
			if next, ok := w.gates.Next(); ok {
				pause = min(pause, next)
			}
			if !life.wait(ctx, pause) {
				w.finish(watch)
			}
		}
	}
}

// finish does what else the controller does: it may be gone.
func (w *worker) finish(watch *recovery.Watch) {
	if err := watch.Look(w.redis); err != nil {
		w.o.Log.Debug("looked after the run", "error", err)
	}
}

func (w *worker) batchSize() int {
	if w.o.BatchSize > 0 {
		return w.o.BatchSize
	}
	return batch.MostTests
}

// run runs one batch to its settlement.
func (w *worker) run(ctx context.Context, life *life, b batch.Batch) error {
	running, cancel := context.WithCancelCause(w.now)
	defer cancel(nil)
	reports := w.newReporter(b, cancel)
	life.hold(reports, cancel)
	forget := context.AfterFunc(ctx, func() { w.drain(running, life, reports, cancel) })
	defer forget()

	qualified, runErr := w.pass(running, b)
	if qualified {
		job := runner.Job{Batch: b, Slot: w.o.Index, Env: w.env(b), Limits: w.o.Limits}
		watch := startStopwatch()
		if runErr = w.runner.Run(running, job, watch.watch(reports.emit)); runErr == nil {
			runErr = w.restAtLast(running, reports)
		}
		if !b.Alone { // those have a fresh process, whatever the others have
			w.m.Startup = watch.startup(w.m.Startup)
		}
	}
	if err := reports.close(); err != nil {
		w.untold = append(w.untold, reports.untold()...)
		return err
	}
	life.release()
	how, cause := batch.Requeue, context.Cause(running)
	if runErr != nil || cause != nil || !qualified || ctx.Err() != nil {
		how = batch.HandBack
	}
	if err := w.settle(b.Number, how); err != nil {
		return err
	}
	var useless *UselessError
	switch {
	case ctx.Err() != nil || errors.Is(cause, errAborted):
		return nil // the next claim, or the look at ctx, ends the work
	case errors.As(cause, &useless):
		return cause
	case runErr != nil && qualified:
		return fmt.Errorf("the runner cannot work: %w", runErr)
	case runErr != nil || !qualified || len(b.Tests) == 0:
		return runErr
	}
	return w.breaker.batch(w.othersWork)
}

// drain is what a stop does to the batch under way: tests that have not started go back at once, so that others run them
// while those that are running end; for that they have StopTimeout.
func (w *worker) drain(running context.Context, life *life, reports *reporter, cancel context.CancelCauseFunc) {
	left, returned := reports.drain()
	life.beatNow()
	if w.o.StopTimeout == 0 || (returned && len(left) == 0) {
		cancel(errStopped)
		return
	}
	w.o.Log.Info(fmt.Sprintf("stopping: what is running may take another %v", w.o.StopTimeout), "tests", left)
	after(w.stop, running, w.o.StopTimeout, func() { cancel(errStopped) })
}

func (w *worker) settle(number int, how batch.Settlement) error {
	return w.persist(func() error { _, err := w.m.Settle(w.redis, number, how); return err })
}

// env is what those of a batch know.
func (w *worker) env(b batch.Batch) []string {
	return append(Env(w.q.RunID(), w.m.ID(), w.o.Index), "SHARD_BATCH_ID="+w.m.ID()+"."+strconv.Itoa(b.Number))
}

// Env is what all processes of a worker's runner know of where they run.
func Env(runID, id string, index int) []string {
	return []string{"SHARD_RUN_ID=" + runID, "SHARD_WORKER_ID=" + id, "SHARD_WORKER_INDEX=" + strconv.Itoa(index)}
}
