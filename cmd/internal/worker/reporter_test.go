package worker_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// counting counts requests, and loses the replies of some of them.
type counting struct {
	requests atomic.Int64
	lose     func(n int64) bool
}

var errLost = fmt.Errorf("simulated: %w", io.ErrUnexpectedEOF)

func (c *counting) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (c *counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if strings.HasPrefix(cmd.Name(), "eval") {
			if n := c.requests.Add(1); c.lose != nil && c.lose(n) {
				cmd.SetErr(errLost)
				return errLost
			}
		}
		return err
	}
}

// While a report is under way further events gather: thousands of fast tests cost few requests.
func TestReportsAreCoalesced(t *testing.T) {
	rdb := batchtest.Embedded(t)
	f := open(t, rdb, 5000)
	count := &counting{}
	rdb.AddHook(count)
	wait := f.work(t.Context(), "w", passing, 1000)
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if n := count.requests.Load(); n > 500 {
		t.Errorf("%d requests for 5000 tests", n)
	}
}

func TestLostRepliesChangeNothing(t *testing.T) {
	rdb := batchtest.Embedded(t)
	f := open(t, rdb, 40)
	wait := f.work(t.Context(), "w", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		return passing(ctx, job, emit)
	}, 7)
	f.until(ofType(batch.Joined))
	rdb.AddHook(&counting{lose: func(n int64) bool { return n%3 == 0 && n < 20 }})
	f.q = reattach(t, f)
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	for id, tries := range f.dump().Tries {
		if tries.Claims != 1 {
			t.Errorf("%s was claimed %d times", id, tries.Claims)
		}
	}
}

// reattach gives the test's own requests a connection without faults.
func reattach(t *testing.T, f *fixture) *batch.Queue {
	clean := redis.NewClient(&redis.Options{Addr: f.rdb.Options().Addr})
	t.Cleanup(func() { _ = clean.Close() })
	f.rdb = clean
	q, err := batch.Attach(t.Context(), clean, "run")
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestOutputThatTravelsIsBounded(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	wait := f.work(t.Context(), "w", func(_ context.Context, job runner.Job, emit func(...batch.Event)) error {
		e := finish(job.Batch.Tests[0].ID, batch.Failed)
		e.Outcome.Output = "beginning" + strings.Repeat("x", 1<<20) + "end"
		emit(e)
		return nil
	}, 1)
	output := f.until(ofType(batch.Finish)).Outcome.Output
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if len(output) > 17<<10 || !strings.HasPrefix(output, "beginning") || !strings.HasSuffix(output, "end") {
		t.Errorf("%d bytes, %.20q … %q", len(output), output, output[len(output)-20:])
	}
}
