package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a runner made of a function.
type scripted func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error

func (s scripted) Run(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
	return s(ctx, job, emit)
}

func start(id string) batch.Event { return batch.Event{Type: batch.Start, Test: id} }

func finish(id string, status batch.Status) batch.Event {
	return batch.Event{Type: batch.Finish, Test: id, Outcome: batch.Outcome{Status: status}}
}

// passing runs every test of a job well.
func passing(_ context.Context, job runner.Job, emit func(...batch.Event)) error {
	for _, id := range job.Batch.IDs() {
		emit(start(id))
		emit(finish(id, batch.Passed))
	}
	return nil
}

// fixture is a run whose list is closed.
type fixture struct {
	*testing.T
	rdb *redis.Client
	q   *batch.Queue
}

func open(t *testing.T, rdb *redis.Client, tests int) *fixture {
	options := batch.DefaultOptions()
	options.Lease = 2 * time.Second // a beat every quarter of a second
	options.ExpectWorkers = 1       // so that a first claim takes half of what it finds
	q, err := batch.Open(t.Context(), rdb, "run", "list", options)
	if err != nil {
		t.Fatal(err)
	}
	var list []batch.Test
	for i := range tests {
		list = append(list, batch.Test{ID: fmt.Sprintf("t%04d", i)})
	}
	if _, err := q.Enqueue(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if err := q.Seal(t.Context(), tests); err != nil {
		t.Fatal(err)
	}
	return &fixture{t, rdb, q}
}

// work starts a worker, and returns a function that waits for its end.
func (f *fixture) work(ctx context.Context, name string, r scripted, batchSize int) (wait func() error) {
	return f.workUntil(ctx, ctx, 0, name, r, batchSize)
}

func (f *fixture) workUntil(stop, now context.Context, stopTimeout time.Duration, name string, r scripted, batchSize int) (wait func() error) {
	return f.workWith(stop, now, stopTimeout, name, r, batchSize)
}

func (f *fixture) workWith(stop, now context.Context, stopTimeout time.Duration, name string, r runner.Runner, batchSize int) (wait func() error) {
	ended := make(chan error, 1)
	go func() {
		ended <- worker.Run(stop, now, f.q, r, worker.Options{
			Name: name, BatchSize: batchSize, Log: slog.New(slog.DiscardHandler), Index: 3, StopTimeout: stopTimeout,
			Gates: gate.Options{Settings: gate.DefaultSettings(), Log: slog.New(slog.DiscardHandler)},
		})
	}()
	return func() error {
		f.Helper()
		return <-ended
	}
}

// until follows the journal, as a controller does, until an event pleases, and returns it.
func (f *fixture) until(pleases func(batch.Event) bool) batch.Event {
	f.Helper()
	cursor := batch.JournalStart
	for {
		events, err := f.q.Events(f.Context(), cursor, 100, time.Minute)
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range events {
			cursor = e.ID
			if pleases(e) {
				return e
			}
		}
		if _, err := f.q.Finish(f.Context(), nil, false); err != nil {
			f.Fatal(err)
		}
	}
}

func ofType(kind batch.EventType) func(batch.Event) bool {
	return func(e batch.Event) bool { return e.Type == kind }
}

func (f *fixture) dump() batchtest.Dump {
	f.Helper()
	dump, err := batchtest.Read(context.Background(), f.rdb, f.q.Keys())
	if err != nil {
		f.Fatal(err)
	}
	if err := dump.Check(); err != nil {
		f.Error(err)
	}
	return dump
}

func TestRunsAllAndLeaves(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		f := open(t, rdb, 300)
		first, second := f.work(t.Context(), "a", passing, 10), f.work(t.Context(), "b", passing, 0)
		f.until(ofType(batch.Done))
		if err := errors.Join(first(), second()); err != nil {
			t.Fatal(err)
		}
		dump := f.dump()
		if len(dump.Results) != 300 || len(dump.Workers) != 0 || len(dump.Sets) != 0 || len(dump.Queue) != 0 {
			t.Errorf("left behind: %d results, workers %v, sets %v, queue %v", len(dump.Results), dump.Workers, dump.Sets, dump.Queue)
		}
	})
}

func TestNotExecutedRunsAlone(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 5)
	var alone []string
	wait := f.work(t.Context(), "w", func(_ context.Context, job runner.Job, emit func(...batch.Event)) error {
		if job.Batch.Alone {
			alone = append(alone, job.Batch.IDs()...)
		}
		for _, id := range job.Batch.IDs() {
			if id == "t0002" && !job.Batch.Alone {
				emit(finish(id, batch.Crashed))
				return nil // and its batch-mates were not executed
			}
			emit(finish(id, batch.Passed))
		}
		return nil
	}, 5)
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if len(alone) == 0 {
		t.Error("nothing ran alone")
	}
	if crashes := f.dump().Tries["t0002"].Crashes; crashes != 1 {
		t.Errorf("%d crashes counted", crashes)
	}
}

