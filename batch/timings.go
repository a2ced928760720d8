package batch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// timingsKeep is how long timings are kept that no run renews.
const timingsKeep = 90 * 24 * time.Hour

// TimingsPattern matches the keys of the timings of all suites.
const TimingsPattern = "{shard-timings:*"

// TimingsKey is the HASH that keeps what is known of the tests of a suite from run to run: one field a test, its value the
// caller's. It lies outside of all runs, and needs rights of its own.
func TimingsKey(name string) string { return "{shard-timings:" + name + "}" }

// Timings returns the values of some fields of a suite's timings; a field that is not there is not in the map. A nil list means
// all.
func Timings(ctx context.Context, rdb redis.UniversalClient, name string, fields []string) (map[string]string, error) {
	if fields == nil {
		all, err := rdb.HGetAll(ctx, TimingsKey(name)).Result()
		return all, ofTimings(name, err)
	}
	values := make(map[string]string, len(fields))
	for len(fields) > 0 {
		some := fields[:min(len(fields), enqueueChunk)]
		fields = fields[len(some):]
		answers, err := rdb.HMGet(ctx, TimingsKey(name), some...).Result()
		if err != nil {
			return nil, ofTimings(name, err)
		}
		for i, answer := range answers {
			if text, ok := answer.(string); ok {
				values[some[i]] = text
			}
		}
	}
	return values, nil
}

// SetTimings writes fields of a suite's timings and leaves all others: runs at the same time erase nothing of each other.
func SetTimings(ctx context.Context, rdb redis.UniversalClient, name string, values map[string]string) error {
	var pairs []any
	flush := func() error {
		if len(pairs) == 0 {
			return nil
		}
		err := rdb.HSet(ctx, TimingsKey(name), pairs...).Err()
		pairs = pairs[:0]
		return ofTimings(name, err)
	}
	for field, value := range values {
		if pairs = append(pairs, field, value); len(pairs) >= 2*enqueueChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return ofTimings(name, rdb.Expire(ctx, TimingsKey(name), timingsKeep).Err())
}

// DropTimings removes fields of a suite's timings, and leaves all others.
func DropTimings(ctx context.Context, rdb redis.UniversalClient, name string, fields []string) error {
	for some := range slices.Chunk(fields, enqueueChunk) {
		if err := rdb.HDel(ctx, TimingsKey(name), some...).Err(); err != nil {
			return ofTimings(name, err)
		}
	}
	return nil
}

// ofTimings says of an error which key it is about: a user who may only touch the keys of runs may not touch this one.
func ofTimings(name string, err error) error {
	if redis.HasErrorPrefix(err, "NOPERM") {
		return fmt.Errorf("key %s (the user needs the ACL rule ~%s for it): %w", TimingsKey(name), TimingsPattern, err)
	}
	if err != nil {
		return fmt.Errorf("key %s: %w", TimingsKey(name), err)
	}
	return nil
}
