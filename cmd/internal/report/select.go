package report

import (
	"cmp"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// slow is a test with its longest attempt.
type slow struct {
	id string
	*Attempt
}

// slowest returns the tests that took longest, at most most of them, the slowest first.
func (v Verdict) slowest(most int) []slow {
	var tests []slow
	for _, j := range v.Tests {
		var longest *Attempt
		for _, a := range j.Attempts {
			if a.End == Finished && a.Outcome.Seconds > 0 && (longest == nil || a.Outcome.Seconds > longest.Outcome.Seconds) {
				longest = a
			}
		}
		if longest != nil {
			tests = append(tests, slow{j.ID, longest})
		}
	}
	slices.SortStableFunc(tests, func(a, b slow) int { return cmp.Compare(b.Outcome.Seconds, a.Outcome.Seconds) })
	return tests[:min(len(tests), most)]
}

// workersLost returns the workers that were presumed dead, in the order in which they joined.
func (v Verdict) workersLost() []*Worker {
	var lost []*Worker
	for _, w := range v.History.Workers() {
		if w.Reaped {
			lost = append(lost, w)
		}
	}
	return lost
}

// again counts the tests that a lost worker held and that were claimed again.
func (v Verdict) again(w *Worker) int {
	n := 0
	for _, id := range w.Taken {
		test := v.History.Test(id)
		if test == nil || len(test.Attempts) == 0 {
			continue // the claim is not in the journal
		}
		if last := test.Attempts[len(test.Attempts)-1]; !last.Claimed.Before(w.Left) {
			n++
		}
	}
	return n
}

// withoutResult returns the tests that nobody knows to be good or bad: first those that show why.
func (v Verdict) withoutResult() []Judged {
	var shown, plain []Judged
	for _, j := range v.with(batch.Lost, Missing, Aborted) {
		if a := j.decisive(); a != nil && a.End == Finished {
			shown = append(shown, j)
		} else {
			plain = append(plain, j)
		}
	}
	return append(shown, plain...)
}
