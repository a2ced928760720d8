package batch_test

import (
	"flag"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
)

var (
	schedules = flag.Uint64("schedules", usualSchedules, "how many random schedules to simulate on each kind of server")
	firstSeed = flag.Uint64("seed", 1, "the seed of the first schedule")
)

func TestSimulation(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		t.Parallel()
		for n := range *schedules {
			simulate(t, rdb, *firstSeed+n)
		}
	})
}
