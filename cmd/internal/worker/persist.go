package worker

import (
	"fmt"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// outage is how long Redis may be away before a worker gives up. What it finished meanwhile is reported when Redis is back.
const outage = 2 * time.Minute

// persist repeats a request while Redis cannot be reached. Every request of the protocol may be repeated.
func (w *worker) persist(request func() error) error {
	began, pause := time.Now(), 50*time.Millisecond
	for first := true; ; first = false {
		err := request()
		if !batch.Transient(err) {
			return err
		}
		if time.Since(began) > outage {
			return fmt.Errorf("Redis has not answered for %v, giving up: %w", outage, err)
		}
		if first {
			w.o.Log.Warn(fmt.Sprintf("Redis cannot be reached or does not serve, trying again for %v", outage), "error", err)
		}
		select {
		case <-time.After(pause):
		case <-w.redis.Done():
			return err
		}
		pause = min(2*pause, 2*time.Second)
	}
}
