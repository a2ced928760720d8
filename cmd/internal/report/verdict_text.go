package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/shardctl/shardctl/batch"
)

const (
	// maxInFull is how many entries of a list are told in full, maxByName how many more by their names.
	maxInFull = 20
	maxByName = 100
	// maxOutput is how many lines of output are shown of a test or problem.
	maxOutput = 40
	// maxSlow is how many of the slowest tests are shown.
	maxSlow = 5
)

// TextOptions are what a text of a verdict needs beside it. The zero value is fine.
type TextOptions struct {
	// Reproduce returns the command that runs a test again, empty if there is none. It may be nil.
	Reproduce func(id string) string
	// JUnit is the file that has what the text leaves out. Empty: none was asked for.
	JUnit string
	// Folds of the log that the text goes to.
	Folds Folds
}

// WriteVerdict writes what a person reads when a run is over: what is good to know first, then what is wrong, and as the last
// line the verdict in one sentence, since the end is what a terminal and a log show first. There is no ANSI in it, and no
// line begins with foreign text. Errors are w's.
func WriteVerdict(w io.Writer, v Verdict, o TextOptions) error {
	b := bufio.NewWriter(w) // it keeps the first error until Flush
	t := verdictText{Writer: b, v: v, o: o, sections: &sections{w: b, folds: o.Folds, at: v.History.Ended()}}
	t.slowest()
	t.workersLost()
	t.flaky()
	t.quarantined()
	t.problems()
	t.behindGates()
	t.withoutResult()
	t.failures()
	if o.Folds == BuildkiteFolds {
		t.begin("Verdict", false)
	}
	t.former()
	t.numbers()
	t.printf("%s\n", v.Sentence())
	return t.Flush()
}

type verdictText struct {
	*bufio.Writer
	*sections
	v Verdict
	o TextOptions
}

func (t verdictText) printf(format string, args ...any) { fmt.Fprintf(t.Writer, format, args...) }

func (t verdictText) slowest() {
	tests := t.v.slowest(maxSlow)
	if len(tests) < 2 {
		return // no news
	}
	t.begin("Slowest:", true)
	for _, a := range tests {
		t.printf("  - %7s  %s on %s\n", seconds(a.Outcome.Seconds), name(a.id), name(a.Worker))
	}
	t.end()
}

func (t verdictText) workersLost() {
	lost := t.v.workersLost()
	if len(lost) == 0 {
		return
	}
	t.begin(fmt.Sprintf("Workers lost: %d", len(lost)), true)
	for i, w := range lost {
		if i == maxInFull {
			t.printf("  - and %d more\n", len(lost)-i)
			break
		}
		t.printf("  - %s%s after %s%s\n", name(w.ID), reason(w.Info), seconds(w.Left.Sub(w.Joined).Seconds()), withMessage(w.Reason))
		t.printf("    %s\n", holdings(w.Taken, w.Charged, t.v.again(w), "ran again"))
	}
	t.end()
}

// history writes the attempts at a test.
func (t verdictText) history(j Judged, indent string) {
	for _, line := range historyLines(j.Test) {
		t.printf("%s%s\n", indent, line)
	}
	if past := t.v.past(j.ID); past != "" {
		t.printf("%sbefore: %s\n", indent, past)
	}
}

func (t verdictText) flaky() {
	flaky := t.v.Flaky()
	if len(flaky) == 0 {
		return
	}
	t.begin(fmt.Sprintf("Flaky, passed only in one of several attempts: %d", len(flaky)), true)
	t.each(flaky, func(_ int, j Judged) {
		t.printf("  - %s\n", name(j.ID))
		t.history(j, "    ")
	})
	t.end()
}

func (t verdictText) problems() {
	if len(t.v.Problems) == 0 && len(t.v.Incomplete) == 0 {
		return
	}
	t.begin(fmt.Sprintf("Problems of the run: %d", len(t.v.Problems)+len(t.v.Incomplete)), false)
	for _, why := range t.v.Incomplete {
		t.printf("  - %s\n", message(why))
	}
	for i, p := range t.v.Problems {
		if i == maxInFull {
			t.printf("  - and %d more%s\n", len(t.v.Problems)-i, t.where())
			break
		}
		t.printf("  - %s: %s%s\n%s", name(p.Scope), message(p.Message), onWorker(p.Worker), quote(p.Details, "    ", maxOutput))
	}
	t.end()
}

