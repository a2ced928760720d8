package report

import (
	"maps"
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// History is a run as its journal tells it. The zero value is not usable; see NewHistory. It is for one goroutine.
type History struct {
	tests   map[string]*Test
	workers map[string]*Worker
	gates   map[string]*Gate // by label
	// quarantines by test, also of tests that never came into the list
	quarantines map[string]batch.Quarantine
	joined      []*Worker
	problems    problems
	entries     int // of the journal, those before a loss of data included
	marks       []Mark
	// opened and last are the times of the first and the last event; ended that of the done or abort marker.
	opened, last, ended time.Time
	done                bool
	aborted             bool
	abortReason         string
	abortBy             string
}

// NewHistory returns the history of a run of which nothing is known yet.
func NewHistory() *History {
	h := &History{}
	h.forget()
	return h
}

// forget drops what a journal that is gone told. Its problems stay, since nobody is sure to tell them again.
func (h *History) forget() {
	h.tests, h.workers, h.joined = map[string]*Test{}, map[string]*Worker{}, nil
	h.gates, h.quarantines = map[string]*Gate{}, map[string]batch.Quarantine{}
	h.done, h.aborted, h.ended = false, false, time.Time{}
}

// Add takes the next event of the journal. Events of unknown type change nothing.
//
// A run that lost its data is opened again with a new journal, and workers report again what they know: everything told
// before is forgotten then, except for problems.
func (h *History) Add(e batch.Event) {
	if h.opened.IsZero() {
		h.opened = e.Time
	}
	h.last = e.Time
	h.entries++
	h.mark(e)
	switch e.Type {
	case batch.Opened:
		h.forget()
	case batch.Quarantined:
		h.quarantine(e)
	case batch.Joined:
		h.worker(e.Worker, e.Time).Info = e.Text
	case batch.Left:
		w := h.worker(e.Worker, e.Time)
		w.Left, w.Reason = e.Time, e.Text
	case batch.Claimed:
		h.claim(e)
	case batch.Start:
		if a := h.attempt(e); a.Started.IsZero() {
			a.Started, a.begun = e.Time, h.entries
		}
	case batch.Finish:
		h.finish(e)
	case batch.Resulted:
		h.result(e)
	case batch.Qualified, batch.Refused:
		h.gate(e.Gate).answer(e)
	case batch.Settled:
		h.settle(e)
	case batch.Returned:
		h.giveBack(e)
	case batch.Reaped:
		h.reap(e)
	case batch.ProblemFound:
		h.problems.add(Problem{Problem: e.Problem, Worker: e.Worker, Time: e.Time})
	case batch.Done:
		h.done, h.ended = true, e.Time
	case batch.Aborted:
		h.aborted, h.ended, h.abortReason, h.abortBy = true, e.Time, e.Text, e.Worker
	}
}

func (h *History) quarantine(e batch.Event) {
	for _, id := range e.Tests {
		if _, told := h.quarantines[id]; !told {
			h.quarantines[id] = e.Quarantine
		}
	}
}

func (h *History) claim(e batch.Event) {
	h.worker(e.Worker, e.Time).claim(e)
	for _, id := range e.Tests {
		t := h.test(id)
		t.Attempts = append(t.Attempts, &Attempt{
			Worker: e.Worker, Batch: e.Batch, Size: len(e.Tests), Alone: e.Text == "alone", Claimed: e.Time,
		})
	}
}

func (h *History) finish(e batch.Event) {
	t := h.test(e.Test)
	if e.Decision == batch.Late && t.held(e.Worker, e.Batch) == nil && t.repeated(e.Outcome) {
		return
	}
	if t.restored(e) {
		return
	}
	if e.Decision != batch.Late && e.Former == "" {
		h.worker(e.Worker, e.Time).Done++
	}
	a := h.attempt(e)
	a.Former = e.Former
	a.End, a.Ended, a.Outcome, a.Decision, a.over = Finished, e.Time, e.Outcome, e.Decision, h.entries
	if e.Outcome.Status == batch.Passed {
		a.Outcome.Output = ""
	}
	if e.Decision == batch.Final {
		t.Result, t.Reason = e.Outcome.Status, e.Text
		if t.Result == batch.Unexecuted {
			t.Result = batch.Lost // so report.lua writes it
		}
	}
}

// result takes a result that the protocol gave.
func (h *History) result(e batch.Event) {
	t := h.test(e.Test)
	t.Result, t.Reason = e.Outcome.Status, e.Outcome.Message
	if e.Gate != "" {
		t.Gate = h.gate(e.Gate)
		t.Gate.givenUp = true
	}
}

// settle ends a batch. A test of it without a finish that is not left over was taken out by a late result, or given back
// with a beat: it never ran here.
func (h *History) settle(e batch.Event) {
	end := NotRun
	if e.Text == string(batch.HandBack) {
		end = HandedBack
	}
	h.endBatch(e, func(id string) End {
		if slices.Contains(e.Tests, id) {
			return end
		}
		return Held
	})
}

// giveBack ends attempts that their worker had not begun, in a batch that goes on.
func (h *History) giveBack(e batch.Event) {
	for _, id := range e.Tests {
		if a := h.test(id).held(e.Worker, e.Batch); a != nil {
			a.End, a.Ended = HandedBack, e.Time
		}
	}
}

func (h *History) reap(e batch.Event) {
	h.endBatch(e, func(id string) End {
		switch {
		case slices.Contains(e.Charged, id):
			return Vanished
		case slices.Contains(e.Tests, id):
			return TakenBack
		}
		return Held
	})
	w := h.worker(e.Worker, e.Time)
	w.Left, w.Reaped, w.Reason, w.Taken, w.Charged = e.Time, true, e.Text, e.Tests, e.Charged
}

// endBatch ends the attempts that a worker holds as how says; those that it calls Held are dropped.
func (h *History) endBatch(e batch.Event, how func(id string) End) {
	w := h.worker(e.Worker, e.Time)
	if w.open.number != e.Batch {
		return
	}
	for _, id := range w.settle(e.Time) {
		t := h.test(id)
		a := t.held(e.Worker, e.Batch)
		if a == nil {
			continue
		}
		if a.End = how(id); a.End == Held {
			t.drop(a)
			continue
		}
		a.Ended = e.Time
		if e.Type == batch.Reaped {
			a.Reason = e.Text
		}
	}
}

// attempt returns the one that a start or finish is about: what its worker holds, or one that the journal did not announce.
func (h *History) attempt(e batch.Event) *Attempt {
	t := h.test(e.Test)
	a := t.held(e.Worker, e.Batch)
	if a == nil {
		a = &Attempt{Worker: e.Worker, Batch: e.Batch}
		t.Attempts = append(t.Attempts, a)
	}
	return a
}

func (h *History) test(id string) *Test {
	t := h.tests[id]
	if t == nil {
		t = &Test{ID: id}
		h.tests[id] = t
	}
	return t
}

func (h *History) gate(label string) *Gate {
	g := h.gates[label]
	if g == nil {
		g = &Gate{Label: label}
		h.gates[label] = g
	}
	return g
}

// worker returns that worker; one whose join the journal does not tell is there since at.
func (h *History) worker(id string, at time.Time) *Worker {
	w := h.workers[id]
	if w == nil {
		w = &Worker{ID: id, Joined: at}
		h.workers[id] = w
		h.joined = append(h.joined, w)
	}
	return w
}

// Test returns what is known of a test, or nil.
func (h *History) Test(id string) *Test { return h.tests[id] }

// Tests returns the tests that the journal names, by id. Tests that nobody claimed are not among them.
func (h *History) Tests() []*Test {
	tests := make([]*Test, 0, len(h.tests))
	for _, id := range slices.Sorted(maps.Keys(h.tests)) {
		tests = append(tests, h.tests[id])
	}
	return tests
}

// Workers returns the workers in the order in which they joined.
func (h *History) Workers() []*Worker { return h.joined }

// Problems returns what went wrong outside of tests, in the order in which it was told first.
func (h *History) Problems() []Problem { return h.problems.list }

// Opened returns when the run was opened, zero if nothing happened yet.
func (h *History) Opened() time.Time { return h.opened }

// Ended returns when the run was done or aborted; for one that is neither, the time of the last event.
func (h *History) Ended() time.Time {
	if h.ended.IsZero() {
		return h.last
	}
	return h.ended
}
