package report

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Timeline is a run as time saw it: what each worker did when. Times count from the opening of the run.
type Timeline struct {
	// Begin is when the run was opened, End how long it took.
	Begin time.Time
	End   time.Duration
	// Lanes are those of the workers, in the order in which they joined.
	Lanes []Lane
}

// Lane is the time of one worker.
type Lane struct {
	*Worker
	Joined, Left time.Duration
	// Rows is how many tests it ran at once, at least 1.
	Rows  int
	Holds []Interval // its batches, in the order of Worker.Batches
	Spans []Span     // by their beginning
	// Startup is the time from joining to its first batch, and that from each claim to the first test of the batch, in
	// which runners start and compile; Testing that in which at least one test ran; Idle that without a batch after the first;
	// Rest the other time in batches.
	Startup, Testing, Idle, Rest time.Duration
}

// Interval is a stretch of time.
type Interval struct{ Begin, End time.Duration }

// Length of the interval.
func (i Interval) Length() time.Duration { return i.End - i.Begin }

// Span is an attempt that ran, or seems to have.
type Span struct {
	Interval
	Test    int // index in Verdict.Tests
	Attempt *Attempt
	// Row is counted from 0.
	Row int
}

// mostRows bounds Lane.Rows.
const mostRows = 8

// NewTimeline lays out what a verdict's history tells. Redis's clock says when Redis heard of something, which may be several
// things at once; how long a test took, its worker measured. So a test that ended before the next one began ends no later than that
// did, and begins as much earlier as it took, but not before its batch.
func NewTimeline(v Verdict) Timeline {
	h := v.History
	t := Timeline{Begin: h.Opened(), End: max(0, h.Ended().Sub(h.Opened()))}
	at := func(when time.Time) time.Duration { return min(max(0, when.Sub(t.Begin)), t.End) }
	index := map[string]int{}
	for _, w := range h.Workers() {
		l := Lane{Worker: w, Joined: at(w.Joined), Left: t.End}
		if !w.Left.IsZero() {
			l.Left = at(w.Left)
		}
		for _, b := range w.Batches {
			held := Interval{at(b.Claimed), l.Left}
			if !b.Ended.IsZero() {
				held.End = at(b.Ended)
			}
			l.Holds = append(l.Holds, held)
		}
		index[w.ID] = len(t.Lanes)
		t.Lanes = append(t.Lanes, l)
	}
	for i, j := range v.Tests {
		for _, a := range j.Attempts {
			lane, known := index[a.Worker]
			if !known || !a.ran() {
				continue
			}
			l := &t.Lanes[lane]
			end := l.Left
			if !a.Ended.IsZero() {
				end = at(a.Ended)
			}
			begin := at(a.Began())
			if measured := end - duration(a.Outcome.Seconds); a.End == Finished && measured < begin {
				begin = max(measured, at(a.Claimed))
			}
			l.Spans = append(l.Spans, Span{Interval: Interval{min(begin, end), end}, Test: i, Attempt: a})
		}
	}
	for i := range t.Lanes {
		t.Lanes[i].arrange(at)
		t.Lanes[i].sum()
	}
	return t
}

// ran says that the attempt took time on its worker.
func (a *Attempt) ran() bool {
	return a.End == Finished && a.Outcome.Status != batch.Unexecuted || !a.Started.IsZero()
}

// first and last entry of the journal that tell of the attempt.
func (a *Attempt) entries() (first, last int) {
	first, last = a.begun, a.over
	if first == 0 {
		first = last
	}
	return first, last
}

// arrange moves spans that the journal tells one after the other apart, and puts those that ran at once into rows.
func (l *Lane) arrange(at func(time.Time) time.Duration) {
	s := l.Spans
	slices.SortStableFunc(s, func(a, b Span) int {
		x, _ := a.Attempt.entries()
		y, _ := b.Attempt.entries()
		return cmp.Compare(x, y)
	})
	earliest := make([]time.Duration, len(s)+1) // beginning of any span from i on
	earliest[len(s)] = l.Left
	for i := len(s) - 1; i >= 0; i-- {
		a := s[i].Attempt
		if _, last := a.entries(); last > 0 {
			next := i + 1 + sort.Search(len(s)-i-1, func(k int) bool { first, _ := s[i+1+k].Attempt.entries(); return first > last })
			if late := s[i].End - earliest[next]; late > 0 {
				s[i].End -= late
				s[i].Begin = min(s[i].Begin, max(s[i].End-duration(a.Outcome.Seconds), at(a.Claimed)), s[i].End)
			}
		}
		earliest[i] = min(earliest[i+1], s[i].Begin)
	}
	slices.SortStableFunc(s, func(a, b Span) int { return cmp.Compare(a.Begin, b.Begin) })
	var free []time.Duration // when each row is free
	for i := range s {
		row := slices.IndexFunc(free, func(until time.Duration) bool { return until <= s[i].Begin })
		switch {
		case row >= 0:
		case len(free) < mostRows:
			row, free = len(free), append(free, 0)
		default:
			row = slices.Index(free, slices.Min(free))
		}
		s[i].Row, free[row] = row, max(free[row], s[i].End)
	}
	l.Rows = max(1, len(free))
}

// sum adds up what the worker spent its time with.
func (l *Lane) sum() {
	ran := union(l.Spans)
	l.Testing = total(ran)
	inBatch, first := time.Duration(0), l.Left
	k := 0
	for i, hold := range l.Holds {
		if i == 0 {
			first = hold.Begin
		}
		inBatch += max(0, hold.Length())
		for k < len(ran) && ran[k].End <= hold.Begin {
			k++
		}
		begin := hold.End
		if k < len(ran) {
			begin = min(max(ran[k].Begin, hold.Begin), hold.End)
		}
		l.Startup += begin - hold.Begin
	}
	l.Rest = max(0, inBatch-l.Startup-l.Testing)
	present := max(0, l.Left-l.Joined)
	l.Startup += max(0, first-l.Joined)
	l.Idle = max(0, present-l.Startup-l.Testing-l.Rest)
}

// union returns the stretches of time that spans, sorted by their beginning, cover.
func union(spans []Span) []Interval {
	var all []Interval
	for _, s := range spans {
		if n := len(all); n > 0 && s.Begin <= all[n-1].End {
			all[n-1].End = max(all[n-1].End, s.End)
		} else {
			all = append(all, s.Interval)
		}
	}
	return all
}

func total(intervals []Interval) time.Duration {
	sum := time.Duration(0)
	for _, i := range intervals {
		sum += i.Length()
	}
	return sum
}

func duration(seconds float64) time.Duration {
	return time.Duration(max(0, seconds) * float64(time.Second))
}

// finals returns when each test got its result from an attempt, in order.
func (t Timeline) finals() []time.Duration {
	var ends []time.Duration
	for _, l := range t.Lanes {
		for _, s := range l.Spans {
			if s.Attempt.Decision == batch.Final {
				ends = append(ends, s.End)
			}
		}
	}
	slices.Sort(ends)
	return ends
}
