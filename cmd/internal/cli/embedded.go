package cli

import (
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Embedded starts a server in this process, on a free port of the loopback interface, for local workers. The function that
// is returned ends it.
func Embedded() (redis.UniversalClient, func(), error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	ended := make(chan struct{})
	go func() { // the server's TTLs stand still unless time is told to pass
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				server.FastForward(time.Second)
			}
		}
	}()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	return rdb, func() {
		close(ended)
		_ = rdb.Close()
		server.Close()
	}, nil
}
