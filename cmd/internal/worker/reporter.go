package worker

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/shardctl/shardctl/batch"
)

const (
	// mostEvents and mostBytes bound one report: some milliseconds of Redis's time.
	mostEvents = 500
	mostBytes  = 1 << 20
)

// reporter tells Redis what happens to the tests of one batch. While a report is under way further events gather, so that
// thousands of fast tests cost few round trips.
type reporter struct {
	w      *worker
	number int
	cancel context.CancelCauseFunc
	wake   chan struct{} // capacity 1; emit and close write, the sending goroutine reads
	ended  chan struct{} // closed by the sending goroutine

	mu       sync.Mutex
	events   []batch.Event   // not acknowledged, in order
	open     map[string]bool // tests that this worker holds: not given back, their finish not acknowledged
	running  map[string]bool // tests that started and have not finished
	draining bool            // no further test counts but those that were running
	returned bool            // the drain gave something back
	closed   bool
	err      error
}

// newReporter starts the reporter of a batch. cancel is called when its reports are not wanted any more.
func (w *worker) newReporter(b batch.Batch, cancel context.CancelCauseFunc) *reporter {
	r := &reporter{
		w: w, number: b.Number, cancel: cancel, open: map[string]bool{}, running: map[string]bool{},
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	for _, id := range b.IDs() {
		r.open[id] = true
	}
	go r.send()
	return r
}

// emit takes events in one step. It never waits for Redis.
func (r *reporter) emit(events ...batch.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := len(r.events)
	for _, e := range events {
		clip(&e.Outcome)
		e.Problem.Details = shorten(e.Problem.Details, mostOutput)
		if !r.counts(e) {
			continue
		}
		r.events = append(r.events, e)
		if err := r.w.breaker.test(e); err != nil {
			r.cancel(err)
		}
	}
	r.w.outcomes.add(r.events[fresh:]...)
	signal(r.wake)
	if r.returned && len(r.running) == 0 {
		r.cancel(errStopped) // what it would run now is not ours any more
	}
}

// counts keeps track of what is running, and tells whether an event is about a test that this worker still holds: what the
// runner begins during a drain was given back, and its runner is about to be stopped.
func (r *reporter) counts(e batch.Event) bool {
	switch e.Type {
	case batch.Start:
		if r.draining && !r.running[e.Test] {
			return false
		}
		r.running[e.Test] = true
	case batch.Pause:
		if !r.draining {
			delete(r.running, e.Test)
		}
	case batch.Finish:
		if r.draining && !r.running[e.Test] {
			return false
		}
		delete(r.running, e.Test)
	}
	return true
}

// drain gives up the tests that have neither started nor finished, and returns those that are running. When they have
// finished, the runner is stopped; unless nothing was given up: then it ends by itself, and tells how.
func (r *reporter) drain() (running []string, returned bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	finished := finishes(r.events)
	for id := range r.open {
		if !r.running[id] && !finished[id] {
			delete(r.open, id)
			r.returned = true
		}
	}
	return slices.Sorted(maps.Keys(r.running)), r.returned
}

// finishes are the tests that events tell the end of.
func finishes(events []batch.Event) map[string]bool {
	finished := map[string]bool{}
	for _, e := range events {
		if e.Type == batch.Finish {
			finished[e.Test] = true
		}
	}
	return finished
}

// close waits until everything is reported, and returns why it was not.
func (r *reporter) close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	signal(r.wake)
	<-r.ended
	return r.err
}

// held are the tests whose finish is not acknowledged.
func (r *reporter) held() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.open))
}

// untold are the problems that were not acknowledged; after close.
func (r *reporter) untold() []batch.Problem {
	var problems []batch.Problem
	for _, e := range r.events {
		if e.Type == batch.ProblemFound {
			problems = append(problems, e.Problem)
		}
	}
	return problems
}

func (r *reporter) send() {
	defer close(r.ended)
	for range r.wake {
		for {
			events, last := r.next()
			if len(events) == 0 {
				if last {
					return
				}
				break
			}
			if err := r.w.persist(func() error { _, err := r.w.m.Report(r.w.redis, r.number, events); return err }); err != nil {
				r.mu.Lock()
				r.err = err
				r.mu.Unlock()
				r.cancel(err)
				return
			}
			r.acknowledge(events)
		}
	}
}

// next returns what to report now, and whether nothing will come after it. A start whose finish is known as well is not
// worth telling.
func (r *reporter) next() (events []batch.Event, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	finished := finishes(r.events)
	r.events = slices.DeleteFunc(r.events, func(e batch.Event) bool {
		return finished[e.Test] && (e.Type == batch.Start || e.Type == batch.Pause)
	})
	return slices.Clone(r.events[:oneReport(r.events)]), r.closed
}

// oneReport returns how many of the events make one report.
func oneReport(events []batch.Event) int {
	n, bytes := 0, 0
	for n < len(events) && n < mostEvents && bytes < mostBytes {
		bytes += len(events[n].Outcome.Output) + len(events[n].Problem.Details)
		for _, c := range events[n].Outcome.Cases {
			bytes += len(c.Classname) + len(c.Name) + len(c.Message) + len(c.Output)
		}
		n++
	}
	return n
}

func (r *reporter) acknowledge(events []batch.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = r.events[len(events):]
	for id := range finishes(events) {
		delete(r.open, id)
	}
}
