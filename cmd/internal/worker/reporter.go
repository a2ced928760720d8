package worker

import (
	"context"
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

	mu     sync.Mutex
	events []batch.Event   // not acknowledged, in order
	open   map[string]bool // tests whose finish is not acknowledged
	closed bool
	err    error
}

// newReporter starts the reporter of a batch. cancel is called when its reports are not wanted any more.
func (w *worker) newReporter(b batch.Batch, cancel context.CancelCauseFunc) *reporter {
	r := &reporter{
		w: w, number: b.Number, cancel: cancel, open: map[string]bool{},
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	for _, id := range b.IDs() {
		r.open[id] = true
	}
	go r.send()
	return r
}

// emit takes an event. It never waits for Redis.
func (r *reporter) emit(e batch.Event) {
	clip(&e.Outcome)
	r.mu.Lock()
	r.events = append(r.events, e)
	r.mu.Unlock()
	r.signal()
}

// close waits until everything is reported, and returns why it was not.
func (r *reporter) close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.signal()
	<-r.ended
	return r.err
}

// held are the tests whose finish is not acknowledged.
func (r *reporter) held() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := make([]string, 0, len(r.open))
	for id := range r.open {
		held = append(held, id)
	}
	slices.Sort(held)
	return held
}

// unsent are the finishes and problems that were not acknowledged; after close.
func (r *reporter) unsent() []batch.Event {
	return slices.DeleteFunc(r.events, func(e batch.Event) bool { return e.Type == batch.Start || e.Type == batch.Pause })
}

func (r *reporter) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
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
			r.acknowledge(len(events), events)
		}
	}
}

// next returns what to report now, and whether nothing will come after it. A start whose finish is known as well is not
// worth telling.
func (r *reporter) next() (events []batch.Event, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	finished := map[string]bool{}
	for _, e := range r.events {
		if e.Type == batch.Finish {
			finished[e.Test] = true
		}
	}
	r.events = slices.DeleteFunc(r.events, func(e batch.Event) bool {
		return finished[e.Test] && (e.Type == batch.Start || e.Type == batch.Pause)
	})
	n, bytes := 0, 0
	for n < len(r.events) && n < mostEvents && bytes < mostBytes {
		bytes += len(r.events[n].Outcome.Output)
		n++
	}
	return slices.Clone(r.events[:n]), r.closed
}

func (r *reporter) acknowledge(n int, events []batch.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = r.events[n:]
	for _, e := range events {
		if e.Type == batch.Finish {
			delete(r.open, e.Test)
		}
	}
}