func TestStopHandsBack(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 4)
	ctx, stop := context.WithCancel(t.Context())
	wait := f.work(ctx, "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		emit(start("t0000"))
		emit(finish("t0000", batch.Passed))
		emit(start("t0001"))
		stop()
		<-ctx.Done()
		return context.Cause(ctx)
	}, 2)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	dump := f.dump()
	if diff := cmp.Diff([]string{"t0001", "t0002", "t0003"}, dump.Queue); diff != "" {
		t.Error("queue (-want +got):\n" + diff)
	}
	if dump.Results["t0000"] != "passed" || dump.Tries["t0001"].Claims != 0 || len(dump.Workers) != 0 {
		t.Errorf("results %v, tries %v, workers %v", dump.Results, dump.Tries, dump.Workers)
	}
}

// A worker that was taken for dead stops its runner, joins anew, and what it finished counts.
func TestPresumedDead(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 3)
	stopped := make(chan struct{})
	first := true
	wait := f.work(t.Context(), "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		if !first {
			return passing(ctx, job, emit)
		}
		first = false
		emit(start(job.Batch.Tests[0].ID))
		<-ctx.Done()
		emit(finish(job.Batch.Tests[0].ID, batch.Passed))
		close(stopped)
		return context.Cause(ctx)
	}, 3)
	f.until(ofType(batch.Start))
	for reaped := false; !reaped; { // it may beat in between
		workers, err := f.q.Workers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if reaped, _, err = f.q.Reap(t.Context(), workers[0].ID, workers[0].Beat, "test"); err != nil {
			t.Fatal(err)
		}
	}
	<-stopped
	late := f.until(func(e batch.Event) bool { return e.Type == batch.Finish && e.Test == "t0000" })
	if late.Batch != batch.NoBatch || late.Decision != batch.Final {
		t.Errorf("the late pass: %+v", late)
	}
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	f.dump()
}

func TestAbortStopsRunner(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 3)
	wait := f.work(t.Context(), "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		emit(start(job.Batch.Tests[0].ID))
		<-ctx.Done()
		return context.Cause(ctx)
	}, 2)
	f.until(ofType(batch.Start))
	if _, err := f.q.Abort(t.Context(), batch.Abortion{Why: "enough", Who: "me"}); err != nil {
		t.Fatal(err)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	dump := f.dump()
	if len(dump.Queue) != 3 || len(dump.Workers) != 0 {
		t.Errorf("queue %v, workers %v", dump.Queue, dump.Workers)
	}
}

func TestLongTestIsKept(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 2)
	long := make(chan struct{})
	runs := 0
	wait := f.work(t.Context(), "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		runs++
		<-long
		return passing(ctx, job, emit)
	}, 2)
	for beats := int64(0); beats < 3; { // meanwhile nothing is given back
		workers, err := f.q.Workers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(workers) == 1 {
			beats = workers[0].Beat
		}
	}
	close(long)
	f.until(ofType(batch.Done))
	if err := wait(); err != nil || runs > 2 {
		t.Fatalf("%d runs, %v", runs, err)
	}
}

func TestRunnerThatCannotWork(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 2)
	broken := errors.New("no space left on device")
	wait := f.work(t.Context(), "w", func(context.Context, runner.Job, func(...batch.Event)) error { return broken }, 2)
	if err := wait(); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	dump := f.dump()
	if len(dump.Queue) != 2 || len(dump.Workers) != 0 {
		t.Errorf("queue %v, workers %v", dump.Queue, dump.Workers)
	}
}

func TestOverBeforeJoin(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	if _, err := f.q.Abort(t.Context(), batch.Abortion{Why: "enough", Who: "me"}); err != nil {
		t.Fatal(err)
	}
	if err := f.work(t.Context(), "w", passing, 1)(); err != nil {
		t.Fatal(err)
	}
}

func TestEnvironment(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	var env []string
	wait := f.work(t.Context(), "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		env = job.Env
		return passing(ctx, job, emit)
	}, 1)
	joined := f.until(ofType(batch.Joined))
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"SHARD_RUN_ID=run", "SHARD_WORKER_ID=" + joined.Worker, "SHARD_WORKER_INDEX=3", "SHARD_BATCH_ID=" + joined.Worker + ".1",
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Error("environment (-want +got):\n" + diff)
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
