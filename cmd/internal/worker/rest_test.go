package worker_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// keeper is a runner that keeps a process from its first batch until it may rest, which is when it finds a problem.
type keeper struct {
	scripted
	kept  atomic.Bool
	rests atomic.Int32
	rest  func(ctx context.Context, emit func(...batch.Event)) error
}

func (k *keeper) Run(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
	k.kept.Store(true)
	return k.scripted(ctx, job, emit)
}

func (k *keeper) Resting(slot int) bool {
	if slot != 3 {
		panic("the worker's index is 3")
	}
	return !k.kept.Load()
}

func (k *keeper) Rest(ctx context.Context, _ int, _ runner.Limits, emit func(...batch.Event)) error {
	k.kept.Store(false)
	k.rests.Add(1)
	return k.rest(ctx, emit)
}

var torn = batch.Event{Type: batch.ProblemFound, Problem: batch.Problem{Scope: "fixture", Message: "teardown failed"}}

func complains(_ context.Context, emit func(...batch.Event)) error {
	emit(torn)
	return nil
}

// What a kept process finds when it ends is told before the run is over.
func TestRestComesBeforeTheEnd(t *testing.T) {
	for range 20 {
		f := open(t, batchtest.Embedded(t), 9)
		k := &keeper{scripted: passing, rest: complains}
		wait := f.workWith(t.Context(), t.Context(), 0, "w", k, 0)
		told := false
		f.until(func(e batch.Event) bool {
			told = told || e.Type == batch.ProblemFound && e.Problem.Message == torn.Problem.Message
			return e.Type == batch.Done
		})
		if err := wait(); err != nil || !told || !k.Resting(3) {
			t.Fatalf("%v; the problem was told before the end: %v; rested %d times", err, told, k.rests.Load())
		}
	}
}

// A worker that waits for others keeps no process.
func TestRestWhileIdle(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 2)
	other, _, err := f.q.Join(t.Context(), "other", "")
	if err != nil {
		t.Fatal(err)
	}
	claim, err := other.Claim(t.Context(), 1, true)
	if err != nil || len(claim.Batch.Tests) != 1 {
		t.Fatal(claim, err)
	}
	k := &keeper{scripted: passing, rest: complains}
	wait := f.workWith(t.Context(), t.Context(), 0, "w", k, 0)
	f.until(ofType(batch.ProblemFound))
	if _, err := other.Report(t.Context(), 1, []batch.Event{finish(claim.Batch.Tests[0].ID, batch.Passed)}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Settle(t.Context(), 1, batch.Requeue); err != nil {
		t.Fatal(err)
	}
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
}

// A stop leaves the process time to clean up, but not for ever.
func TestRestAfterStop(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 4)
	ctx, stop := context.WithCancelCause(t.Context())
	began := make(chan struct{})
	k := &keeper{
		scripted: func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
			emit(start(job.Batch.IDs()[0]))
			close(began)
			<-ctx.Done()
			return context.Cause(ctx)
		},
		rest: func(ctx context.Context, emit func(...batch.Event)) error {
			<-ctx.Done() // it hangs
			emit(torn)
			return context.Cause(ctx)
		},
	}
	now, stopNow := context.WithCancel(t.Context())
	defer stopNow()
	wait := f.workWith(ctx, now, 50*time.Millisecond, "w", k, 1)
	<-began
	stop(errors.New("enough"))
	if err := wait(); err != nil && !strings.Contains(err.Error(), "stopped") {
		t.Fatal(err)
	}
	f.until(ofType(batch.ProblemFound))
}
