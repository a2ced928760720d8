package runner

import (
	"errors"
	"maps"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// close settles what the process left open. ended is how it ended; alone says that the batch has one test, which must get
// a Finish unless the context ended.
//
//   - A test that ran too long: Timeout.
//   - A test whose failure the process panicked with: Failed, as it said itself, with the text of the panic. Others that ran
//     at that time are not to blame and get no Finish; neither do those that ran when a limit or the context ended the process.
//   - Otherwise, tests that ran when the process died: Crashed, each of them, as one of them is to blame.
//   - A paused test, or one that never began: no Finish.
//
// A process that fails, or stops early, in a way that none of its tests explains is a problem.
func (r *goReport) close(ended exit, alone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = true
	if r.idle != nil {
		r.idle.Stop()
	}
	panicked := r.held != nil && r.end == "" && lastPanic(r.textOf(&r.held.goCase)) != ""
	explained := r.failed && (panicked || ended.Cause != nil || slices.Contains([]int{0, 1, goRaceStatus}, ended.Code))
	r.release()
	var limit *limitError
	limited := errors.As(ended.Cause, &limit)
	for _, name := range slices.Sorted(maps.Keys(r.running)) {
		t := r.running[name]
		r.stopClock(t)
		switch {
		case t.expired || limited && alone:
			explained = explained || r.wanted[name]
			r.timeOut(t, limit)
		case ended.Cause != nil || panicked:
		case alone || !t.paused:
			explained = explained || r.wanted[name]
			r.crash(t, ended)
		}
	}
	switch {
	case limited && !explained && len(r.wanted) == 0:
		r.problem("its process had not ended when " + limit.Error() + ", although all its tests had")
	case ended.Cause == nil && (!explained || r.again != ""):
		r.explainExit(ended)
	}
	if alone && (ended.Cause == nil || limited) {
		r.unexecuted(ended, limit)
	}
}

// goRaceStatus is how a process ends in which the race detector found something, whatever it wanted to end with.
const goRaceStatus = 66

func (r *goReport) timeOut(t *goTest, limit *limitError) {
	if limit == nil { // the process ended by itself just then
		limit = &limitError{flag: "--test-timeout", limit: r.testLimit}
	}
	t.message = "it had not ended when " + limit.Error()
	if r.dump != nil {
		t.writer().Write([]byte("\nThe goroutines of its process:\n" + r.dump.String()))
	}
	r.finish(t, batch.Timeout)
}

func (r *goReport) crash(t *goTest, ended exit) {
	last := r.textOf(r.current)
	if t.message = oneLine(lastPanic(last)); t.message == "" {
		t.message = "its process ended before the test did: " + ended.String()
	}
	if t.find(r.currentName()) == nil {
		t.writer().Write([]byte("\nThe last that its process printed:\n" + r.all.String()))
	}
	r.finish(t, batch.Crashed)
}

// textOf is what c printed, or what was printed outside of tests if c is nil.
func (r *goReport) textOf(c *goCase) string {
	switch {
	case c == nil:
		return r.loose.String()
	case c.output == nil:
		return ""
	}
	return c.output.String()
}

func (r *goReport) currentName() string {
	if r.current == nil {
		return ""
	}
	return r.current.name
}

// explainExit finds a problem in how the process ended by itself, when no test of it failed or crashed.
func (r *goReport) explainExit(ended exit) {
	switch {
	case r.again != "":
		r.problem(r.again + " failed after it had ended once, in one process: p and p_test both have it, TestMain runs all tests twice, or it starts its own binary, which tells of the same test")
	case r.failed && ended.Code != 0:
		r.problem(ended.unexplained())
	case ended.Code == 0 && r.end == goEndPass:
	case ended.Code == 0 && r.end == "" && len(r.wanted) > 0: // the rest runs again and will tell
	case ended.Code == 0 && r.end == "":
		r.problem("exit status 0 before it said PASS: after its last test something ended the process, or a test did not restore os.Stdout")
	case r.end == goEndPass:
		r.problem(ended.String() + " after all tests passed")
	case r.end == goEndFail:
		r.problem(ended.String() + " and FAIL, although no test failed")
	case !r.began:
		r.problem(ended.String() + " before its first test")
	default:
		r.problem(ended.String() + " while no test ran")
	}
}

func (r *goReport) problem(message string) {
	r.emit(batch.Event{Type: batch.ProblemFound, Problem: batch.Problem{Scope: r.pkg, Message: message, Details: r.all.String()}})
}

// unexecuted gives a Finish to the one test of a batch that still has none.
func (r *goReport) unexecuted(ended exit, limit *limitError) {
	for name := range r.wanted {
		o := batch.Outcome{Status: batch.Unexecuted, Output: r.textOf(nil)}
		switch {
		case limit != nil:
			o.Status = batch.Timeout
			o.Message = "its process had not begun it when " + limit.Error()
		case r.end != "":
			o.Message = "the test binary ran to its end without it: it has no test of this name, or a flag or its TestMain left the test out"
		default:
			o.Message = "its process ended before the test began: " + ended.String()
		}
		r.emit(goFinish(r.pkg, name, o))
	}
	clear(r.wanted)
}

// goFinish is the Finish of a unit that has no subtests to tell.
func goFinish(pkg, name string, o batch.Outcome) batch.Event {
	o.Cases = []batch.Case{{Classname: pkg, Name: name, Status: o.Status, Seconds: o.Seconds, Message: o.Message, File: o.File, Line: o.Line}}
	return batch.Event{Type: batch.Finish, Test: goID(pkg, name), Outcome: o}
}
