package worker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// An idle worker leaves when it is told to stop at once, also if nobody told it to stop before.
func TestNowWhileIdle(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	now, stop := context.WithCancel(t.Context())
	wait := f.workUntil(t.Context(), now, time.Hour, "w", passing, 1)
	f.until(ofType(batch.Settled))
	stop()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if workers := f.dump().Workers; len(workers) > 0 {
		t.Errorf("left: %v", workers)
	}
}

// A stop that gives nothing back leaves the runner its end: how it exits is part of what it has to tell.
func TestDrainLeavesTheRunnerItsEnd(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	stop, signal := context.WithCancel(t.Context())
	drained := make(chan struct{})
	wait := f.workUntil(stop, t.Context(), time.Hour, "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		emit(start("t0000"))
		signal()
		<-drained
		emit(finish("t0000", batch.Passed))
		if ctx.Err() != nil {
			t.Error("the runner was stopped although it had nothing left to run")
		}
		emit(batch.Event{Type: batch.ProblemFound, Problem: batch.Problem{Scope: "p", Message: "exit status 3"}})
		return nil
	}, 1)
	f.until(ofType(batch.Start))
	for leaving := false; !leaving; {
		workers, err := f.q.Workers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leaving = len(workers) == 1 && workers[0].Leaving
	}
	close(drained)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	f.until(ofType(batch.ProblemFound))
}

// A problem that a worker could not tell before the run ended makes its own end an error: nobody else knows of it.
func TestUntoldProblem(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	wait := f.work(t.Context(), "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		emit(finish("t0000", batch.Passed))
		f.until(ofType(batch.Finish))
		for reaped := false; !reaped; { // it may beat in between
			workers, err := f.q.Workers(t.Context())
			if err != nil {
				t.Error(err)
				return err
			}
			if reaped, _, err = f.q.Reap(t.Context(), workers[0].ID, workers[0].Beat, "test"); err != nil {
				t.Error(err)
				return err
			}
		}
		if progress, err := f.q.Finish(t.Context(), nil, false); progress != batch.IsDone || err != nil {
			t.Errorf("%s, %v", progress, err)
		}
		emit(batch.Event{Type: batch.ProblemFound, Problem: batch.Problem{Scope: "p", Message: "exit status 3"}})
		return nil
	}, 1)
	if err := wait(); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}

// If the controller is gone, an idle worker posts the done marker of a complete run.
func TestFinishesWithoutController(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	if err := f.work(t.Context(), "w", passing, 1)(); err != nil {
		t.Fatal(err)
	}
	if control := f.dump().Control; len(control) != 2 {
		t.Errorf("markers %v", control)
	}
}
