package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

const (
	// maxDetailed is how many tests of a section are told with their output, maxPlain how many the table without JavaScript has,
	// maxPageOutput how many bytes of an output the page has.
	maxDetailed   = 300
	maxPlain      = 2000
	maxPageOutput = 32 << 10
	// maxSlowest is how many of the slowest tests are listed.
	maxSlowest = 15
)

// page is what page.gohtml shows. All texts are clean.
type page struct {
	Policy        string
	Style         template.CSS
	Script, Data  template.JS
	Tool          string
	Run, Started  string
	Word, Tone    string // of the verdict
	Exit          int
	Sentence      string
	Tiles         []tile
	Wall, Work    string
	Faster, Idle  string
	Incomplete    []string
	Problems      []pageProblem
	Sections      []section
	Steps         []pageStep
	Advice        []Advice
	Workers       []pageWorker
	Slowest       []pageTest
	Plain         []pageTest // the table without JavaScript
	Tests         int
	Lost, Flaky   int
	timeline      Timeline
	detailedTests map[int]bool
}

// tile is a number of the head of the page, with the filter of the table that shows the tests.
type tile struct {
	Class, Icon, Words, Show string
	Tests                    int
}

type pageProblem struct{ Scope, Message, Details, Worker string }

// section is a list of tests that are told with their history.
type section struct {
	ID, Title, Says string
	Total           int
	Full            []pageTest
	Brief           []pageTest // in a line, and only without JavaScript: the table has them
}

// pageTest is a test as the page tells it.
type pageTest struct {
	Anchor                                       string // of those that are told in full
	Group, Name                                  string // of its id
	Status, Icon, Words                          string
	Message, Why, Place, Time, Reproduce, Worker string
	History                                      []string
	Attempts                                     int
	Output                                       string
	Parts                                        []pagePart
	Open                                         bool
}

// pagePart is a case that did not pass.
type pagePart struct{ Name, Words, Message, Place, Output string }

type pageStep struct{ Kind, Says, Took, Share string }

type pageWorker struct {
	ID, Info, Came, End, Testing, Startup, Rest, Idle string
	Tests, Batches                                    int
	Lost                                              bool
	Cost                                              string
}

// looks are how the page names a status. A colour says nothing that the word does not say.
var looks = map[batch.Status]struct{ class, icon, words string }{
	batch.Passed: {"passed", "✓", "passed"}, batch.Failed: {"failed", "✗", "failed"}, batch.Crashed: {"crashed", "‼", "crashed"},
	batch.Timeout: {"timeout", "◷", "timed out"}, batch.Skipped: {"skipped", "–", "skipped"}, batch.Lost: {"lost", "?", "lost"},
	batch.Unroutable: {"lost", "⊘", "unroutable"}, batch.Unexecuted: {"lost", "?", "not executed"}, Missing: {"lost", "?", "no result"},
	Aborted: {"lost", "■", "not run"}, Unproven: {"lost", "?", "unproven"},
}

