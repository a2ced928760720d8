package report

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// traceEvent is an event of Chrome's trace format, which Perfetto reads:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Times are in microseconds.
type traceEvent struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"`
	Cat   string         `json:"cat,omitempty"`
	Time  int64          `json:"ts"`
	Dur   *int64         `json:"dur,omitempty"`
	Pid   int            `json:"pid"`
	Tid   int            `json:"tid"`
	ID    int            `json:"id,omitempty"`
	Scope string         `json:"s,omitempty"`
	Bind  string         `json:"bp,omitempty"`
	Color string         `json:"cname,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

// The tracks of a trace: the run is process 0, each worker one of its own, with its batches above the rows of its tests.
const (
	tracePid      = 0
	traceBatches  = 1
	traceFirstRow = 2
)

// WriteTrace writes a run in Chrome's trace format: who ran what when, in which batch; what was lost, and where it ran again.
// Errors are w's.
func WriteTrace(w io.Writer, v Verdict) error {
	t := trace{Writer: bufio.NewWriter(w)} // it keeps the first error until Flush
	line := NewTimeline(v)
	header, err := encodeJSON(map[string]any{"run": v.RunID, "verdict": v.Sentence(), "begin": line.Begin.UTC()})
	if err != nil {
		return err
	}
	fmt.Fprintf(t, "{\"displayTimeUnit\":\"ms\",\"otherData\":%s,\"traceEvents\":[", header[:len(header)-1])
	t.name("process_name", tracePid, 0, "run "+name(v.RunID))
	for i, l := range line.Lanes {
		t.lane(i+1, l, v)
	}
	for _, m := range v.History.marks {
		t.put(traceEvent{Name: markWords(m), Phase: "i", Scope: "g", Cat: "run", Time: micros(m.Time.Sub(line.Begin))})
	}
	for _, p := range v.Problems {
		if !p.Time.IsZero() {
			t.put(traceEvent{Name: "problem: " + name(p.Scope), Phase: "i", Scope: "g", Cat: "run", Time: micros(p.Time.Sub(line.Begin)),
				Args: map[string]any{"message": message(p.Message), "worker": name(p.Worker)}})
		}
	}
	t.results(line)
	t.flows(line)
	fmt.Fprintf(t, "\n]}\n")
	if t.err != nil {
		return t.err
	}
	return t.Flush()
}

type trace struct {
	*bufio.Writer
	begun bool
	err   error
}

func (t *trace) put(e traceEvent) {
	text, err := encodeJSON(e)
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("trace: %q: %w", e.Name, err)
	}
	if t.begun {
		_ = t.WriteByte(',')
	}
	t.begun = true
	_ = t.WriteByte('\n')
	_, _ = t.Write(text[:max(0, len(text)-1)])
}

func (t *trace) name(what string, pid, tid int, text string) {
	t.put(traceEvent{Name: what, Phase: "M", Pid: pid, Tid: tid, Args: map[string]any{"name": text}})
}

// slice puts a stretch of time on a track.
func (t *trace) slice(e traceEvent, i Interval) {
	dur := micros(i.Length())
	e.Phase, e.Time, e.Dur = "X", micros(i.Begin), &dur
	t.put(e)
}

func (t *trace) lane(pid int, l Lane, v Verdict) {
	t.name("process_name", pid, 0, name(l.ID))
	t.put(traceEvent{Name: "process_sort_index", Phase: "M", Pid: pid, Args: map[string]any{"sort_index": pid}})
	t.name("thread_name", pid, traceBatches, "batches")
	for row := range l.Rows {
		t.name("thread_name", pid, traceFirstRow+row, "tests")
	}
	t.put(traceEvent{Name: "joined", Phase: "i", Scope: "p", Cat: "worker", Time: micros(l.Joined), Pid: pid, Tid: traceBatches, Args: map[string]any{"info": message(l.Info)}})
	for i, hold := range l.Holds {
		b := l.Batches[i]
		title := fmt.Sprintf("batch %d: %s", b.Number, count(b.Size, "test"))
		if b.Alone {
			title += ", alone"
		}
		t.slice(traceEvent{Name: title, Cat: "batch", Pid: pid, Tid: traceBatches, Args: map[string]any{"batch": b.Number, "tests": b.Size, "alone": b.Alone}}, hold)
	}
	for _, s := range l.Spans {
		a := s.Attempt
		args := map[string]any{"how": a.words(), "batch": a.Batch}
		if a.Outcome.File != "" {
			args["at"] = place(a.Outcome.File, a.Outcome.Line)
		}
		t.slice(traceEvent{Name: name(v.Tests[s.Test].ID), Cat: "test", Pid: pid, Tid: traceFirstRow + s.Row, Color: traceColor(a), Args: args}, s.Interval)
	}
	if !l.Worker.Left.IsZero() {
		what := "left"
		if l.Reaped {
			what = "presumed dead"
		}
		t.put(traceEvent{Name: what, Phase: "i", Scope: "p", Cat: "worker", Time: micros(l.Left), Pid: pid, Tid: traceBatches,
			Args: map[string]any{"why": message(l.Reason), "held": len(l.Taken)}})
	}
}

// results counts the tests that have a result, as time goes by.
func (t *trace) results(line Timeline) {
	ends := line.finals()
	for i, at := range ends {
		if i+1 < len(ends) && ends[i+1] == at {
			continue
		}
		t.put(traceEvent{Name: "tests with a result", Phase: "C", Time: micros(at), Args: map[string]any{"tests": i + 1}})
	}
}

// flows connect the attempts at a test.
func (t *trace) flows(line Timeline) {
	before := line.before()
	id := 0
	for i, l := range line.Lanes {
		for _, s := range l.Spans {
			was, again := before[s.Attempt]
			if !again {
				continue
			}
			id++
			from := line.Lanes[was.lane].Spans[was.span]
			t.put(traceEvent{Name: "ran again", Cat: "again", Phase: "s", ID: id, Pid: was.lane + 1, Tid: traceFirstRow + from.Row, Time: micros(max(from.Begin, from.End-time.Microsecond))})
			t.put(traceEvent{Name: "ran again", Cat: "again", Phase: "f", Bind: "e", ID: id, Pid: i + 1, Tid: traceFirstRow + s.Row, Time: micros(s.Begin)})
		}
	}
}

// traceColor is one of the names that trace viewers know.
func traceColor(a *Attempt) string {
	switch {
	case a.End == Vanished || a.End == TakenBack:
		return "black"
	case a.failed():
		return "terrible"
	case a.End == Finished && a.Outcome.Status == batch.Skipped:
		return "grey"
	case a.End == Finished:
		return "good"
	}
	return "bad"
}

func markWords(m Mark) string {
	switch m.Type {
	case batch.Opened:
		return "opened again, as Redis had lost data"
	case batch.Sealed:
		return "list closed"
	case batch.Audited:
		return "tests that Redis had lost were queued again"
	}
	return "aborted" + withMessage(m.Text)
}

func micros(d time.Duration) int64 { return max(0, d.Microseconds()) }
