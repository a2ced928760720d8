package main

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// A controller that is about to ask how the run stands when somebody aborts and cleans it sees its end, and does not bring it back.
func TestCleanByForceBesideBusyController(t *testing.T) {
	t.Parallel()
	keys, err := batch.NewKeys("r")
	must(t, err)
	var rdb *redis.Client
	asks, ended := make(chan struct{}), make(chan struct{})
	rdb = batchtest.Before(t, func(script string, nth int) {
		if script != "finish" || nth != 1 {
			return
		}
		close(asks)
		for { // no test of its own may fail here: this is the server's goroutine
			aborted, err := rdb.SIsMember(context.Background(), keys.Control(), "aborted").Result()
			if aborted || err != nil {
				break
			}
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ended:
				return
			}
		}
		select {
		case <-time.After(100 * time.Millisecond): // as long as a request may take over a bad network
		case <-ended:
		}
	})
	t.Cleanup(func() { close(ended) })
	where := []string{"--redis-url", "redis://" + rdb.Options().Addr, "--run-id", "r"}
	controller := call{}.start(t, append([]string{"run", "--workers", "0", "--tests", list(t, "a"), "--run-timeout", "20s"}, where...)...)
	<-asks
	shardctl(t, append([]string{"clean", "--force"}, where...)...).expect(t, 0, "keys deleted")
	controller.wait().expect(t, 3, "INCOMPLETE: the run was aborted by", "shardctl clean --force")
	if left := rdb.Keys(t.Context(), "*").Val(); len(left) > 0 {
		t.Errorf("the controller has brought it back: %q", left)
	}
}
