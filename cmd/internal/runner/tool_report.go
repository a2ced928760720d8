package runner

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// toolReport makes events of what one process of a Tool says while it runs the units of one batch. What the process leaves
// open is settled by close.
type toolReport struct {
	preset preset
	emit   func(...batch.Event)
	// kill ends the process. testLimit and idleLimit are after what time; 0: never. See Tool.Run.
	kill                 func(error)
	testLimit, idleLimit time.Duration

	mu sync.Mutex // guards the rest: timers and the pipes have goroutines of their own
	// wanted are the units of the batch that have no Finish yet, in no order.
	wanted map[string]bool
	// running are the units that began and have no Finish.
	running map[string]*toolUnit
	// loose is text that was printed while no unit ran, all the ends of all text.
	loose, all *capture
	// began: a unit did. failed: one of the batch did. problems were told. ended: the runner said that it comes to its end.
	began, failed, problems, ended bool
	// endTold: a unit failed by how the process ended.
	endTold bool
	// before: an earlier batch of the process had a failure or a problem, which explains a bad exit status.
	before bool
	idle   *time.Timer
}

// toolUnit is a unit that runs.
type toolUnit struct {
	id     string
	since  time.Time
	at     string // the case that it is at
	output *capture
	limit  *time.Timer
	// expired: it, or the case that it is at, ran too long.
	expired bool
}

// newToolReport follows ids. begin must be called when the process is about to start, or to go on.
func newToolReport(p preset, ids []string, limits Limits, leastIdle time.Duration, kill func(error), emit func(...batch.Event)) *toolReport {
	r := &toolReport{preset: p, emit: emit, kill: kill, wanted: map[string]bool{}, running: map[string]*toolUnit{},
		loose: newCapture(outputEnds), all: newCapture(subtestEnds)}
	for _, id := range ids {
		r.wanted[id] = true
	}
	if limits.Test > 0 {
		r.testLimit, r.idleLimit = limits.Test, max(limits.Test, leastIdle)
	}
	return r
}

func (r *toolReport) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchIdle()
}

// Write takes what the process prints: it belongs to the unit that runs, if that is one.
func (r *toolReport) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	to := r.loose
	if len(r.running) == 1 {
		for _, u := range r.running {
			to = u.output
		}
	}
	to.Write(p)
	return r.all.Write(p)
}

// printed is the text of the process, without the middle if it is long.
func (r *toolReport) printed() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.String()
}

// take takes a message. Messages that do not fit change nothing, except a failure: it is never passed over.
func (r *toolReport) take(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch m.Type {
	case messageStart:
		r.start(m.ID)
	case messageAt:
		if u := r.running[m.ID]; u != nil && !u.expired {
			u.at = m.Case
			r.watch(u)
		}
	case messageFinish:
		r.finish(m)
	case messageProblem:
		r.tell(m)
	case messageEnd:
		r.ended = true
	}
	r.watchIdle()
}

// tell tells a messageProblem.
func (r *toolReport) tell(m message) {
	r.problem(batch.Problem{Scope: m.Scope, Message: oneLine(m.Message), Details: m.text()})
}

func (r *toolReport) problem(p batch.Problem) {
	r.problems = true
	if p.Scope == "" {
		p.Scope = r.preset.name
	}
	r.emit(batch.Event{Type: batch.ProblemFound, Problem: p})
}

func (r *toolReport) start(id string) {
	r.began = true
	if !r.wanted[id] || r.running[id] != nil {
		return
	}
	u := &toolUnit{id: id, since: time.Now(), output: newCapture(outputEnds)}
	r.running[id] = u
	r.emit(batch.Event{Type: batch.Start, Test: id})
	r.watch(u)
}

// watch starts the clock of u anew.
func (r *toolReport) watch(u *toolUnit) {
	if r.testLimit <= 0 {
		return
	}
	if u.limit != nil {
		u.limit.Stop()
	}
	at := u.at
	u.limit = time.AfterFunc(r.testLimit, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.running[u.id] == u && u.at == at {
			u.expired = true
			r.kill(&limitError{flag: "--test-timeout", limit: r.testLimit})
		}
	})
}

// finish tells the result of a unit. One that never started is believed too: a runner may know its result before it begins
// (a file that cannot be loaded).
func (r *toolReport) finish(m message) {
	u := r.running[m.ID]
	switch {
	case !r.wanted[m.ID] && m.Status == batch.Failed:
		r.tell(m.stray())
		return
	case !r.wanted[m.ID] || u != nil && u.expired:
		return
	}
	o := m.outcome()
	if u != nil {
		u.stop()
		delete(r.running, m.ID)
		if o.Seconds == 0 {
			o.Seconds = time.Since(u.since).Seconds()
		}
		if o.Status == batch.Failed && m.Output == "" {
			o.Output = result{Details: o.Output, Output: u.output.String()}.text()
		}
	}
	r.failed = r.failed || o.Status == batch.Failed
	r.endTold = r.endTold || m.ofEnd && o.Status == batch.Failed
	delete(r.wanted, m.ID)
	r.emit(batch.Event{Type: batch.Finish, Test: m.ID, Outcome: o})
}

func (u *toolUnit) stop() {
	if u.limit != nil {
		u.limit.Stop()
	}
}

