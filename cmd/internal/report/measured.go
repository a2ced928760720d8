package report

import (
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/plan"
)

// Measured is what the run tells about durations: of tests that passed, and of the start of a runner, which is the time from a
// claim to its first test. In a worker's first batch that holds more, such as compiling; it counts only if nothing else does.
func (h *History) Measured() plan.Measured {
	m := plan.Measured{Seconds: map[string]float64{}}
	type key struct {
		worker string
		number int
	}
	starts := map[key]time.Duration{}
	for _, t := range h.Tests() {
		for _, a := range t.Attempts {
			if t.Result == batch.Passed && a.End == Finished && a.Outcome.Status == batch.Passed && a.Outcome.Seconds > 0 {
				m.Seconds[t.ID] = a.Outcome.Seconds
			}
			if began := a.Began(); a.Batch > 0 && !a.Alone && !began.IsZero() {
				k := key{a.Worker, a.Batch}
				if start, ok := starts[k]; !ok || began.Sub(a.Claimed) < start {
					starts[k] = max(0, began.Sub(a.Claimed))
				}
			}
		}
	}
	var first, later []time.Duration
	for k, start := range starts {
		if k.number == 1 {
			first = append(first, start)
		} else {
			later = append(later, start)
		}
	}
	if len(later) == 0 {
		later = first
	}
	if len(later) > 0 {
		slices.Sort(later)
		m.Startup = later[len(later)/2]
	}
	return m
}
