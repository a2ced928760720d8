package batch_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

var (
	scaleTests   = flag.Int("scale-tests", 0, "how many tests TestScale runs; 0: it is skipped")
	scaleWorkers = flag.Int("scale-workers", 64, "how many workers it has")
	scaleSeconds = flag.Float64("scale-seconds", 0, "how long each of its tests takes")
)

// TestScale runs tests that do nothing, or sleep, through simulated workers and a real Redis, and tells what that costs Redis.
func TestScale(t *testing.T) {
	if *scaleTests == 0 {
		t.Skip("see make bench-scale")
	}
	options := *batchtest.Real(t).Options()
	options.PoolSize = *scaleWorkers + 1 // as many processes would have
	rdb := redis.NewClient(&options)
	defer rdb.Close()
	ctx := t.Context()
	tests := make([]batch.Test, *scaleTests)
	for i := range tests {
		tests[i] = batch.Test{ID: fmt.Sprintf("package/of/tests::TestNumber%d", i), Seconds: *scaleSeconds}
	}
	o := batch.DefaultOptions()
	o.ExpectWorkers = *scaleWorkers
	q, err := batch.Open(ctx, rdb, "scale", "digest", o)
	fatal(t, err)
	began := time.Now()
	total, err := q.Enqueue(ctx, tests)
	fatal(t, err)
	fatal(t, q.Seal(ctx, total))
	t.Logf("enqueued %d tests in %v; %s", total, time.Since(began).Round(time.Millisecond), memory(t, rdb, total))
	fatal(t, rdb.ConfigResetStat(ctx).Err())
	before := cpu(t, rdb)
	began = time.Now()
	var (
		mu     sync.Mutex
		claims []time.Duration
		ran    int
		group  sync.WaitGroup
	)
	for i := range *scaleWorkers {
		group.Go(func() {
			time.Sleep(time.Duration(i) * 10 * time.Millisecond) // jobs do not begin all at once
			m, _, err := q.Join(ctx, "w"+strconv.Itoa(i), "")
			if err != nil {
				t.Error(err)
				return
			}
			for {
				asked := time.Now()
				claim, err := m.Claim(ctx, 5000, true)
				took := time.Since(asked)
				if err != nil {
					t.Error(err)
					return
				}
				if claim.Batch.Number == 0 {
					return
				}
				for part := range slices.Chunk(claim.Batch.IDs(), 500) {
					time.Sleep(time.Duration(float64(len(part)) * *scaleSeconds * float64(time.Second)))
					var events []batch.Event
					for _, id := range part {
						events = append(events, batch.Event{Type: batch.Finish, Test: id, Outcome: batch.Outcome{Status: batch.Passed, Seconds: *scaleSeconds}})
					}
					if _, err := m.Report(ctx, claim.Batch.Number, events); err != nil {
						t.Error(err)
						return
					}
				}
				if _, err := m.Settle(ctx, claim.Batch.Number, batch.Requeue); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				claims, ran = append(claims, took), ran+len(claim.Batch.Tests)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	wall := time.Since(began)
	progress, err := q.Finish(ctx, nil, false)
	fatal(t, err)
	slices.Sort(claims)
	at := func(part float64) time.Duration {
		return claims[int(part*float64(len(claims)-1))].Round(10 * time.Microsecond)
	}
	t.Logf("%d workers ran %d tests in %v (%s): %.0f tests a second, %d claims, p50 %v, p99 %v; %s in Redis itself, which used %.2f of a core; %s",
		*scaleWorkers, ran, wall.Round(time.Millisecond), progress, float64(ran)/wall.Seconds(), len(claims), at(0.5), at(0.99), scripts(t, rdb),
		(cpu(t, rdb)-before)/wall.Seconds(), memory(t, rdb, total))
	if ran != total || progress != batch.IsDone {
		t.Errorf("%d of %d tests ran, and the run is %s", ran, total, progress)
	}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cpu is how many seconds of a core Redis has used.
func cpu(t *testing.T, rdb *redis.Client) float64 {
	return info(t, rdb, "cpu", "used_cpu_user") + info(t, rdb, "cpu", "used_cpu_sys")
}

// scripts tells how long Redis, from 7.0 on, took for 99 of 100 scripts at most, of all kinds.
func scripts(t *testing.T, rdb *redis.Client) string {
	all, err := rdb.Do(context.Background(), "LATENCY", "HISTOGRAM", "evalsha").Result()
	fatal(t, err)
	evalsha := all.(map[any]any)["evalsha"].(map[any]any)
	upTo := evalsha["histogram_usec"].(map[any]any)
	calls := evalsha["calls"].(int64)
	for _, micros := range slices.SortedFunc(maps.Keys(upTo), func(a, b any) int { return cmp.Compare(a.(int64), b.(int64)) }) {
		if upTo[micros].(int64)*100 >= calls*99 {
			return fmt.Sprintf("p99 of %d scripts %v", calls, time.Duration(micros.(int64))*time.Microsecond)
		}
	}
	return ""
}

func memory(t *testing.T, rdb *redis.Client, tests int) string {
	bytes := info(t, rdb, "memory", "used_memory")
	return fmt.Sprintf("Redis holds %.0f MiB, %.0f bytes a test", bytes/(1<<20), bytes/float64(tests))
}

func info(t *testing.T, rdb *redis.Client, section, field string) float64 {
	text, err := rdb.Info(context.Background(), section).Result()
	fatal(t, err)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			number, err := strconv.ParseFloat(value, 64)
			fatal(t, err)
			return number
		}
	}
	return 0
}
