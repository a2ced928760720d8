package batch_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
)

var (
	schedules = flag.Uint64("schedules", usualSchedules, "how many random schedules to simulate on each kind of server")
	duration  = flag.Duration("duration", 0, "simulate for this long, instead of a number of schedules")
	firstSeed = flag.Uint64("seed", 1, "the seed of the first schedule")
)

// someSchedules is after how many a long simulation says how far it is.
const someSchedules = 1000

func TestSimulation(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		t.Parallel()
		faults := map[string]int{}
		more := func(n uint64) bool { return n < *schedules }
		if *duration > 0 {
			end := time.Now().Add(*duration)
			more = func(uint64) bool { return time.Now().Before(end) }
		}
		n := uint64(0)
		for more(n) {
			for kind, count := range simulate(t, rdb, *firstSeed+n) {
				faults[kind] += count
			}
			if n++; n%someSchedules == 0 {
				t.Logf("%d schedules, up to seed %d", n, *firstSeed+n-1)
			}
		}
		var counts strings.Builder
		for _, kind := range slices.Sorted(maps.Keys(faults)) {
			fmt.Fprintf(&counts, ", %d %s", faults[kind], kind)
		}
		t.Logf("%d schedules%s", n, counts.String())
	})
}