// watchIdle limits the time in which no unit runs: the process starts, collects, cleans up, or hangs.
func (r *toolReport) watchIdle() {
	if r.idle != nil {
		r.idle.Stop()
		r.idle = nil
	}
	if r.idleLimit > 0 && len(r.running) == 0 {
		r.idle = time.AfterFunc(r.idleLimit, func() { r.kill(&limitError{flag: "outside of tests", limit: r.idleLimit}) })
	}
}

// rest stops the clocks: the process goes on, but not for this batch.
func (r *toolReport) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopClocks()
}

// spoilt is whether the process has a reason for a bad exit status.
func (r *toolReport) spoilt() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed || r.problems || r.before
}

func (r *toolReport) stopClocks() {
	if r.idle != nil {
		r.idle.Stop()
		r.idle = nil
	}
	for _, u := range r.running {
		u.stop()
	}
}

// close settles what the process left open. ended is how it ended; alone says that the batch has one unit, which must get a
// Finish unless the context ended.
//
//   - A unit that ran too long: Timeout.
//   - Units that ran when a limit or the context ended the process are not to blame and get no Finish.
//   - Otherwise, units that ran when the process died, or ended with whatever status: Crashed, each of them.
//   - A unit that never began: no Finish.
//
// A process that failed, or came to no proper end, in a way that none of its units explains is a problem.
func (r *toolReport) close(ended exit, alone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopClocks()
	var limit *limitError
	limited := errors.As(ended.Cause, &limit)
	failed := r.failed || r.before
	explained := r.endTold || r.problems && ended.ownEnd() || failed && r.explains(ended)
	for _, id := range slices.Sorted(maps.Keys(r.running)) {
		u := r.running[id]
		switch {
		case u.expired || limited && alone:
			if limit == nil { // the process ended by itself just then
				limit = &limitError{flag: "--test-timeout", limit: r.testLimit}
			}
			r.settle(u, batch.Timeout, "it had not ended when "+limit.Error())
			explained = true
		case ended.Cause == nil:
			r.settle(u, batch.Crashed, "its process ended before the test did: "+ended.String())
			explained = true
		}
	}
	switch {
	case len(r.wanted) > 0 && alone && (ended.Cause == nil || limited):
		r.unexecuted(ended, limit)
	case explained || len(r.wanted) > 0: // what did not run runs again, and will tell
	case limited:
		r.problem(batch.Problem{Message: "its process had not ended when " + limit.Error() + ", although all its tests had", Details: r.all.String()})
	case ended.Cause == nil && ended.Signal != 0:
		r.problem(batch.Problem{Message: "after its last test its process was " + ended.String(), Details: lastLines(r.all.String())})
	case ended.Cause == nil && ended.Code != 0:
		message := ended.String() + " although no test failed"
		switch {
		case failed && !r.ended:
			message = ended.String() + " before it said that it was at its end, which the tests that failed do not explain"
		case failed:
			message = ended.unexplained()
		}
		r.problem(batch.Problem{Message: message, Details: lastLines(r.all.String())})
	case ended.Cause == nil && !r.ended:
		r.problem(batch.Problem{Message: "exit status 0 before it said that it was at its end: after its last test something ended the process", Details: lastLines(r.all.String())})
	}
}

// explains is whether failed tests are reason enough for how the process ended. They are for no signal, and not for an end that
// the runner knew nothing of.
func (r *toolReport) explains(ended exit) bool {
	usual := r.preset.failing
	return ended.Signal == syscall.SIGINT || r.ended && ended.ownEnd() && (usual == nil || ended.Code <= 0 || slices.Contains(usual, ended.Code))
}

// settle gives a Finish to a unit that did not come to its end.
func (r *toolReport) settle(u *toolUnit, status batch.Status, message string) {
	if u.at != "" {
		message = fmt.Sprintf("while %q ran: %s", u.at, message)
	}
	text := u.output.String()
	if strings.TrimSpace(text) == "" {
		text = "The last that its process printed:\n" + r.all.String()
	}
	delete(r.wanted, u.id)
	r.emit(batch.Event{Type: batch.Finish, Test: u.id, Outcome: batch.Outcome{
		Status: status, Seconds: time.Since(u.since).Seconds(), Message: oneLine(message), Output: text,
	}})
}

// unexecuted gives a Finish to the one unit of a batch that never began.
func (r *toolReport) unexecuted(ended exit, limit *limitError) {
	for id := range r.wanted {
		o := batch.Outcome{Status: batch.Unexecuted, Output: r.loose.String()}
		switch {
		case limit != nil:
			o.Status, o.Message = batch.Timeout, "its process had not begun it when "+limit.Error()
		case !r.ended:
			o.Message = "its process ended before the test began: " + ended.String()
		default:
			o.Message = fmt.Sprintf("%s ran to its end (%s) without it: there is no such test here, or an option of the runner leaves it out", r.preset.name, ended)
		}
		r.emit(batch.Event{Type: batch.Finish, Test: id, Outcome: o})
	}
	clear(r.wanted)
}

// unfinished is told when a kept process asks for the next batch: units that it began and did not finish are lost to it.
func (r *toolReport) unfinished() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopClocks()
	r.failed = r.failed || len(r.running) > 0
	for _, id := range slices.Sorted(maps.Keys(r.running)) {
		if u := r.running[id]; u.expired {
			r.settle(u, batch.Timeout, "it had not ended when "+(&limitError{flag: "--test-timeout", limit: r.testLimit}).Error())
		} else {
			r.settle(u, batch.Crashed, "the runner went on to the next batch without telling its end")
		}
	}
}
