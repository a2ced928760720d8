package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
)

// ending is a runner whose tests end as a map says, passed if it does not. It stops when it is told to.
func ending(statuses map[string]batch.Status, usual batch.Status) scripted {
	return func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		for _, id := range job.Batch.IDs() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			status := usual
			if s, ok := statuses[id]; ok {
				status = s
			}
			emit(start(id))
			e := finish(id, status)
			e.Outcome.Message = "on purpose"
			emit(e)
		}
		return nil
	}
}

// limited runs a worker that leaves after so many bad tests in a row.
func (f *fixture) limited(most, batchSize int, r scripted) error {
	return worker.Run(f.Context(), f.Context(), f.q, r, worker.Options{
		Name: "limited", BatchSize: batchSize, MaxConsecutiveFailures: most, Journal: f.TempDir(), Log: slog.New(slog.DiscardHandler),
		Gates: gate.Options{Settings: gate.DefaultSettings(), Log: slog.New(slog.DiscardHandler)},
	})
}

// useless expects that a worker left because nothing works on it, and says so.
func (f *fixture) useless(err error, says ...string) {
	f.Helper()
	var useless *worker.UselessError
	if !errors.As(err, &useless) {
		f.Fatalf("it ended with %v", err)
	}
	left := f.until(ofType(batch.Left))
	for _, text := range append(says, "--worker-timeout") {
		if !strings.Contains(err.Error(), text) || !strings.Contains(left.Text, text) {
			f.Errorf("it does not say %q: %v\nand to the run: %s", text, err, left.Text)
		}
	}
}

// A worker on which everything fails gives its batch back, uncharged, and leaves.
func TestConsecutiveFailures(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 8)
	err := f.limited(3, 8, ending(map[string]batch.Status{"t0001": batch.Crashed}, batch.Failed))
	f.useless(err, "3 tests in a row ended badly", "--max-consecutive-failures 3", "last was t0002: failed, on purpose")
	dump := f.dump()
	if diff := cmp.Diff(map[string]string{"t0000": "failed", "t0002": "failed"}, dump.Results); diff != "" {
		t.Error("results (-want +got):\n" + diff)
	}
	if diff := cmp.Diff([]string{"t0003", "t0004", "t0005", "t0006", "t0007"}, dump.Queue); diff != "" {
		t.Error("queue (-want +got):\n" + diff)
	}
	if len(dump.Requeue) != 1 || dump.Tries["t0003"].Claims != 0 || len(dump.Workers) != 0 {
		t.Errorf("requeue %v, tries %v, workers %v", dump.Requeue, dump.Tries, dump.Workers)
	}
}

// A runner that tells all at its end may have come to it: what it left out is given back all the same.
func TestConsecutiveFailuresToldAtTheEnd(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 8) // of which the first claim takes four
	err := f.limited(2, 4, func(_ context.Context, _ runner.Job, emit func(...batch.Event)) error {
		emit(finish("t0000", batch.Failed))
		emit(finish("t0001", batch.Failed))
		emit(finish("t0002", batch.Passed))
		return nil
	})
	f.useless(err, "last was t0001: failed; it leaves")
	if dump := f.dump(); len(dump.Results) != 3 || len(dump.Queue) != 5 || len(dump.Requeue) != 0 || dump.Tries["t0003"].Claims != 0 {
		t.Errorf("results %v, queue %v, tries %v", dump.Results, dump.Queue, dump.Tries)
	}
}

// Failures that do not follow each other are the tests' own; so are all of them where nobody set a limit.
func TestFailuresThatAreTheTests(t *testing.T) {
	for most, r := range map[int]scripted{
		2: ending(map[string]batch.Status{"t0000": batch.Failed, "t0002": batch.Failed, "t0003": batch.Skipped, "t0004": batch.Failed}, batch.Passed),
		0: ending(nil, batch.Failed),
	} {
		f := open(t, batchtest.Embedded(t), 5)
		ended := make(chan error)
		go func() { ended <- f.limited(most, 0, r) }()
		f.until(ofType(batch.Done))
		if err := <-ended; err != nil {
			t.Errorf("with the limit %d: %v", most, err)
		}
	}
}

// A worker none of whose tests comes to an end leaves while another works, and no test is convicted.
func TestBrokenMachine(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 12)
	broken := make(chan struct{})
	first := true
	good := f.work(t.Context(), "good", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		if !first {
			return passing(ctx, job, emit)
		}
		first = false
		emit(finish(job.Batch.Tests[0].ID, batch.Passed))
		<-broken
		return passing(ctx, runner.Job{Batch: batch.Batch{Tests: job.Batch.Tests[1:]}}, emit)
	}, 3)
	f.until(ofType(batch.Finish))
	err := f.limited(0, 2, ending(nil, batch.Crashed))
	close(broken)
	f.useless(err, "none of the first 3 batches", "set up like theirs?")
	f.until(ofType(batch.Done))
	if err := good(); err != nil {
		t.Error(err)
	}
	dump := f.dump()
	for id, status := range dump.Results {
		if status != "passed" || dump.Tries[id].Crashes != 0 {
			t.Errorf("%s: %s, %+v", id, status, dump.Tries[id])
		}
	}
}

// Where nobody shows that it can be done better, a worker stays, and the budgets of the tests end the run.
func TestNobodyWorks(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 6)
	wait := f.work(t.Context(), "w", ending(nil, batch.Crashed), 1)
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Error(err)
	}
}
