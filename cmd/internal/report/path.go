package report

import (
	"slices"
	"time"
)

// Step is a part of the critical path.
type Step struct {
	Interval
	// Worker is that on which the step was, empty if there was none yet.
	Worker string
	// Kind says what took the time.
	Kind StepKind
	// Tests are indices in Verdict.Tests, in the order in which they ran.
	Tests []int
	// Between is how much of it was between tests.
	Between time.Duration
}

// StepKind says what a step of the critical path is.
type StepKind string

const (
	// Waiting for a worker: from the opening of the run to the joining of the one on which the path begins.
	StepJoin StepKind = "join"
	// StepStart is time of a worker without a test at its beginning: its start, and that of its runner.
	StepStart StepKind = "start"
	// StepTests is time in which tests ran, one after the other.
	StepTests StepKind = "tests"
	// StepLost is time with a test whose worker vanished, until that was noticed.
	StepLost StepKind = "lost"
	// StepWait is time between two tests.
	StepWait StepKind = "wait"
	// StepAgain is time between an attempt and the next one at the same test, the only one of Tests.
	StepAgain StepKind = "again"
	// StepEnd is what came after the last test.
	StepEnd StepKind = "end"
)

// CriticalPath returns what the run waited for, from its opening to its end: the tests before the last one on its worker, or,
// where a test ran again, its attempt before that. Nothing else can shorten a run than what shortens this path.
func (t Timeline) CriticalPath() []Step {
	lane, span := t.last()
	if lane < 0 {
		return nil
	}
	before := t.before()
	var steps []Step // backwards
	until := t.End
	add := func(s Step) {
		if n := len(steps); n > 0 && s.Kind == StepTests && steps[n-1].Kind == StepTests && steps[n-1].Worker == s.Worker {
			steps[n-1].Begin = s.Begin
			steps[n-1].Tests = append(steps[n-1].Tests, s.Tests...)
			return
		}
		if s.Kind == StepTests || s.Length() > 0 {
			steps = append(steps, s)
		}
	}
	gap := Step{Kind: StepEnd}
	for range t.spans() { // each span is passed once at most
		l := t.Lanes[lane]
		s := l.Spans[span]
		end := min(s.End, until)
		if end < until {
			add(Step{Interval: Interval{end, until}, Worker: l.ID, Kind: gap.Kind, Tests: gap.Tests})
		}
		kind := StepTests
		if s.Attempt.End == Vanished {
			kind = StepLost
		}
		add(Step{Interval: Interval{min(s.Begin, end), end}, Worker: l.ID, Kind: kind, Tests: []int{s.Test}})
		until, gap = min(s.Begin, end), Step{Kind: StepWait}
		previous := l.previous(span)
		if was, again := before[s.Attempt]; again {
			other := t.Lanes[was.lane].Spans[was.span]
			if previous < 0 || l.Spans[previous].End <= other.End {
				lane, span, gap = was.lane, was.span, Step{Kind: StepAgain, Tests: []int{s.Test}}
				continue
			}
		}
		if previous < 0 {
			add(Step{Interval: Interval{l.Joined, until}, Worker: l.ID, Kind: StepStart})
			add(Step{Interval: Interval{0, l.Joined}, Worker: l.ID, Kind: StepJoin})
			break
		}
		span = previous
	}
	slices.Reverse(steps)
	for i := range steps {
		slices.Reverse(steps[i].Tests)
	}
	return t.condense(steps)
}

// condense makes one step of those on one worker that are short: tests and the time between them, batch for batch.
func (t Timeline) condense(steps []Step) []Step {
	short := func(s Step) bool {
		return (s.Kind == StepTests || s.Kind == StepWait) && s.Length() < t.End/10
	}
	var out []Step
	open := false // the last one of out may grow
	for _, s := range steps {
		if s.Kind == StepWait {
			s.Between = s.Length()
		}
		if n := len(out); open && short(s) && out[n-1].Worker == s.Worker {
			last := &out[n-1]
			last.End, last.Between, last.Tests = s.End, last.Between+s.Between, append(last.Tests, s.Tests...)
			if s.Kind == StepTests {
				last.Kind = StepTests
			}
			continue
		}
		out, open = append(out, s), short(s)
	}
	return out
}

// place of a span.
type spanAt struct{ lane, span int }

// before returns where the attempt at the same test was that ran before an attempt.
func (t Timeline) before() map[*Attempt]spanAt {
	type at struct {
		spanAt
		attempt *Attempt
	}
	tests := map[int][]at{}
	for i, l := range t.Lanes {
		for k, s := range l.Spans {
			tests[s.Test] = append(tests[s.Test], at{spanAt{i, k}, s.Attempt})
		}
	}
	before := map[*Attempt]spanAt{}
	for _, attempts := range tests {
		for _, a := range attempts {
			for _, b := range attempts {
				if a.attempt != b.attempt && !b.attempt.Ended.After(a.attempt.Claimed) && !b.attempt.Ended.IsZero() && !a.attempt.Claimed.IsZero() {
					was, known := before[a.attempt]
					if !known || t.Lanes[was.lane].Spans[was.span].End < t.Lanes[b.lane].Spans[b.span].End {
						before[a.attempt] = b.spanAt
					}
				}
			}
		}
	}
	return before
}

// last returns the span that ended last, or -1.
func (t Timeline) last() (lane, span int) {
	lane, latest := -1, time.Duration(-1)
	for i, l := range t.Lanes {
		for k, s := range l.Spans {
			if s.End > latest || s.End == latest && s.Begin < t.Lanes[lane].Spans[span].Begin {
				lane, span, latest = i, k, s.End
			}
		}
	}
	return lane, span
}

// previous returns the span that ended last before that one began, or -1.
func (l Lane) previous(span int) int {
	begin := l.Spans[span].Begin
	best := -1
	for i := span - 1; i >= 0; i-- {
		if s := l.Spans[i]; s.End <= begin && (best < 0 || s.End > l.Spans[best].End) {
			best = i
		}
		if best >= 0 && span-i > 2*mostRows {
			break
		}
	}
	return best
}

// spans is how many there are.
func (t Timeline) spans() int {
	n := 0
	for _, l := range t.Lanes {
		n += len(l.Spans)
	}
	return n
}
