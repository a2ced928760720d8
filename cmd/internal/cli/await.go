package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
)

// awaitPoll is how often Await looks for the run.
const awaitPoll = 500 * time.Millisecond

// Await attaches to a run, waiting for somebody to open it.
func Await(ctx context.Context, rdb redis.UniversalClient, runID string, most time.Duration, log *slog.Logger) (*batch.Queue, error) {
	began := time.Now()
	for said := false; ; {
		q, err := batch.Attach(ctx, rdb, runID)
		switch {
		case err == nil:
			return q, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !errors.Is(err, batch.Gone) && !batch.Transient(err):
			return nil, err
		case time.Since(began) > most:
			return nil, fmt.Errorf("%w: nobody opened it within --wait %v; does `shardctl run` or `shardctl enqueue` use the same --run-id and --redis-url?", err, most)
		case !said:
			log.Info(fmt.Sprintf("run %q is not open yet, waiting up to %v for it", runID, most))
			said = true
		}
		select {
		case <-time.After(awaitPoll):
		case <-ctx.Done():
		}
	}
}

// HostInfo tells people what a worker runs on.
func HostInfo() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s, process %d, %s/%s, %d CPUs", host, os.Getpid(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}