func onWorker(id string) string {
	if id == "" {
		return ""
	}
	return " (on " + name(id) + ")"
}

// withoutResult tells of the tests that nobody knows to be good or bad: first those that show why.
func (t verdictText) withoutResult() {
	without := t.v.withoutResult()
	if len(without) == 0 {
		return
	}
	t.begin(fmt.Sprintf("Without a result: %d", len(without)), false)
	t.each(without, func(i int, j Judged) {
		t.printf("  %d. %s\n", i, name(j.ID))
		t.evidence(j)
	})
	t.end()
}

func (t verdictText) failures() {
	failed := t.v.Failed()
	if len(failed) == 0 {
		return
	}
	t.begin(fmt.Sprintf("Failed: %d", len(failed)), false)
	t.each(failed, func(i int, j Judged) {
		t.printf("  %d. %s\n", i, name(j.ID))
		if j.Why != "" {
			t.printf("     it %s\n", message(j.Why))
		}
		t.evidence(j)
	})
	t.end()
}

// evidence writes how a test that has no pass failed, where, and how to see that again.
func (t verdictText) evidence(j Judged) {
	t.history(j, "     ")
	a := j.decisive()
	if a == nil {
		return
	}
	if o := a.Outcome; o.File != "" {
		t.printf("     at %s, after %s\n", place(o.File, o.Line), seconds(o.Seconds))
	} else if o.Seconds > 0 {
		t.printf("     after %s\n", seconds(o.Seconds))
	}
	if parts := failedParts(j.ID, a.Outcome.Cases); len(parts) > 0 {
		t.printf("     failing parts: %s\n", Names(parts, 5))
	}
	if t.o.Reproduce != nil {
		if command := OneLine(t.o.Reproduce(j.ID), 4*maxName); command != "" {
			t.printf("     run it again: %s\n", command)
		}
	}
	t.printf("%s", quote(a.Outcome.Output, "     ", maxOutput))
}

// failedParts returns the names of the cases that did not pass, less the test's own.
func failedParts(id string, cases []batch.Case) []string {
	var names []string
	for _, c := range cases {
		if c.Status != batch.Passed && c.Status != batch.Skipped && !isTest(id, c) {
			names = append(names, c.Name)
		}
	}
	return names
}

func place(file string, line int) string {
	if line <= 0 {
		return name(file)
	}
	return fmt.Sprintf("%s:%d", name(file), line)
}

// each writes the first tests of a list in full (i counts from 1), more of them by name, and says how many are left.
func (t verdictText) each(tests []Judged, full func(i int, j Judged)) {
	for i, j := range tests {
		switch {
		case i < maxInFull:
			full(i+1, j)
		case i < maxInFull+maxByName:
			t.printf("  %d. %s\n", i+1, name(j.ID))
		default:
			t.printf("  - and %d more%s\n", len(tests)-i, t.where())
			return
		}
	}
	if len(tests) > maxInFull {
		t.printf("  (details of the first %d only%s)\n", maxInFull, t.where())
	}
}

// where says where to find what the text leaves out.
func (t verdictText) where() string {
	if t.o.JUnit == "" {
		return "; with --junit FILE a report has all of them"
	}
	return "; all of them are in " + name(t.o.JUnit)
}

// numbers writes what the run took.
func (t verdictText) numbers() {
	if t.v.Work > 0 && t.v.Wall > 0 {
		t.printf("%s\n", t.v.effort())
	}
}

// effort says what the run took, and what several workers were good for.
func (v Verdict) effort() string {
	text := fmt.Sprintf("%s of tests ran in %s on %s, idle for %.0f%% of the time", seconds(v.Work.Seconds()),
		seconds(v.Wall.Seconds()), count(len(v.History.Workers()), "worker"), 100*v.Idle)
	if faster := v.Work.Seconds() / v.Wall.Seconds(); faster >= 1.05 {
		text += fmt.Sprintf(": %.1f times as fast as one", faster)
	}
	return text
}
