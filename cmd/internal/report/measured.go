package report

import (
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/plan"
)

// Tiny is what counts for tests that took 0 s: half of the step in which most tools measure, in seconds.
const Tiny = 0.0005

// Measured is what the run tells about durations: of tests that passed, and of the start of a runner, which is the time from a
// claim to its first test.
// A test that took 0 s took less than its tool can tell, unless the tool tells none.
func (h *History) Measured() plan.Measured {
	m := plan.Measured{Ended: h.Ended(), Seconds: map[string]float64{}}
	type key struct {
		worker string
		number int
	}
	told := false // a duration, by any of the tests
	starts := map[key]time.Duration{}
	for _, t := range h.Tests() {
		for _, a := range t.Attempts {
			if t.Result == batch.Passed && a.End == Finished && a.Outcome.Status == batch.Passed {
				m.Seconds[t.ID] = max(a.Outcome.Seconds, Tiny)
				told = told || a.Outcome.Seconds > 0
			}
			if began := a.Began(); a.Batch > 0 && !a.Alone && !began.IsZero() {
				k := key{a.Worker, a.Batch}
				if start, ok := starts[k]; !ok || began.Sub(a.Claimed) < start {
					starts[k] = max(0, began.Sub(a.Claimed))
				}
			}
		}
	}
	if !told {
		clear(m.Seconds)
	}
	var first, later []time.Duration
	for k, start := range starts {
		if k.number == 1 {
			first = append(first, start)
		} else {
			later = append(later, start)
		}
	}
	m.First, m.Startup = median(first), median(later)
	return m
}

// median is 0 of nothing.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2]
}
