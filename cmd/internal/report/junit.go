package report

import (
	"maps"
	"slices"

	"github.com/shardctl/shardctl/junit"
)

// JUnit returns a verdict as a report.
//
//   - Every test has at least one case: those of the attempt that decided, in the order in which they ran; or one of its own,
//     named by its id, if that attempt reported none or there is none.
//   - A case belongs to the suite of its Classname (for Go the import path); one without, to that of what its test's id has
//     before "::"; one without that too, to that of the run. Suites are ordered by name, cases by the ids of their tests.
//   - Attempts that failed, crashed or timed out beside the one that decided are Reruns, so that a test that passed all the
//     same is Flaky. Those of cases that the deciding attempt does not have count for the test's own case. For a test
//     without a pass, attempts that came to nothing are Reruns too.
//   - A failure that quarantine excuses is a Skipped case with the failure in its text.
//   - What is red in the verdict is red here: a test that crashed, timed out, was lost, is unroutable, missing or unproven, a problem, and
//     whatever makes the run incomplete or empty is an Errored case; one that only failed is Failed.
//
// A suite has the worker as its hostname if one alone decided its cases, and begins when the first of its attempts did.
func JUnit(v Verdict) junit.Report {
	run := first(v.RunID, "run")
	b := suites{}
	for _, j := range v.Tests {
		for _, c := range j.cases() {
			if c.Classname == "" {
				group, _ := splitID(j.ID)
				c.Classname = first(group, run)
			}
			b.suite(c.Classname).add(c, j)
		}
	}
	for _, p := range v.Problems {
		b.suite(p.Scope).errored("[problem] "+message(p.Message), "problem", p.Message, p.Details)
	}
	for _, why := range v.Incomplete {
		b.suite(run).errored("[incomplete] "+message(why), "incomplete", why, "")
	}
	if v.Exit == ExitNoTests {
		b.suite(run).errored("[no tests]", "empty", "the list of tests is empty, and nothing was tested", "")
	}
	return b.report()
}

// suites are those of a report that is being made, by name.
type suites map[string]*suite

type suite struct {
	junit.Suite
	workers map[string]bool // that decided a case
}

func (b suites) suite(name string) *suite {
	if b[name] == nil {
		b[name] = &suite{Suite: junit.Suite{Name: name}, workers: map[string]bool{}}
	}
	return b[name]
}

func (b suites) report() junit.Report {
	var r junit.Report
	for _, name := range slices.Sorted(maps.Keys(b)) {
		s := b[name]
		if len(s.workers) == 1 {
			for id := range s.workers {
				s.Hostname = id
			}
		}
		r.Suites = append(r.Suites, s.Suite)
	}
	return r
}

func (s *suite) add(c junit.Case, j Judged) {
	s.Cases = append(s.Cases, c)
	if a := j.decisive(); a != nil {
		s.workers[a.Worker] = true
	}
	for _, a := range j.Attempts {
		if began := a.Began(); s.Timestamp.IsZero() || !began.IsZero() && began.Before(s.Timestamp) {
			s.Timestamp = began
		}
	}
}

func (s *suite) errored(name, kind, message, details string) {
	s.Cases = append(s.Cases, junit.Case{
		Name: name, Classname: s.Name, Status: junit.Errored, Message: message, Type: kind, Details: details,
	})
}
