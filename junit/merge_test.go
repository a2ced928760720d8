package junit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

// TestMergeAttempts merges one report a letter: p passed, f failed, e errored, s skipped, F flaky, - without the case, and two
// letters in one report are two cases. A result is written the same way, with the reruns of a case in brackets.
func TestMergeAttempts(t *testing.T) {
	for reports, want := range map[string]string{
		"p":     "p",
		"f p":   "p(f)",
		"f e p": "p(fe)",
		"f f":   "f(f)",
		"e f":   "f(e)",
		"p f":   "f",
		"p p":   "p",
		"s p":   "p",
		"p s":   "p",
		"f s":   "f",
		"s f":   "f",
		"s s":   "s",
		"f s p": "p(f)",
		"f p f": "f(f)",
		"f F":   "p(ff)",
		"F f":   "f(f)",
		"f - p": "p(f)",
		"- -":   "",

		"fp":      "f p",
		"fe p":    "f e p",
		"p fe":    "p f e",
		"fp pp":   "p(f) p",
		"fp pf":   "p(f) f",
		"fe fe":   "f(f) e(e)",
		"ff pp p": "f f p p p",
	} {
		var in []junit.Report
		for _, letters := range strings.Fields(reports) {
			var cases []junit.Case
			for _, letter := range strings.Trim(letters, "-") {
				cases = append(cases, caseOf(letter))
			}
			in = append(in, suiteOf(cases...))
		}
		if got := letters(junit.Merge(in...)); got != want {
			t.Errorf("%q became %q, want %q", reports, got, want)
		}
	}
}

var statuses = map[rune]junit.Status{'p': junit.Passed, 'f': junit.Failed, 'e': junit.Errored, 's': junit.Skipped}

func caseOf(letter rune) junit.Case {
	c := junit.Case{Name: "n", Classname: "c", File: "f", Status: statuses[letter]}
	if letter == 'F' {
		c.Status, c.Reruns = junit.Passed, []junit.Attempt{{Status: junit.Failed}}
	}
	return c
}

// letters is the reverse of caseOf.
func letters(r junit.Report) string {
	var words []string
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			word := string(c.Status[:1])
			if len(c.Reruns) > 0 {
				word += "("
				for _, a := range c.Reruns {
					word += string(a.Status[:1])
				}
				word += ")"
			}
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func TestMergeSuites(t *testing.T) {
	one := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	passed := func(name string) junit.Case { return junit.Case{Name: name, Status: junit.Passed} }
	got := junit.Merge(
		junit.Report{Suites: []junit.Suite{
			{Name: "b", Hostname: "h1", Timestamp: one.Add(time.Hour), Cases: []junit.Case{passed("x")}, Stdout: "1"},
			{Name: "a", Hostname: "h1", Cases: []junit.Case{passed("x")}},
			{Name: "b", Hostname: "h1", Cases: []junit.Case{passed("y")}},
		}},
		junit.Report{},
		junit.Report{Suites: []junit.Suite{
			{Name: "b", Hostname: "h2", Timestamp: one, Cases: []junit.Case{passed("z")}, Stdout: "2", Stderr: "3"},
			{Name: "a", Hostname: "h1", Timestamp: one, Cases: []junit.Case{passed("x")}},
		}},
	)
	want := junit.Report{Suites: []junit.Suite{
		{Name: "b", Timestamp: one, Cases: []junit.Case{passed("x"), passed("y"), passed("z")}, Stdout: "1\n2", Stderr: "3"},
		{Name: "a", Hostname: "h1", Timestamp: one, Cases: []junit.Case{passed("x")}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(junit.Report{}, junit.Merge()); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
}

// TestMergeKeysApart has cases that differ in one part of their identity.
func TestMergeKeysApart(t *testing.T) {
	report := suiteOf(
		junit.Case{Name: "n", Classname: "c", File: "f", Status: junit.Failed},
		junit.Case{Name: "N", Classname: "c", File: "f", Status: junit.Passed},
		junit.Case{Name: "n", Classname: "C", File: "f", Status: junit.Passed},
		junit.Case{Name: "n", Classname: "c", File: "F", Status: junit.Passed},
	)
	if got, want := letters(junit.Merge(report)), "f p p p"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMergeCopies changes what Merge returned and looks at the arguments.
func TestMergeCopies(t *testing.T) {
	flaky := suiteOf(caseOf('F'))
	for _, merged := range []junit.Report{junit.Merge(flaky), junit.Merge(suiteOf(caseOf('s')), flaky), junit.Merge(flaky, suiteOf(caseOf('p'), caseOf('p')))} {
		for i := range merged.Suites[0].Cases {
			c := &merged.Suites[0].Cases[i]
			c.Name = "changed"
			for j := range c.Reruns {
				c.Reruns[j].Message = "changed"
			}
		}
	}
	if diff := cmp.Diff(suiteOf(caseOf('F')), flaky); diff != "" {
		t.Errorf("argument changed (-want +got):\n%s", diff)
	}
}
