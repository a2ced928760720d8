package control

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/plan"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/junit"
)

// importJUnit fills in durations from a report, for tests that have none.
//
// A case that proves a test counts first; see junit.Index. Tools name tests in other ways in their reports than on their command lines,
// and a wrong duration only costs time, so what is left is then compared as reportedName has it. A test that is in no way there gets the
// median of its file.
func importJUnit(file string, tests []batch.Test) error {
	r, err := junit.ReadFile(file)
	if err != nil {
		return err
	}
	if !tellsDurations(r) {
		return nil
	}
	ids := make([]string, len(tests))
	for i, t := range tests {
		ids[i] = t.ID
	}
	assigned := junit.NewIndex(r).Assign(ids)
	names := sync.OnceValue(func() reported { return newReported(r) }) // not for reports of our own
	for i, t := range tests {
		switch cases := assigned[t.ID]; {
		case t.Seconds > 0:
		case len(cases) == 0:
			tests[i].Seconds = names().seconds(t.ID)
		default:
			for _, c := range cases {
				tests[i].Seconds += c.Seconds
			}
			tests[i].Seconds = max(tests[i].Seconds, report.Tiny)
		}
	}
	return nil
}

// tellsDurations tells whether 0 s are less than the tool can tell, and not what a tool writes that measures nothing.
func tellsDurations(r junit.Report) bool {
	return slices.ContainsFunc(r.Suites, func(s junit.Suite) bool {
		return slices.ContainsFunc(s.Cases, func(c junit.Case) bool { return c.Seconds > 0 })
	})
}

// reported are the durations of a report, by what tools may call the tests, their classes and their files.
type reported struct {
	tests, groups map[string][]float64
	// ends are the names of both whose end this is, at a separator.
	ends map[string][]string
}

func newReported(r junit.Report) reported {
	x := reported{map[string][]float64{}, map[string][]float64{}, map[string][]string{}}
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			name, _, _ := strings.Cut(c.Name, " with data set ") // PHPUnit
			class, file := reportedName(c.Classname), reportedName(c.File)
			tests, groups := []string{reportedName(class + "." + name)}, []string{class, file}
			if file != "" {
				tests = append(tests, reportedName(file+"."+name), reportedName(file+"."+class+"."+name))
			}
			if outer, _, nested := strings.Cut(c.Classname, "$"); nested { // Java
				groups = append(groups, reportedName(outer))
			}
			x.add(x.tests, max(c.Seconds, report.Tiny), tests)
			x.add(x.groups, max(c.Seconds, report.Tiny), groups)
		}
	}
	return x
}

// add adds a duration to each of the names, once. Empty ones are none.
func (x reported) add(to map[string][]float64, seconds float64, names []string) {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name == "" {
			continue
		}
		if to[name] = append(to[name], seconds); len(to[name]) > 1 {
			continue
		}
		for end := range nameEnds(name) {
			x.ends[end] = append(x.ends[end], name)
		}
	}
}

// seconds is 0 if the report does not tell.
func (x reported) seconds(id string) float64 {
	sum := 0.0
	for _, s := range x.find(id) {
		sum += s
	}
	if sum > 0 {
		return sum
	}
	known := slices.Sorted(slices.Values(x.find(plan.FileOf(id))))
	if len(known) == 0 {
		return 0
	}
	return known[len(known)/2]
}

// find returns the durations of what has this name, or else of the only one that ends with it, or with which it ends: reports may lie in
// another folder, or name the program that holds the tests.
func (x reported) find(id string) []float64 {
	name := reportedName(id)
	if name == "" {
		return nil
	}
	if exact := x.named(name); exact != nil {
		return exact
	}
	if longer := slices.Compact(slices.Sorted(slices.Values(x.ends[name]))); len(longer) == 1 {
		return x.named(longer[0])
	}
	for end := range nameEnds(name) {
		if shorter := x.named(end); shorter != nil {
			return shorter
		}
	}
	return nil
}

// named returns the durations of a test, or else of a class or file.
func (x reported) named(name string) []float64 {
	if of := x.tests[name]; of != nil {
		return of
	}
	return x.groups[name]
}

// nameEnds are the ends of a name at its separators that have two parts at least, the longest first. With one part they would be
// anybody's.
func nameEnds(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			_, end, ok := strings.Cut(name, ".")
			if !ok || !strings.Contains(end, ".") || !yield(end) {
				return
			}
			name = end
		}
	}
}

var (
	moduleSuffix = regexp.MustCompile(`\.(py|rb)(::|\[|$)`)
	separators   = regexp.MustCompile(`[./\\:#$]+`)
)

// reportedName is a test's, class's or file's name as those compare that are written in several ways: tests/test_a.py::TestX::test_y is
// tests.test_a.TestX.test_y for pytest's report, ./spec/a_spec.rb is spec.a_spec for RSpec's, Ns\Class::method is Ns.Class.method for
// PHPUnit's.
func reportedName(name string) string {
	return strings.Trim(separators.ReplaceAllString(moduleSuffix.ReplaceAllString(name, "$2"), "."), ".")
}
