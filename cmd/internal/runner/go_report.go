package runner

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// goReport follows the marks of one process of a test binary and tells, as it happens, which tests begin, pause and end.
// What a process leaves open is settled by goReport.close when it has ended.
type goReport struct {
	pkg string
	// relative turns the path of a source file, or the base name of one of the package, into one for Outcome.File.
	relative func(string) string
	emit     func(...batch.Event)
	now      func() time.Time
	// kill ends the process. testLimit and idleLimit are after what time; 0: never. See Go.Run.
	kill                 func(error)
	testLimit, idleLimit time.Duration

	mu sync.Mutex // guards the rest: timers run in goroutines of their own
	// wanted are the tests of the batch that have no Finish yet.
	wanted map[string]bool
	// running are the top-level tests that began and did not end, paused ones included.
	running map[string]*goTest
	// held failed, but its Finish waits for the next mark, or the end: if a panic was why, its text is still to come.
	held *goTest
	// current is where printed text belongs; nil: to no test.
	current *goCase
	loose   *capture // text of no test
	all     *capture // all text, in short, for problems
	dump    *capture // if not nil: all text from now on, because the process was told to dump its goroutines
	// end is the last goEndPass or goEndFail, empty while tests run.
	end string
	// began is whether any test did, failed whether one of the batch did, dead whether the process has ended.
	began, failed, dead bool
	good                map[string]bool // have a Finish, and did not fail
	again               string          // a test that failed after it had its Finish
	idle                *time.Timer
}

// goCase is a test or subtest.
type goCase struct {
	name       string
	status     batch.Status // empty while it has not ended
	seconds    float64
	paused     bool
	output     *capture // nil: none
	outputEnds int
	message    string
	file       string
	line       int
	text       string // of output, once it has ended and did not pass
}

// goTest is a top-level test. Its own text is followed by that of its subtests that did not pass, as each of them ended.
type goTest struct {
	goCase
	subs   []*goCase
	byName map[string]*goCase
	kept   int // bytes of text that subs have
	// It runs since then, after it ran for spent before it paused.
	since   time.Time
	spent   time.Duration
	limit   *time.Timer
	expired bool
}

// subtestEnds is how much of a subtest's output is kept at each end. There may be many.
const subtestEnds = 8 << 10

func newGoReport(pkg string, names []string, relative func(string) string, emit func(...batch.Event)) *goReport {
	r := &goReport{pkg: pkg, relative: relative, emit: emit, now: time.Now, kill: func(error) {},
		wanted: map[string]bool{}, running: map[string]*goTest{}, good: map[string]bool{}, loose: newCapture(outputEnds), all: newCapture(subtestEnds)}
	for _, name := range names {
		r.wanted[name] = true
	}
	return r
}

// begin says that the process starts now.
func (r *goReport) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchIdle()
}

// printed takes text that a test, or nobody, printed.
func (r *goReport) printed(text []byte) {
	to := r.loose
	switch {
	case r.dump != nil:
		to = r.dump
	case r.current != nil:
		to = r.current.writer()
	}
	to.Write(text)
	r.all.Write(text)
}

func (c *goCase) writer() *capture {
	if c.output == nil {
		c.output = newCapture(c.outputEnds)
	}
	return c.output
}

// mark takes a mark. Marks that do not fit (the end of a test that never began) are those of a process that the test started,
// or forged, and change nothing; except that a test must not fail after it is said, perhaps by such a process, to have passed.
func (r *goReport) mark(m goMark) {
	if m.Verb == "NAME" && m.Test == "" && r.held != nil {
		return // follows the report of each test, and comes before the panic of an example
	}
	r.release()
	top, _, isSub := strings.Cut(m.Test, "/")
	t := r.running[top]
	switch m.Verb {
	case "RUN":
		r.run(m.Test, t, isSub)
	case goEndPass, goEndFail:
		r.end, r.current = m.Verb, nil
	case "NAME", "ATTR", "ARTIFACTS":
		r.current = t.find(m.Test)
	case "PAUSE", "CONT":
		if r.current = t.find(m.Test); r.current == nil {
			break
		}
		r.current.paused = m.Verb == "PAUSE"
		if !isSub && m.Verb == "PAUSE" {
			r.pause(t)
		} else if !isSub {
			r.resume(t)
		}
	case "PASS", "FAIL", "SKIP":
		r.current = nil
		if c := t.find(m.Test); c != nil && c.status == "" && !t.expired {
			c.status, c.seconds = goStatus(m.Verb), m.Seconds
			r.ended(t, c, m.Verb)
		} else if m.Verb == "FAIL" && r.good[m.Test] {
			r.again = m.Test
		}
	}
	r.watchIdle()
}

