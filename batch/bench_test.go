package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// benchTests is how many tests, which do nothing, one run of a benchmark has.
const benchTests = 5000

// BenchmarkProtocol works off runs by claim, report (a start and a finish of each test) and settle. It says
//
//	tests/s         tests that got their result, by all workers together
//	roundtrips/test requests that workers sent, per test
//	commands/test   commands that Redis processed, those inside scripts included (real server only)
//	x-floor         the time that it took, in units of what the same number of goroutines needs in the same
//	                minute for no more than LPOP, SADD, HSET and DEL, in batches of the same size, without any script
//
// The last batches of a run are smaller than the benchmark's name says: a claim takes no more than half of a fair share.
func BenchmarkProtocol(b *testing.B) {
	for _, server := range []struct {
		name  string
		start func(testing.TB) *redis.Client
	}{{"embedded", batchtest.Embedded}, {"real", batchtest.Real}} {
		b.Run("server="+server.name, func(b *testing.B) {
			options := *server.start(b).Options()
			for _, workers := range []int{1, 8, 64} {
				for _, most := range []int{1, 10, 100} {
					b.Run(fmt.Sprintf("workers=%d/batch=%d", workers, most), func(b *testing.B) {
						options.PoolSize = workers + 1 // as many processes would have
						rdb := redis.NewClient(&options)
						defer rdb.Close()
						bench(b, rdb, workers, most, server.name == "real")
					})
				}
			}
		})
	}
}

func bench(b *testing.B, rdb *redis.Client, workers, most int, countsCommands bool) {
	var sent roundTrips
	rdb.AddHook(&sent)
	var tests, requests, commands int64
	var took, floor time.Duration
	for b.Loop() {
		b.StopTimer()
		members := benchRun(b, rdb, workers)
		before := processed(b, rdb)
		sent.n.Store(0)
		b.StartTimer()
		began := time.Now()
		concurrently(b, workers, func(i int) error { return workOff(b.Context(), members[i], most) })
		b.StopTimer()
		took += time.Since(began)
		requests += sent.n.Load()
		commands += processed(b, rdb) - before
		tests += benchTests
		floor += benchFloor(b, rdb, workers, most)
		if _, err := batch.Clean(b.Context(), rdb, benchID); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(tests)/took.Seconds(), "tests/s")
	b.ReportMetric(float64(requests)/float64(tests), "roundtrips/test")
	b.ReportMetric(took.Seconds()/floor.Seconds(), "x-floor")
	if countsCommands {
		b.ReportMetric(float64(commands)/float64(tests), "commands/test")
	}
}

const benchID = "bench"

// benchRun opens a run that some workers have joined.
func benchRun(b *testing.B, rdb *redis.Client, workers int) []*batch.Member {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	q, err := batch.Open(b.Context(), rdb, benchID, "digest", batch.DefaultOptions())
	must(err)
	list := make([]batch.Test, benchTests)
	for i := range list {
		list[i].ID = benchTest(i)
	}
	_, err = q.Enqueue(b.Context(), list)
	must(err)
	must(q.Seal(b.Context(), benchTests))
	members := make([]*batch.Member, workers)
	for i := range members {
		members[i], _, err = q.Join(b.Context(), "w"+strconv.Itoa(i), "")
		must(err)
	}
	return members
}

func benchTest(i int) string { return fmt.Sprintf("example.com/shop/store::TestOrder%04d", i) }

// workOff runs tests until nothing is left to be claimed.
func workOff(ctx context.Context, m *batch.Member, most int) error {
	for {
		claim, err := m.Claim(ctx, most, false)
		if err != nil || claim.Batch.Number == 0 {
			return err
		}
		var events []batch.Event
		for _, id := range claim.Batch.IDs() {
			events = append(events, start(id), finish(id, batch.Passed))
		}
		if _, err := m.Report(ctx, claim.Batch.Number, events); err != nil {
			return err
		}
		if _, err := m.Settle(ctx, claim.Batch.Number, batch.Requeue); err != nil {
			return err
		}
	}
}

// benchFloor is how long the least takes that any queue of this kind does.
func benchFloor(b *testing.B, rdb *redis.Client, workers, most int) time.Duration {
	b.Helper()
	ctx := b.Context()
	list := make([]any, benchTests)
	for i := range list {
		list[i] = benchTest(i)
	}
	if err := rdb.RPush(ctx, "{floor}", list...).Err(); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	concurrently(b, workers, func(i int) error {
		set := "{floor}_worker_" + strconv.Itoa(i)
		for {
			claimed, err := rdb.LPopCount(ctx, "{floor}", most).Result()
			if errors.Is(err, redis.Nil) {
				return nil
			}
			if err != nil {
				return err
			}
			if _, err := rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
				pipe.SAdd(ctx, set, claimed)
				for _, id := range claimed {
					pipe.HSet(ctx, "{floor}_results", id, "passed")
				}
				pipe.Del(ctx, set)
				return nil
			}); err != nil {
				return err
			}
		}
	})
	took := time.Since(began)
	if n := rdb.HLen(ctx, "{floor}_results").Val(); n != benchTests {
		b.Fatalf("the floor has %d results", n)
	}
	rdb.Del(ctx, "{floor}_results")
	return took
}

// concurrently calls do n times at once, and fails the benchmark if one of them fails.
func concurrently(b *testing.B, n int, do func(i int) error) {
	b.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
}

// processed is how many commands a real server has processed, and 0 of the embedded one.
func processed(b *testing.B, rdb *redis.Client) int64 {
	b.Helper()
	info, err := rdb.Info(b.Context(), "stats").Result()
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(info, "total_commands_processed:")
	text, _, _ := strings.Cut(rest, "\r\n")
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// roundTrips counts requests; a pipeline is one.
type roundTrips struct{ n atomic.Int64 }

func (c *roundTrips) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *roundTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { c.n.Add(1); return next(ctx, cmd) }
}
func (c *roundTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { c.n.Add(1); return next(ctx, cmds) }
}
