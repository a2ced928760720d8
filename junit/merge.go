package junit

import (
	"slices"
	"time"
)

// Merge makes one report of several. Suites of the same name become one; its cases stand in the order in which they appear
// first. Cases of the same suite, classname, name and file in different reports are attempts at one test, in the order of
// the arguments, so give the reports of a retry after those of the first run:
//
//   - The last attempt that was not skipped decides. Failed, then passed: passed, and flaky. Passed, then failed: failed.
//   - Attempts that failed before it become Reruns. Those that passed leave no trace.
//   - A case is skipped only if all its attempts were.
//
// Several cases of one report are never attempts at one test, even if nothing tells them apart: they may be parameters that
// the tool does not show, or a test and its teardown (pytest), and the one that passed must not hide the one that failed. If each
// report that has such cases has the same number of them, they are matched by position. Otherwise nobody knows which
// belong together, and all of them are kept, the failed ones as failed.
//
// The same tests on several platforms are not attempts either: give their suites different names before merging.
//
// A merged suite has the earliest timestamp, and the hostname if there is only one. Merge shares no memory with its
// arguments that either side could change.
func Merge(reports ...Report) Report {
	m := merger{suites: map[string]*mergedSuite{}}
	for i, r := range reports {
		for _, s := range r.Suites {
			m.add(i, s)
		}
	}
	var out Report
	for _, s := range m.order {
		s.suite.Stdout, s.suite.Stderr = joinText(s.stdout...), joinText(s.stderr...)
		for _, id := range s.order {
			s.suite.Cases = append(s.suite.Cases, mergeAttempts(s.cases[id])...)
		}
		out.Suites = append(out.Suites, s.suite)
	}
	return out
}

type merger struct {
	suites map[string]*mergedSuite // by name
	order  []*mergedSuite
}

// mergedSuite collects the cases of all suites of one name.
type mergedSuite struct {
	suite          Suite // without cases and output
	stdout, stderr []string
	cases          map[identity][]run
	order          []identity
}

// identity is what makes cases of one suite attempts at the same test.
type identity struct{ classname, name, file string }

// run is the cases of one identity in one report.
type run struct {
	report int
	cases  []Case
}

// add adds suite s of the report with that number; numbers ascend.
func (m *merger) add(report int, s Suite) {
	to := m.suites[s.Name]
	if to == nil {
		to = &mergedSuite{
			suite: Suite{Name: s.Name, Hostname: s.Hostname, Timestamp: s.Timestamp},
			cases: map[identity][]run{},
		}
		m.suites[s.Name] = to
		m.order = append(m.order, to)
	}
	if to.suite.Hostname != s.Hostname {
		to.suite.Hostname = ""
	}
	to.suite.Timestamp = earlier(to.suite.Timestamp, s.Timestamp)
	to.stdout = append(to.stdout, s.Stdout)
	to.stderr = append(to.stderr, s.Stderr)
	for _, c := range s.Cases {
		id := identity{c.Classname, c.Name, c.File}
		runs, known := to.cases[id]
		if !known {
			to.order = append(to.order, id)
		}
		if len(runs) == 0 || runs[len(runs)-1].report != report {
			runs = append(runs, run{report: report})
		}
		last := &runs[len(runs)-1]
		last.cases = append(last.cases, c)
		to.cases[id] = runs
	}
}

// earlier returns the earlier one of two times of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// mergeAttempts returns the cases that the runs of one identity amount to.
func mergeAttempts(runs []run) []Case {
	for _, r := range runs {
		if len(r.cases) != len(runs[0].cases) {
			return allCases(runs)
		}
	}
	merged := make([]Case, len(runs[0].cases))
	for i := range merged {
		merged[i] = runs[0].cases[i]
		merged[i].Reruns = slices.Clone(merged[i].Reruns)
		for _, r := range runs[1:] {
			merged[i] = merged[i].retried(r.cases[i])
		}
	}
	return merged
}

func allCases(runs []run) []Case {
	var all []Case
	for _, r := range runs {
		for _, c := range r.cases {
			c.Reruns = slices.Clone(c.Reruns)
			all = append(all, c)
		}
	}
	return all
}

// retried returns what c is after one more attempt at it.
func (c Case) retried(next Case) Case {
	if next.Status == Skipped && c.Status != Skipped {
		return c
	}
	reruns := slices.Clone(c.Reruns)
	if c.Status.failing() {
		reruns = append(reruns, Attempt{
			Status:  c.Status,
			Seconds: c.Seconds,
			Message: c.Message,
			Type:    c.Type,
			Details: c.Details,
			Output:  joinText(c.Stdout, c.Stderr),
		})
	}
	next.Reruns = append(reruns, next.Reruns...)
	return next
}
