package worker

import (
	"time"

	"github.com/shardctl/shardctl/batch"
)

// stopwatch measures what starting the runner cost: the time until the first test of a batch began.
type stopwatch struct {
	began, first time.Time
}

func startStopwatch() *stopwatch { return &stopwatch{began: time.Now()} }

// watch returns emit, and looks at what passes.
func (s *stopwatch) watch(emit func(...batch.Event)) func(...batch.Event) {
	return func(events ...batch.Event) {
		for _, e := range events {
			switch {
			case !s.first.IsZero():
			case e.Type == batch.Start:
				s.first = time.Now()
			case e.Type == batch.Finish:
				s.first = time.Now().Add(-time.Duration(e.Outcome.Seconds * float64(time.Second)))
			}
		}
		emit(events...)
	}
}

// startup is what was measured, last if no test began.
func (s *stopwatch) startup(last time.Duration) time.Duration {
	if s.first.IsZero() {
		return last
	}
	return max(0, s.first.Sub(s.began))
}
