package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// After a stop the tests that have not started go back at once, while the running one ends.
func TestDrain(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		f := open(t, rdb, 6) // of which a claim takes three
		stop, signal := context.WithCancel(t.Context())
		goOn := make(chan struct{})
		wait := f.workUntil(stop, t.Context(), time.Hour, "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
			emit(start("t0000"))
			<-goOn
			if ctx.Err() != nil {
				t.Error("the runner was stopped although its test was running")
			}
			emit(finish("t0000", batch.Passed))
			emit(start("t0001")) // it was given back
			emit(finish("t0001", batch.Failed))
			<-ctx.Done()
			return context.Cause(ctx)
		}, 3)
		f.until(ofType(batch.Start))
		signal()
		returned := f.until(ofType(batch.Returned))
		if diff := cmp.Diff([]string{"t0001", "t0002"}, sorted(returned.Tests)); diff != "" {
			t.Error("returned at once (-want +got):\n" + diff)
		}
		close(goOn)
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		dump := f.dump()
		if diff := cmp.Diff([]string{"t0001", "t0002", "t0003", "t0004", "t0005"}, dump.Queue); diff != "" {
			t.Error("queue (-want +got):\n" + diff)
		}
		if diff := cmp.Diff(map[string]string{"t0000": "passed"}, dump.Results); diff != "" {
			t.Error("results (-want +got):\n" + diff)
		}
		for id, tries := range dump.Tries {
			if id != "t0000" && (tries.Claims != 0 || tries.Failures != 0) {
				t.Errorf("%s was charged: %+v", id, tries)
			}
		}
	})
}

// A test that does not end in time goes back uncharged, as does any after a second signal.
func TestDrainEnds(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"timeout": 10 * time.Millisecond, "at once": 0, "second signal": time.Hour} {
		t.Run(name, func(t *testing.T) {
			f := open(t, batchtest.Embedded(t), 4) // of which a claim takes two
			stop, signal := context.WithCancel(t.Context())
			now, again := context.WithCancel(t.Context())
			defer again()
			wait := f.workUntil(stop, now, timeout, "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
				emit(start("t0000"))
				<-ctx.Done()
				return context.Cause(ctx)
			}, 2)
			f.until(ofType(batch.Start))
			signal()
			if name == "second signal" {
				f.until(ofType(batch.Returned))
				again()
			}
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			dump := f.dump()
			if len(dump.Queue) != 4 || len(dump.Workers) != 0 || dump.Tries["t0000"].Claims != 0 {
				t.Errorf("queue %v, workers %v, tries %v", dump.Queue, dump.Workers, dump.Tries)
			}
		})
	}
}

// A test that finishes while it is being stopped keeps its real result.
func TestResultDuringStop(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	stop, signal := context.WithCancel(t.Context())
	wait := f.work(stop, "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		emit(start("t0000"))
		signal()
		<-ctx.Done()
		emit(finish("t0000", batch.Failed))
		return context.Cause(ctx)
	}, 1)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if got := f.dump().Results["t0000"]; got != "failed" {
		t.Errorf("result %q", got)
	}
}

// A stop is bounded even if Redis does not answer.
func TestStopWithoutRedis(t *testing.T) {
	server := batchtest.StartReal(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr, MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	f := open(t, rdb, 1)
	stop, signal := context.WithCancel(t.Context())
	wait := f.work(stop, "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		emit(start("t0000"))
		<-ctx.Done()
		return context.Cause(ctx)
	}, 1)
	f.until(ofType(batch.Start))
	server.Stop()
	signal()
	if err := wait(); err == nil {
		t.Error("no error although nothing could be handed back")
	}
}