func newPage(v Verdict, o HTMLOptions) *page {
	line := NewTimeline(v)
	p := &page{
		Tool: clean(o.Tool), Run: clean(v.RunID), Exit: v.Exit, Tests: len(v.Tests), Wall: seconds(v.Wall.Seconds()), Work: seconds(v.Work.Seconds()),
		Advice: line.Advise(v), timeline: line, detailedTests: map[int]bool{}, Flaky: len(v.Flaky()),
	}
	p.Word, p.Sentence, _ = strings.Cut(v.Sentence(), ": ")
	p.Tone = map[string]string{"PASSED": "passed", "FAILED": "failed"}[p.Word]
	if p.Tone == "" {
		p.Tone = "lost"
	}
	if !line.Begin.IsZero() {
		p.Started = line.Begin.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if v.Wall > 0 && v.Work > 0 {
		p.Faster = fmt.Sprintf("%.1f×", v.Work.Seconds()/v.Wall.Seconds())
		p.Idle = fmt.Sprintf("%.0f%%", 100*v.Idle)
	}
	for _, kind := range tally {
		if n := v.Counts[kind.status]; n > 0 {
			look := looks[kind.status]
			p.Tiles = append(p.Tiles, tile{look.class, look.icon, kind.words, look.words, n})
		}
	}
	for _, why := range v.Incomplete {
		p.Incomplete = append(p.Incomplete, message(why))
	}
	for _, problem := range v.Problems {
		p.Problems = append(p.Problems, pageProblem{name(problem.Scope), message(problem.Message), shorten(problem.Details), clean(problem.Worker)})
	}
	p.sections(v, o)
	for _, s := range line.CriticalPath() {
		p.Steps = append(p.Steps, s.page(v, line))
	}
	for _, l := range line.Lanes {
		w := l.page()
		if w.Lost {
			p.Lost++
		}
		p.Workers = append(p.Workers, w)
	}
	p.slowest(v)
	return p
}

// sections sorts the tests that have something to tell.
func (p *page) sections(v Verdict, o HTMLOptions) {
	index := map[string]int{}
	for i, j := range v.Tests {
		index[j.ID] = i
	}
	for _, s := range []struct {
		id, title, says string
		tests           []Judged
	}{
		{"failures", "Failures", "", v.Failed()},
		{"without-result", "Without a result", "Nobody knows whether these pass.", v.with(batch.Lost, Missing, Aborted, Unproven)},
		{"unroutable", "Behind gates that no worker passed", "Start a worker that passes the gate, or correct the gate; then run them again.", v.with(batch.Unroutable)},
		{"quarantine", "Failed in quarantine", "These do not fail the run until their quarantine expires.", v.Excused()},
		{"flaky", "Flaky", "Passed, but only in one of several attempts.", v.Flaky()},
	} {
		if len(s.tests) == 0 {
			continue
		}
		out := section{ID: s.id, Title: s.title, Says: s.says, Total: len(s.tests)}
		for i, j := range s.tests {
			if i < maxDetailed {
				out.Full = append(out.Full, p.told(j, index[j.ID], o, s.id == "failures" && i == 0))
			} else {
				t, _ := headline(j)
				out.Brief = append(out.Brief, t)
			}
		}
		p.Sections = append(p.Sections, out)
	}
}

// headline is what a section says of a test in a line, and the attempt that shows it; nil: there is none.
func headline(j Judged) (pageTest, *Attempt) {
	t := newPageTest(j)
	a := j.decisive()
	if j.Flaky() {
		for _, other := range j.Attempts {
			if other.failed() {
				a = other
			}
		}
		t.Icon, t.Words, t.Status = "≈", "flaky", "flaky"
	}
	t.Why = message(first(j.Why, j.Reason))
	t.Message = t.Why
	if a != nil {
		t.Message = first(message(a.Outcome.Message), t.Why)
	}
	return t, a
}

// told is a test of a section with its history and output.
func (p *page) told(j Judged, index int, o HTMLOptions, open bool) pageTest {
	t, a := headline(j)
	t.Anchor, t.Open = "t"+strconv.Itoa(index), open
	p.detailedTests[index] = true
	t.History = historyLines(j.Test)
	if j.Gate != nil {
		t.History = append(t.History, j.Gate.words(maxMessage)...)
	}
	if o.Reproduce != nil {
		t.Reproduce = OneLine(o.Reproduce(j.ID), 4*maxName)
	}
	if a == nil {
		return t
	}
	if a.Outcome.File != "" {
		t.Place = place(a.Outcome.File, a.Outcome.Line)
	}
	t.Output = shorten(a.Outcome.Output)
	for _, c := range a.Outcome.Cases {
		if c.Status == batch.Passed || c.Status == batch.Skipped || isTest(j.ID, c) && c.Output == "" {
			continue
		}
		part := pagePart{Name: name(c.Name), Words: verb(c.Status), Message: message(c.Message), Output: shorten(c.Output)}
		if part.Output == t.Output {
			part.Output = ""
		}
		if c.File != "" {
			part.Place = place(c.File, c.Line)
		}
		t.Parts = append(t.Parts, part)
	}
	return t
}

func newPageTest(j Judged) pageTest {
	look, known := looks[j.Status]
	if !known {
		look.class, look.icon, look.words = "lost", "?", OneLine(string(j.Status), 40)
	}
	t := pageTest{Status: look.class, Icon: look.icon, Words: look.words, Attempts: len(j.Attempts)}
	t.Group, t.Name = splitID(name(j.ID))
	if a := j.longest(); a != nil {
		t.Time = seconds(a.Outcome.Seconds)
	}
	if n := len(j.Attempts); n > 0 {
		t.Worker = clean(j.Attempts[n-1].Worker)
	}
	return t
}

// longest returns the attempt that took longest, or nil.
func (t *Test) longest() *Attempt {
	var longest *Attempt
	for _, a := range t.Attempts {
		if a.End == Finished && a.Outcome.Seconds > 0 && (longest == nil || a.Outcome.Seconds > longest.Outcome.Seconds) {
			longest = a
		}
	}
	return longest
}

// slowest lists the slowest tests, and those of the table without JavaScript: all, or in a large run the worst and slowest.
func (p *page) slowest(v Verdict) {
	tests := slices.Clone(v.Tests)
	took := func(j Judged) float64 {
		if a := j.longest(); a != nil {
			return a.Outcome.Seconds
		}
		return 0
	}
	slices.SortStableFunc(tests, func(a, b Judged) int { return cmp.Compare(took(b), took(a)) })
	for _, j := range tests[:min(len(tests), maxSlowest)] {
		if took(j) > 0 {
			p.Slowest = append(p.Slowest, newPageTest(j))
		}
	}
	plain := v.Tests
	if len(plain) > maxPlain {
		slices.SortStableFunc(tests, func(a, b Judged) int {
			switch {
			case a.Bad() == b.Bad():
				return 0
			case a.Bad():
				return -1
			}
			return 1
		})
		plain = tests[:maxPlain]
	}
	for _, j := range plain {
		p.Plain = append(p.Plain, newPageTest(j))
	}
}

func (l Lane) page() pageWorker {
	w := pageWorker{
		ID: name(l.ID), Info: name(l.Info), Came: brief(l.Joined), Tests: l.Done, Batches: len(l.Holds), Testing: brief(l.Testing),
		Startup: brief(l.Startup), Rest: brief(l.Rest), Idle: brief(l.Idle), Lost: l.Reaped,
	}
	switch {
	case l.Reaped:
		w.End = "presumed dead at " + brief(l.Left) + withMessage(l.Reason)
		w.Cost = holdings(l.Taken, l.Charged, len(l.Taken), "taken back")
	case l.Worker.Left.IsZero():
		w.End = "stayed to the end"
	default:
		w.End = "left at " + brief(l.Left) + withMessage(l.Reason)
	}
	return w
}

func (s Step) page(v Verdict, t Timeline) pageStep {
	out := pageStep{Kind: string(s.Kind), Took: brief(s.Length())}
	if t.End > 0 {
		out.Share = fmt.Sprintf("%.0f%%", 100*float64(s.Length())/float64(t.End))
	}
	ids := make([]string, 0, len(s.Tests))
	for _, i := range s.Tests {
		ids = append(ids, v.Tests[i].ID)
	}
	on := name(s.Worker)
	switch s.Kind {
	case StepJoin:
		out.Says = on + " was not there yet"
	case StepStart:
		out.Says = on + " started, with its runner"
	case StepTests:
		out.Says = on + " ran " + count(len(ids), "test") + ": " + Names(ids, 3)
		if len(ids) == 1 {
			out.Says = on + " ran " + name(ids[0])
		}
		if s.Between > 0 {
			out.Says += "; of that " + brief(s.Between) + " without a test, as runners started and between tests"
		}
	case StepLost:
		out.Says = on + " vanished while it ran " + name(ids[0]) + ", until that was noticed"
	case StepWait:
		out.Says = "between tests, on " + on
	case StepAgain:
		out.Says = "until " + name(ids[0]) + " ran again"
	case StepEnd:
		out.Says = "after the last test, on " + on
	}
	return out
}

// shorten cleans an output, and cuts the middle of a long one.
func shorten(s string) string {
	if len(s) > maxPageOutput {
		s = fmt.Sprintf("%s\n[… %s bytes cut here …]\n%s", s[:maxPageOutput/4], thousands(len(s)-maxPageOutput), s[len(s)-maxPageOutput*3/4:])
	}
	return strings.Trim(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(clean(s)), "\n")
}

// thousands returns 1,234,567.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
