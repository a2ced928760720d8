package recovery

import (
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

const (
	// fewUnexecuted is after how many tests in a row that ran alone and were not executed a run is stopped of which nothing
	// was executed yet: one may be a wrong name, so many are a runner that does not work, or a list of wrong names.
	fewUnexecuted = 5
	// manyUnexecuted is the same once something was executed. It is more because the requeue comes last: the names of a list
	// that is a little out of date follow each other there, at the end of a run that is good otherwise.
	manyUnexecuted = 25
)

// breaker notices, from the journal, a runner that ends before it runs any test: a broken install, a program that does not
// compile. Each test would have to be tried alone until its budget is spent.
//
// The evidence is batch.Unexecuted, which only a test that was alone ends with. A crash or time-out is none, in neither
// direction: nobody knows whether the test had begun. Whatever passed, failed or was skipped begins the count anew. A
// single broken machine stops no run: its tests go on, or not, on those that work or are about to show whether they do.
type breaker struct {
	// unexecuted are the tests since the last that was executed; executed: there is one.
	unexecuted map[string]bool
	executed   bool
	// last is the last that was not executed.
	last batch.Event
	// workers are those that are there.
	workers map[string]*record
}

// record is how one worker fares.
type record struct {
	// busy: it has a batch. executed and unexecuted say how its last test ended; neither: there is none yet.
	busy, executed, unexecuted bool
}

func (b *breaker) add(e batch.Event) {
	if e.Type == batch.Opened || b.workers == nil {
		*b = breaker{unexecuted: map[string]bool{}, workers: map[string]*record{}}
	}
	switch e.Type {
	case batch.Joined:
		b.workers[e.Worker] = &record{}
	case batch.Left, batch.Reaped:
		delete(b.workers, e.Worker)
	}
	w := b.workers[e.Worker]
	if w == nil {
		w = &record{} // it is gone
	}
	switch e.Type {
	case batch.Claimed:
		w.busy = true
	case batch.Settled:
		w.busy = false
	case batch.Finish:
		switch e.Outcome.Status {
		case batch.Passed, batch.Failed, batch.Skipped:
			w.executed, w.unexecuted = true, false
			b.executed = true
			clear(b.unexecuted)
		case batch.Unexecuted:
			if e.Decision == batch.Late {
				return // told again
			}
			w.executed, w.unexecuted = false, true
			b.unexecuted[e.Test], b.last = true, e
		}
	}
}

// reason says why the run is to be stopped, or nothing.
func (b *breaker) reason() string {
	enough := fewUnexecuted
	if b.executed {
		enough = manyUnexecuted
	}
	if len(b.unexecuted) < enough {
		return ""
	}
	for _, w := range b.workers {
		if w.executed || w.busy && !w.unexecuted {
			return ""
		}
	}
	o := b.last.Outcome
	return fmt.Sprintf("the test runner fails before it runs a test (%d in a row, each alone): %s%s; try it by hand on a worker, then start a new run",
		len(b.unexecuted), shorten(o.Message, 70), lastLine(o.Output))
}

// lastLine returns the last line of an output as a part of a sentence, if there is any.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + shorten(last, 60)
	}
	return ""
}

// shorten cuts a text to at most so many characters: a verdict shows the reason as one line, and the tests' own output below.
func shorten(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
