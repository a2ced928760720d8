package cli

import (
	"context"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Embedded starts a server in this process, on a free port of the loopback interface, for local workers. It ends with
// ctx or with the function that is returned.
func Embedded(ctx context.Context) (*redis.Client, func(), error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() { // the server's TTLs stand still unless time is told to pass
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				server.FastForward(time.Second)
			}
		}
	}()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	return rdb, func() {
		cancel()
		_ = rdb.Close()
		server.Close()
	}, nil
}
