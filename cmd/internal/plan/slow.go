package plan

import "github.com/shardctl/shardctl/batch"

// A file is slow for a run if it is expected to take more than slowPart of each worker's fair share of the whole, at least slowLeast
// seconds, and at least slowStarts times what a batch costs.
const (
	slowPart   = 0.25
	slowLeast  = 5.0
	slowStarts = 10
	// usualWorkers are expected if nobody says how many will come.
	usualWorkers = 4
)

// Slow returns the tests of a list that are expected to take so much longer than the rest that the last worker may wait for them:
// files that are better run test by test. workers is how many are expected, 0: nobody knows; a single one waits for nobody.
func Slow(tests []batch.Test, workers int, costs Costs) []batch.Test {
	if workers == 0 {
		workers = usualWorkers
	}
	total := 0.0
	for _, t := range tests {
		total += t.Seconds
	}
	least := max(slowPart*total/float64(workers), slowLeast, slowStarts*costs.Startup, costs.First) // to list them is a first start more
	var slow []batch.Test
	for _, t := range tests {
		if t.Seconds > least && workers > 1 {
			slow = append(slow, t)
		}
	}
	return slow
}

// Share fills in how long the tests of a file are expected to take that takes so many seconds in all: what is recorded of them, and
// for the others equal parts of what that leaves. If all are recorded, they share the file's time in these proportions: what is recorded
// of them may be from before the file ran whole for a while.
func (t Timings) Share(seconds float64, tests []batch.Test) {
	sum, unknown := 0.0, 0
	for i := range tests {
		if tests[i].Seconds = t.Tests[tests[i].ID].Seconds; tests[i].Seconds <= 0 {
			unknown++
		}
		sum += tests[i].Seconds
	}
	for i := range tests {
		switch {
		case unknown == 0 && seconds > 0:
			tests[i].Seconds *= seconds / sum
		case tests[i].Seconds <= 0 && seconds > sum:
			tests[i].Seconds = (seconds - sum) / float64(unknown)
		}
	}
}
