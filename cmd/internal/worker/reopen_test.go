package worker_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
)

// When Redis has lost a run, its worker opens it again: who comes with the list, and never saw the run, finds the same one, in
// which counts what the worker has finished.
func TestReopen(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 2)
	begun := make(chan string, 10)
	release := make(chan struct{})
	script := scripted(func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		id := job.Batch.IDs()[0]
		begun <- id
		if id == "t0001" {
			select {
			case <-release:
			case <-ctx.Done():
				return nil
			}
		}
		return passing(ctx, job, emit)
	})
	ended := make(chan error, 1)
	go func() {
		ended <- worker.Run(t.Context(), t.Context(), f.q, script, worker.Options{
			Name: "w", BatchSize: 1, Journal: t.TempDir(), Reopen: true, Log: slog.New(slog.DiscardHandler),
			Gates: gate.Options{Settings: gate.DefaultSettings(), Log: slog.New(slog.DiscardHandler)},
		})
	}()
	<-begun
	if id := <-begun; id != "t0001" {
		t.Fatalf("%s begins second", id)
	}
	if err := f.rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); f.rdb.Exists(t.Context(), f.q.Keys().Run()).Val() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the worker does not open the run again")
		}
	}
	back := open(t, f.rdb, 2)
	if back.q.Birth() != f.q.Birth() {
		t.Error("it is another run")
	}
	close(release)
	back.until(ofType(batch.Done))
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if again := <-begun; again != "t0001" || len(begun) > 0 {
		t.Errorf("%s was executed again, and %d more", again, len(begun))
	}
}
