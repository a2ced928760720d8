package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// tally is the order in which a sentence counts tests, worst first.
var tally = [...]struct {
	status batch.Status
	words  string
}{
	{batch.Lost, "lost"}, {Missing, "without a result"}, {Aborted, "not run"}, {batch.Unroutable, "unroutable"},
	{Unproven, "with a result that nothing proves"}, {batch.Failed, "failed"}, {batch.Crashed, "crashed"}, {batch.Timeout, "timed out"}, {batch.Passed, "passed"}, {batch.Skipped, "skipped"},
}

// Sentence is the verdict in one line with its exit status: "FAILED: 2 of 120 tests failed, 118 passed in 3.2s (exit status 1)".
func (v Verdict) Sentence() string {
	var says []string
	switch {
	case v.Exit == ExitPassed && v.Total == 0:
		says = append(says, "there are no tests, which --allow-empty takes for green")
	case v.Exit == ExitNoTests:
		says = append(says, "the list is empty and nothing was tested; if that is right, --allow-empty makes it green")
	}
	for _, why := range v.Incomplete {
		says = append(says, message(why))
	}
	if n := len(v.Problems); n > 0 {
		says = append(says, count(n, "problem")+" outside of the tests")
	}
	if counts := v.counted(); counts != "" {
		says = append(says, counts+" in "+seconds(v.Wall.Seconds()))
	}
	return fmt.Sprintf("%s: %s (exit status %d)", v.word(), strings.Join(says, "; "), v.Exit)
}

// word is the verdict in one.
func (v Verdict) word() string {
	switch v.Exit {
	case ExitPassed:
		return "PASSED"
	case ExitFailed:
		return "FAILED"
	case ExitNoTests:
		return "NO TESTS"
	}
	return "INCOMPLETE" // or the status that a signal gives
}

// counted returns "2 of 120 tests failed, 118 passed", empty without tests.
func (v Verdict) counted() string {
	var parts []string
	excused := map[batch.Status]int{}
	for _, j := range v.Excused() {
		excused[j.Status]++
	}
	for _, kind := range tally {
		n := v.Counts[kind.status] - excused[kind.status]
		switch {
		case n == 0:
			continue
		case n == v.Total && n > 1:
			parts = append(parts, fmt.Sprintf("all %d tests %s", n, kind.words))
		case len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%d of %s %s", n, count(v.Total, "test"), kind.words))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, kind.words))
		}
		if kind.status != batch.Passed {
			continue
		}
		if n := len(v.Flaky()); n > 0 {
			parts[len(parts)-1] += fmt.Sprintf(" (%d flaky)", n)
		}
	}
	if n := len(v.Excused()); n > 0 {
		parts = append(parts, count(n, "quarantined failure"))
	}
	return strings.Join(parts, ", ")
}

// Flaky returns the tests that passed, and failed, crashed or timed out in another attempt.
func (v Verdict) Flaky() []Judged {
	return v.where(func(j Judged) bool { return j.Status == batch.Passed && j.Test.Flaky() })
}

// with returns the tests of some statuses, by id.
func (v Verdict) with(statuses ...batch.Status) []Judged {
	return v.where(func(j Judged) bool { return slices.Contains(statuses, j.Status) })
}
