package batch

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// follow reads a stream as XREAD does, and returns when ctx ends even while it waits: go-redis would go on reading until
// the server answers. The request that was given up ends with its block, or with the client.
func (q *Queue) follow(ctx context.Context, args *redis.XReadArgs) ([]redis.XStream, error) {
	type answer struct {
		streams []redis.XStream
		err     error
	}
	answered := make(chan answer, 1)
	go func() {
		streams, err := q.rdb.XRead(ctx, args).Result()
		answered <- answer{streams, err}
	}()
	select {
	case a := <-answered:
		return a.streams, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
