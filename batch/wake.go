package batch

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Wait returns when the run's wake stream has moved beyond cursor, or after most (at least a millisecond). A wake-up
// between the request that gave the cursor and this call is not missed.
func (q *Queue) Wait(ctx context.Context, cursor string, most time.Duration) error {
	err := q.rdb.XRead(ctx, &redis.XReadArgs{
		Streams: []string{q.keys.Wake(), cursor}, Count: 1, Block: max(most, time.Millisecond),
	}).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}
