package main

import (
	"errors"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/plan"
)

// fallback is what a worker does when Redis cannot be reached at the start: it runs its own shard of a static split, with a
// server in this process.
type fallback struct {
	how   string
	shard cli.Shard
	// index of total is the shard, once it is decided; total 0: the run is on Redis.
	index, total int
}

// static is the only fallback there is.
const static = "static"

// check checks the flags. A shard alone would do nothing: a worker of a queue takes whatever is left.
func (f *fallback) check(elect bool, args cli.Args, lookupEnv func(string) (string, bool)) error {
	switch {
	case f.how == "":
		for _, name := range []string{"shard", "shard-index", "shard-total"} {
			if args.Flags[name] {
				return cli.Usagef("--%s is for --fallback %s: give that too; without a Redis at all, see `shardctl split`", name, static)
			}
		}
		return nil
	case f.how != static:
		return cli.Usagef("--fallback %q: the only one is %s", f.how, static)
	case !elect:
		return cli.Usagef("--fallback is for workers that can list the tests: give --elect too")
	}
	_, _, err := f.shard.Resolve(lookupEnv) // now, not on the day when Redis is away
	return err
}

// connect returns the embedded server if Redis is out of reach and the worker may go on without. err is why it is.
//
// A run that is run again must not: results of the queue that it began with would be missing from its verdict.
func (f *fallback) connect(err error, lookupEnv func(string) (string, bool), log *slog.Logger) (redis.UniversalClient, func(), error) {
	var unreachable *cli.UnreachableError
	if f.how == "" || !errors.As(err, &unreachable) {
		return nil, nil, err
	}
	if former := cli.FormerRunIDs(lookupEnv); len(former) > 0 {
		return nil, nil, errors.Join(err, errors.New("--fallback: not in a run that is run again, as its first attempt may have been on Redis"))
	}
	index, total, shardErr := f.shard.Resolve(lookupEnv)
	if shardErr != nil {
		return nil, nil, errors.Join(err, shardErr)
	}
	log.Warn("Redis cannot be reached: running one shard of a static split, without the other jobs; let `shardctl merge --expect` prove that all shards ran",
		"shard", index+1, "of", total, "error", err)
	f.index, f.total = index, total
	return cli.Embedded()
}

// cut leaves the tests of the shard. Every job has to come to the same split, so recorded durations do not count: runs write them, and a
// job that finds what another has just written would leave tests to nobody.
func (f *fallback) cut(tests []batch.Test, log *slog.Logger) []batch.Test {
	part := append([]batch.Test{}, plan.Split(tests, f.index, f.total)...) // nil would mean that nobody knows
	log.Info(plan.DescribeSplit(tests, part, f.index, f.total))
	return part
}
