package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/flake"
)

// Exit statuses that a verdict has; others say that a program could not do its work.
const (
	ExitPassed     = 0
	ExitFailed     = 1
	ExitIncomplete = 3
	ExitNoTests    = 4
)

// Statuses that a judged test may have beside those of package batch. None is ever a pass.
const (
	// Missing: Redis holds no result.
	Missing batch.Status = "missing"
	// Aborted: there is no result because the run was aborted before.
	Aborted batch.Status = "aborted"
	// Unproven: Redis holds a result of which the journal knows nothing.
	Unproven batch.Status = "unproven"
)

// Ending is what Redis holds when a run is over, read before the rest of the journal, which then has all that the results
// rest on. The zero value is that of an incomplete run.
type Ending struct {
	RunID string
	// Tests is how many the run holds.
	Tests int
	// Results are those that Redis holds, by test.
	Results map[string]batch.Status
	// Missing are the tests of the list that have none.
	Missing              []string
	Markers              batch.Markers
	AbortReason, AbortBy string
	// EnoughFailures: the run was aborted because tests failed, as --fail-fast and --max-failures ask.
	EnoughFailures bool
	// AllowEmpty: a run without tests is green.
	AllowEmpty bool
}

// Verdict is what a run comes to. Judge makes it.
type Verdict struct {
	// Exit is the status to exit with: ExitPassed, ExitFailed, ExitIncomplete or ExitNoTests.
	Exit  int
	RunID string
	// Total is how many tests the run holds, and Tests each of them, by id. They differ in number only if Incomplete says so.
	Total int
	Tests []Judged
	// Counts of Tests by their status.
	Counts map[batch.Status]int
	// Problems of the history, then those that judging it brought up.
	Problems []Problem
	// Incomplete says, a sentence each, why the run as a whole did not come to its end, and for which gates no worker
	// qualified. Tests that are missing or lost make a run incomplete too.
	Incomplete []string
	// Wall is how long the run took, Work the sum of what its attempts took, Idle the part of their time (0 to 1) in which
	// workers had no batch.
	Wall, Work time.Duration
	Idle       float64
	// History is what was judged.
	History *History
	// Past is what earlier runs tell of the tests, where that is known.
	Past map[string]flake.History
}

// past says what earlier runs tell of a test; empty if that is nothing remarkable.
func (v Verdict) past(id string) string {
	if h := v.Past[id]; h.Flaky+h.Failed > 0 {
		return h.String()
	}
	return ""
}

// Judged is one test of a run with what it came to.
type Judged struct {
	*Test
	Status batch.Status
	// Why the status is another than the one in Redis, or there is none. Empty otherwise.
	Why string
	// Quarantine in which the test is; see Excused.
	Quarantine batch.Quarantine
}

// Bad says that the test neither passed nor was skipped.
func (j Judged) Bad() bool { return j.Status != batch.Passed && j.Status != batch.Skipped }

// decisive returns the attempt that shows why the test has its status, or nil: its final one, or the last that failed or came to
// nothing if that one does not show it.
func (j Judged) decisive() *Attempt {
	final := j.Final()
	if !j.Bad() || final != nil && final.broken() {
		return final
	}
	for i := len(j.Attempts) - 1; i >= 0; i-- {
		if j.Attempts[i].broken() {
			return j.Attempts[i]
		}
	}
	return final
}

// Judge compares what the journal tells with what Redis holds. See the package's comment for what it takes to be green. A
// run whose done marker is set is judged once h was told the Done event, which is in the journal since then: without it, h
// does not know what else the journal tells, and the run is red.
func Judge(h *History, e Ending) Verdict {
	v := Verdict{
		RunID: e.RunID, Total: e.Tests, Counts: map[batch.Status]int{}, History: h,
		Incomplete: incomplete(h, e), Problems: slices.Clone(h.Problems()),
	}
	v.Tests = judgeTests(h, e)
	var unproven []string
	excused, failed := 0, 0
	for _, j := range v.Tests {
		v.Counts[j.Status]++
		switch {
		case j.Excused():
			excused++
		case j.failed():
			failed++
		}
		if j.Status == Unproven {
			unproven = append(unproven, j.ID+": "+j.Why)
		}
	}
	if len(v.Tests) != e.Tests {
		v.Incomplete = append(v.Incomplete, fmt.Sprintf(
			"the list is said to hold %s, but the journal and the results name %d: data of the run was lost or evicted; run it again", count(e.Tests, "test"), len(v.Tests)))
	}
	v.Incomplete = append(v.Incomplete, gateSentences(v.unroutable())...)
	v.addJournalProblems(unproven, e)
	v.Exit = exitStatus(e.Tests, v.Counts, excused, len(v.Incomplete) > 0, len(v.Problems) > 0, e.AllowEmpty)
	if e.EnoughFailures && failed+len(v.Problems) > 0 {
		v.Exit = ExitFailed // that tests did not run is what --fail-fast asked for
	}
	v.measure()
	return v
}

// exitStatus is the rule by which a run is green or red. It asks for what is worst first; green is what remains. excused are the
// tests among the counts whose failure quarantine excuses.
func exitStatus(total int, counts map[batch.Status]int, excused int, incomplete, problem, allowEmpty bool) int {
	judged := 0
	for _, n := range counts {
		judged += n
	}
	good := counts[batch.Passed] + counts[batch.Skipped] + excused
	switch {
	case incomplete, judged != total, counts[Missing]+counts[Aborted]+counts[batch.Lost]+counts[batch.Unroutable] > 0:
		return ExitIncomplete
	case problem, good != total:
		return ExitFailed
	case total > 0, allowEmpty:
		return ExitPassed
	}
	return ExitNoTests
}

