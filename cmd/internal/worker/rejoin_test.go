package worker_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/worker"
)

// soon is a lease after which a worker does not wait long for a run that is lost.
const soon = 400 * time.Millisecond

// idle starts a worker in a run whose list is open and empty, and returns it once it has joined.
func idle(t *testing.T, rdb *redis.Client, lease time.Duration) (f *fixture, wait func() error) {
	options := batch.DefaultOptions()
	options.Lease = lease
	q, err := batch.Open(t.Context(), rdb, "run", "list", options)
	if err != nil {
		t.Fatal(err)
	}
	f = &fixture{t, rdb, q}
	ended := make(chan error, 1)
	go func() {
		ended <- worker.Run(t.Context(), t.Context(), q, scripted(passing), worker.Options{
			Name: "w", Journal: t.TempDir(), Log: slog.New(slog.DiscardHandler),
			Gates: gate.Options{Settings: gate.DefaultSettings(), Log: slog.New(slog.DiscardHandler)},
		})
	}()
	f.until(ofType(batch.Joined))
	return f, func() error {
		t.Helper()
		select {
		case err := <-ended:
			return err
		case <-time.After(30 * time.Second):
			t.Fatal("the worker does not end")
			return nil
		}
	}
}

// A worker whose run is lost takes part again once its list is whole: a list that somebody is about to bring back may lack the tests
// that are left.
func TestFindWaitsForTheWholeList(t *testing.T) {
	for sealed, lease := range map[bool]time.Duration{true: 5 * time.Second, false: soon} {
		t.Run(fmt.Sprintf("sealed %v", sealed), func(t *testing.T) {
			t.Parallel()
			var looks atomic.Int32 // of who waits for the run
			rdb := batchtest.Before(t, func(script string, _ int) {
				if script == "finish" {
					looks.Add(1)
				}
			})
			f, wait := idle(t, rdb, lease)
			if err := rdb.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			back, err := f.q.Reopen(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f.q = back
			if _, err := back.Enqueue(t.Context(), []batch.Test{{ID: "a"}}); err != nil {
				t.Fatal(err)
			}
			if !sealed {
				if err := wait(); err == nil || !strings.Contains(err.Error(), "nobody has brought this run back within 1.6s") {
					t.Errorf("it ends with %v", err)
				}
				if d := f.dump(); len(d.Workers) > 0 || len(d.Queue) != 1 {
					t.Errorf("workers %v, queue %v", d.Workers, d.Queue)
				}
				return
			}
			for before := looks.Load(); looks.Load() == before; { // after the list is there, and not closed
				time.Sleep(5 * time.Millisecond)
			}
			if d := f.dump(); len(d.Workers) > 0 {
				t.Errorf("it has joined: %v", d.Workers)
			}
			if err := back.Seal(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			f.until(ofType(batch.Done))
			if err := wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A run that is cleaned away ends for its workers too: at once if they saw its end, else when nobody has brought it back.
func TestCleanedUnderWorker(t *testing.T) {
	for _, aborted := range []bool{true, false} {
		t.Run(fmt.Sprintf("aborted %v", aborted), func(t *testing.T) {
			t.Parallel()
			f, wait := idle(t, batchtest.Embedded(t), soon)
			if aborted {
				if _, err := f.q.Abort(t.Context(), batch.Abortion{Why: "test", Who: "test"}); err != nil {
					t.Fatal(err)
				}
				f.until(ofType(batch.Left))
			}
			if _, err := batch.Clean(t.Context(), f.rdb, "run"); err != nil {
				t.Fatal(err)
			}
			err := wait()
			if aborted && err != nil || !aborted && (err == nil || !strings.Contains(err.Error(), "nobody has brought this run back within 1.6s")) {
				t.Errorf("it ends with %v", err)
			}
			if left := f.rdb.Keys(t.Context(), "*").Val(); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}
