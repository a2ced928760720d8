package batch

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Clean deletes every key of a run, found by SCAN of its prefix, and returns how many there were.
func Clean(ctx context.Context, rdb redis.UniversalClient, runID string) (int, error) {
	keys, err := NewKeys(runID)
	if err != nil {
		return 0, err
	}
	found, err := keys.find(ctx, rdb, keys.Pattern())
	if err != nil {
		return 0, err
	}
	count := 0
	for chunk := range slices.Chunk(found, 500) {
		n, err := rdb.Del(ctx, chunk...).Result()
		if err != nil {
			return count, err
		}
		count += int(n)
	}
	return count, nil
}