// incomplete returns why the run as a whole did not come to its end.
func incomplete(h *History, e Ending) []string {
	var why []string
	switch {
	case e.Markers.Aborted || h.aborted:
		reason, by := e.AbortReason, e.AbortBy
		if reason == "" && by == "" {
			reason, by = h.abortReason, h.abortBy
		}
		text := "the run was aborted"
		if by != "" {
			text += " by " + by
		}
		if reason != "" {
			text += ": " + reason
		}
		why = append(why, text)
	case !e.Markers.Done && h.done:
		why = append(why, "the run came to its end, but Redis lost it, or somebody cleaned it, before this verdict: run it anew")
	case !e.Markers.Done:
		why = append(why, "the run did not come to its end: Redis holds no done marker; attach to it again, or run it anew under another run id")
	case !e.Markers.Sealed:
		why = append(why, "the list of tests was never closed, so nobody knows whether it is whole")
	}
	return why
}

// judgeTests returns every test that anybody knows of, by id.
func judgeTests(h *History, e Ending) []Judged {
	ids := maps.Clone(e.Results)
	if ids == nil {
		ids = map[string]batch.Status{}
	}
	for id := range h.tests {
		ids[id] = e.Results[id]
	}
	for _, id := range e.Missing {
		ids[id] = "" // also if Results has one: in doubt it is missing
	}
	judged := make([]Judged, 0, len(ids))
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		j := Judged{Test: h.tests[id]}
		if j.Test == nil {
			j.Test = &Test{ID: id}
		}
		j.Quarantine = h.quarantines[id]
		j.Status, j.Why = judgeTest(j.Test, ids[id])
		if j.Status == Missing && e.Markers.Aborted {
			j.Status, j.Why = Aborted, "the run was aborted before it had a result"
		}
		judged = append(judged, j)
	}
	return judged
}

// judgeTest returns what a test comes to whose result in Redis is result; empty if there is none.
func judgeTest(t *Test, result batch.Status) (status batch.Status, why string) {
	switch result {
	case "":
		return Missing, "Redis holds no result of it"
	case batch.Passed, batch.Skipped:
		final := t.Final()
		if final == nil || t.Result != result || final.Outcome.Status != result {
			return Unproven, fmt.Sprintf("Redis holds the result %q, but the journal has no attempt that ended so", result)
		}
		if status, why := unredeemed(t, final); why != "" {
			return status, why
		}
		return result, ""
	case batch.Failed, batch.Crashed, batch.Timeout, batch.Lost, batch.Unroutable:
		return result, ""
	}
	return Unproven, fmt.Sprintf("Redis holds the result %q, which this version does not know", result)
}

// unredeemed returns which failure of t stands although its final attempt is no failure: one of the attempt's own parts, or
// an earlier one that was skipped, or missing, when it ran again. A crash or time-out of a batch of several is not held against a test
// that was skipped later, since any of its batch-mates may have caused it.
func unredeemed(t *Test, final *Attempt) (batch.Status, string) {
	passed := map[caseKey]bool{} // of several cases of one name, one that passed will do
	for _, c := range final.Outcome.Cases {
		switch c.Status {
		case batch.Passed:
			passed[keyOf(c)] = true
		case batch.Skipped:
		default:
			return batch.Failed, fmt.Sprintf("was reported as %s although its case %q %s", final.Outcome.Status, c.Name, c.Status)
		}
	}
	for _, a := range t.Attempts {
		if !a.failed() || !a.own() {
			continue
		}
		if final.Outcome.Status == batch.Skipped {
			return a.Outcome.Status, "was skipped when it ran again, which does not undo that it " + verb(a.Outcome.Status)
		}
		for _, c := range a.Outcome.Cases {
			if c.Status != batch.Passed && c.Status != batch.Skipped && len(final.Outcome.Cases) > 0 && !passed[keyOf(c)] {
				return a.Outcome.Status, fmt.Sprintf("passed when it ran again, but its case %q, which had %s, did not pass then", c.Name, c.Status)
			}
		}
	}
	return "", ""
}

// addJournalProblems adds that the journal does not account for what Redis holds.
func (v *Verdict) addJournalProblems(unproven []string, e Ending) {
	const most = 20
	if n := len(unproven); n > 0 {
		details := strings.Join(unproven[:min(n, most)], "\n")
		if n > most {
			details += fmt.Sprintf("\nand %d more", n-most)
		}
		v.Problems = append(v.Problems, Problem{Problem: batch.Problem{
			Scope: "journal", Details: details,
			Message: fmt.Sprintf("the journal is incomplete: it does not account for the results of %s; run the tests again", count(n, "test")),
		}})
	}
	if e.Markers.Done && !v.History.done {
		v.Problems = append(v.Problems, Problem{Problem: batch.Problem{
			Scope:   "journal",
			Message: "the journal is incomplete: Redis says that the run is done, and the journal does not tell so; write the report again, and if that does not help run the tests again",
		}})
	}
}

// measure sets the times.
func (v *Verdict) measure() {
	h := v.History
	end := h.Ended()
	v.Wall = end.Sub(h.Opened())
	seconds := 0.0
	for _, j := range v.Tests {
		for _, a := range j.Attempts {
			if a.End == Finished && a.Former == "" {
				seconds += max(0, a.Outcome.Seconds)
			}
		}
	}
	v.Work = time.Duration(seconds * float64(time.Second))
	var present, busy time.Duration
	for _, w := range h.Workers() {
		present += w.Present(end)
		busy += w.Busy(end)
	}
	if present > 0 {
		v.Idle = 1 - float64(busy)/float64(present)
	}
}

// caseKey tells the cases of a test apart.
type caseKey struct{ classname, name string }

func keyOf(c batch.Case) caseKey { return caseKey{c.Classname, c.Name} }
