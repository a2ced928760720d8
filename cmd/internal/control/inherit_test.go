package control_test

import (
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

// Who opens a run that was lost brings back what it knows of it, before the list is closed.
func TestOpenBringsResultsBack(t *testing.T) {
	t.Parallel()
	rdb := batchtest.Embedded(t)
	q := open(t, rdb, "a", "b")
	must(t, rdb.FlushAll(t.Context()).Err())
	failed := batch.Outcome{Status: batch.Failed, Message: "on purpose"}
	back, err := control.Opening{
		RunID: "r", Tests: asTests("a", "b"), Manifest: "list", Options: q.Options(), Log: slog.New(slog.DiscardHandler), Known: q,
		Results: [][]batch.Event{{{Type: batch.Finish, Test: "a", Worker: "w", Batch: 3, Outcome: failed, Decision: batch.Final}}},
	}.Open(t.Context(), rdb)
	must(t, err)
	if back.Birth() != q.Birth() {
		t.Error("it is another run")
	}
	results, err := back.Results(t.Context())
	must(t, err)
	if len(results) != 1 || results["a"] != batch.Failed {
		t.Errorf("results %v", results)
	}
	work(t, back, batch.Passed)
	attend(t, control.Attendance{Queue: back, Tests: asTests("a", "b")}).wait(1, "FAILED: 1 of 2 tests failed, 1 passed", "on purpose")
}

// A run that was opened long ago is over for a controller that comes late, too.
func TestRunTimeoutOfAnOldRun(t *testing.T) {
	t.Parallel()
	rdb := batchtest.Embedded(t)
	q := open(t, rdb, "a")
	began := strconv.FormatInt(time.Now().Add(-2*time.Hour).UnixMilli(), 10)
	must(t, rdb.Del(t.Context(), q.Keys().Events()).Err())
	must(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: q.Keys().Events(), ID: began + "-0", Values: []string{"type", "open"}}).Err())
	a := control.Attendance{Queue: q, Tests: asTests("a")}
	must(t, parse(a.Limits.Register, "--run-timeout", "1h"))
	attend(t, a).wait(3, "the run took longer than --run-timeout 1h")
}
