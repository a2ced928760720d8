package report

import (
	"maps"
	"slices"
)

// Former returns the id of the run that the test's result comes from, empty if it is this one: results of a former attempt may hold.
func (t *Test) Former() string {
	if a := t.Final(); a != nil {
		return a.Former
	}
	return ""
}

// formerWords mark a result that comes from a former run.
func formerWords(runID string) string {
	return "This result holds from a former attempt, run " + OneLine(runID, 200) + "; the test did not run again."
}

// former tells how many results hold from former attempts, and which these are.
func (t verdictText) former() {
	counts := map[string]int{}
	for _, j := range t.v.Tests {
		if from := j.Test.Former(); from != "" {
			counts[from]++
		}
	}
	for _, from := range slices.Sorted(maps.Keys(counts)) {
		t.printf("From a former attempt, run %s: %s, which hold and did not run again\n", name(from), count(counts[from], "result"))
	}
}