func goStatus(verb string) batch.Status {
	switch verb {
	case "PASS":
		return batch.Passed
	case "SKIP":
		return batch.Skipped
	}
	return batch.Failed
}

// find returns the case with that full name, nil if there is none.
func (t *goTest) find(name string) *goCase {
	switch {
	case t == nil:
		return nil
	case t.name == name:
		return &t.goCase
	}
	return t.byName[name]
}

// run begins the test or subtest name.
func (r *goReport) run(name string, t *goTest, isSub bool) {
	r.end = ""
	switch {
	case t == nil && !isSub:
		t = &goTest{goCase: goCase{name: name, outputEnds: outputEnds}, byName: map[string]*goCase{}}
		r.running[name], r.began = t, true
		r.resume(t)
	case t != nil && isSub && t.byName[name] == nil:
		c := &goCase{name: name, outputEnds: subtestEnds}
		t.subs, t.byName[name] = append(t.subs, c), c
	}
	r.current = t.find(name)
}

// ended takes the report of a test or subtest about itself.
func (r *goReport) ended(t *goTest, c *goCase, verb string) {
	if c != &t.goCase {
		if r.current = &t.goCase; c.status != batch.Passed {
			c.explain(r.relative, false)
			t.take(c, "--- "+verb+": "+c.name+"\n")
		}
		c.output = nil
		return
	}
	r.stopClock(t)
	delete(r.running, t.name)
	if c.status == batch.Failed {
		if r.held, r.current = t, c; r.wanted[t.name] {
			r.failed = true
		} else {
			r.again = t.name
		}
		return
	}
	r.finish(t, c.status)
}

// release gives the held test its Finish.
func (r *goReport) release() {
	if r.held != nil {
		r.finish(r.held, batch.Failed)
		r.held, r.current = nil, nil
	}
}

// finish tells the result of t if its batch wants one. When a name runs twice (a TestMain that calls m.Run twice, the same
// function name in p and p_test), the first time counts and a failure of the second is a problem.
func (r *goReport) finish(t *goTest, status batch.Status) {
	if r.wanted[t.name] {
		delete(r.wanted, t.name)
		r.good[t.name] = status != batch.Failed
		r.emit(batch.Event{Type: batch.Finish, Test: goID(r.pkg, t.name), Outcome: r.outcome(t, status)})
	}
}

// resume starts t's clock; pause stops it: while a test waits for its turn to run in parallel its time does not count.
func (r *goReport) resume(t *goTest) {
	r.stopClock(t)
	t.since = r.now()
	if r.wanted[t.name] {
		r.emit(batch.Event{Type: batch.Start, Test: goID(r.pkg, t.name)})
	}
	if r.testLimit > 0 {
		t.limit = time.AfterFunc(r.testLimit-t.spent, func() { r.expire(t) })
	}
}

func (r *goReport) pause(t *goTest) {
	r.stopClock(t)
	if r.wanted[t.name] {
		r.emit(batch.Event{Type: batch.Pause, Test: goID(r.pkg, t.name)})
	}
}

func (r *goReport) stopClock(t *goTest) {
	if t.limit != nil {
		t.limit.Stop()
	}
	if !t.since.IsZero() {
		t.spent += r.now().Sub(t.since)
		t.since = time.Time{}
	}
}

// expire ends the process because t ran too long.
func (r *goReport) expire(t *goTest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[t.name] != t || t.since.IsZero() || t.spent+r.now().Sub(t.since) < r.testLimit {
		return // it ended or paused just now
	}
	t.expired = true
	if r.dump == nil {
		r.dump = newCapture(outputEnds)
	}
	r.kill(&limitError{flag: "--test-timeout", limit: r.testLimit})
}

// watchIdle limits the time in which no test runs: the process starts, ends, or hangs in a TestMain.
func (r *goReport) watchIdle() {
	if r.idle != nil {
		r.idle.Stop()
		r.idle = nil
	}
	if r.idleLimit <= 0 {
		return
	}
	for _, t := range r.running {
		if !t.paused {
			return
		}
	}
	r.idle = time.AfterFunc(r.idleLimit, func() { r.kill(&limitError{flag: "outside of tests", limit: r.idleLimit}) })
}

// lockedWriter writes under a lock that others hold too.
type lockedWriter struct {
	mu *sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
