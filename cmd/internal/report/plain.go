package report

import (
	"fmt"
	"io"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Plain tells of a run while it goes on, in lines for the log of a CI job or for a pipe. It has no clock and starts nothing:
// whoever has one calls Event for each event of the journal, in order, and Heartbeat every now and then. Errors of the
// writer are ignored: progress is a courtesy. It is for one goroutine.
type Plain struct {
	w       io.Writer
	verbose bool
	brief   bool
	runID   string
	tracker
	// results at the last Heartbeat, and whether there was one.
	results int
	beaten  bool
}

// tracker is what Plain remembers of the events.
type tracker struct {
	bad        map[string]bool    // tests of which an attempt failed
	givenUp    map[string]bool    // tests to which the protocol gave their result
	failed     int                // tests whose result is no pass
	excused    int                // tests that failed in quarantine
	joined     int                // workers, the gone ones included
	refused    map[[2]string]bool // gates and workers, of which the last word was no
	unroutable int                // tests for which no worker qualified
	quarantine map[string]bool    // tests whose failure does not fail the run
	problems   problems
	begun      bool
}

func newTracker() tracker {
	return tracker{bad: map[string]bool{}, givenUp: map[string]bool{}, refused: map[[2]string]bool{}, quarantine: map[string]bool{}}
}

// PlainOptions choose what is told. The zero value is fine.
type PlainOptions struct {
	// RunID is what a worker is to be started with, for the hint that there is none.
	RunID string
	// Verbose: each test that ends is told, and each worker's batch.
	Verbose bool
	// Brief: workers that come and go, and the end, are not told, since something else shows them.
	Brief bool
}

// NewPlain returns a Plain that writes to w.
func NewPlain(w io.Writer, o PlainOptions) *Plain {
	return &Plain{w: w, verbose: o.Verbose, brief: o.Brief && !o.Verbose, runID: o.RunID, tracker: newTracker()}
}

// Every line begins with a word of ours, never with foreign text; see quote.
func (p *Plain) line(word, format string, args ...any) {
	fmt.Fprintf(p.w, "%-7s "+format+"\n", append([]any{word}, args...)...)
}

// routine is a line of what somebody who sees the run need not read.
func (p *Plain) routine(word, format string, args ...any) {
	if !p.brief {
		p.line(word, format, args...)
	}
}

// Event tells of the next event of the journal: at once of failures, problems, and workers that come and go.
func (p *Plain) Event(e batch.Event) {
	if e.Type == batch.Opened && p.begun {
		p.line("RESTART", "Redis lost this run's data and it was opened anew: tests without a result run again")
		told := p.problems
		p.tracker = newTracker()
		p.problems = told
	}
	p.begun = true
	switch e.Type {
	case batch.Sealed:
		p.routine("list", "the list is complete, number of tests: %s", message(e.Text))
	case batch.Quarantined:
		for _, id := range e.Tests {
			p.quarantine[id] = true
		}
	case batch.Joined:
		p.joined++
		p.routine("worker", "%s joined%s", name(e.Worker), reason(e.Text))
	case batch.Left:
		p.routine("worker", "%s left%s", name(e.Worker), reason(e.Text))
	case batch.Reaped:
		p.line("LOST", "worker %s vanished%s: %s", name(e.Worker), reason(e.Text), holdings(e.Tests, e.Charged, p.again(e.Tests), "will run again"))
	case batch.Claimed:
		if p.verbose {
			p.line("claim", "%s took batch %d: %s", name(e.Worker), e.Batch, count(len(e.Tests), "test"))
		}
	case batch.Settled:
		p.settled(e)
	case batch.Finish:
		p.finish(e)
	case batch.Resulted:
		p.resulted(e)
	case batch.Qualified, batch.Refused:
		p.answered(e)
	case batch.ProblemFound:
		if p.problems.add(Problem{Problem: e.Problem}) {
			p.line("PROBLEM", "%s: %s%s", name(e.Problem.Scope), message(e.Problem.Message), onWorker(e.Worker))
			fmt.Fprint(p.w, quote(e.Problem.Details, "        ", 10))
		}
	case batch.Done:
		p.routine("done", "every test has a result")
	case batch.Aborted:
		p.line("ABORTED", "the run was aborted by %s%s", name(e.Worker), withMessage(e.Text))
	}
}

func (p *Plain) settled(e batch.Event) {
	switch {
	case len(e.Tests) == 0:
	case e.Text == string(batch.HandBack):
		if p.verbose {
			p.line("back", "%s handed back %s unrun: %s", name(e.Worker), count(len(e.Tests), "test"), Names(e.Tests, 3))
		}
	default:
		p.line("RETRY", "%s did not run %s of its batch; each runs again alone: %s", name(e.Worker), count(len(e.Tests), "test"), Names(e.Tests, 3))
	}
}

func (p *Plain) resulted(e batch.Event) {
	p.givenUp[e.Test] = true
	word := "LOST"
	if e.Outcome.Status == batch.Unroutable {
		p.unroutable++
		word = "GATE"
	} else {
		p.failed++
	}
	p.line(word, "%s is given up%s", name(e.Test), withMessage(e.Outcome.Message))
}

// again counts the tests of a lost worker that others take over.
func (p *Plain) again(tests []string) int {
	n := 0
	for _, id := range tests {
		if !p.givenUp[id] {
			n++
		}
	}
	return n
}

func (p *Plain) finish(e batch.Event) {
	o := e.Outcome
	what := fmt.Sprintf("%s %s on %s", name(e.Test), verb(o.Status), name(e.Worker))
	if o.Seconds > 0 {
		what += " after " + seconds(o.Seconds)
	}
	good := o.Status == batch.Passed || o.Status == batch.Skipped
	switch {
	case e.Decision == batch.Late && good:
		if p.verbose {
			p.line("late", "%s; it changes no result", what)
		}
	case e.Decision == batch.Late:
		p.line("late", "%s, when it no longer held the test; it changes no result%s", what, withMessage(o.Message))
	case p.givenUp[e.Test]: // told just before; the decision says requeued all the same
		p.line("FAIL", "%s%s", what, withMessage(o.Message))
	case e.Former != "": // the verdict tells them together
	case e.Decision == batch.Requeued:
		p.bad[e.Test] = true
		p.line("RETRY", "%s, will run again alone%s", what, withMessage(o.Message))
	case !good && p.quarantine[e.Test] && o.Status != batch.Unexecuted:
		p.excused++
		p.line("known", "%s; it is in quarantine, so the run does not fail%s", what, withMessage(o.Message))
	case !good:
		p.failed++
		p.line("FAIL", "%s%s", what, withMessage(o.Message))
	case p.bad[e.Test] && o.Status == batch.Passed:
		p.line("FLAKY", "%s: an earlier attempt did not pass", what)
	case p.verbose && o.Status == batch.Skipped:
		p.line("skip", "%s%s", what, withMessage(o.Message))
	case p.verbose:
		p.line("ok", "%s", what)
	}
}

// Heartbeat tells how the run stands, elapsed after it was opened, and what it waits for if nothing moves.
func (p *Plain) Heartbeat(s batch.State, elapsed time.Duration) {
	held := 0
	var running []string
	for _, w := range s.Workers {
		if w.Open {
			held++
		}
		running = append(running, w.Running...)
	}
	text := fmt.Sprintf("%d of %s done, %d failed", s.Results, count(s.Tests, "test"), p.failed)
	if !s.Markers.Sealed {
		text += " (the list is still growing)"
	}
	if p.unroutable > 0 {
		text += fmt.Sprintf(", %d unroutable", p.unroutable)
	}
	if s.Requeued > 0 {
		text += fmt.Sprintf(", %d to run again alone", s.Requeued)
	}
	text += waitingBehind(s.Gates)
	if len(s.Workers) > 0 {
		text += fmt.Sprintf("; %d of %s busy", held, count(len(s.Workers), "worker"))
	}
	p.line(seconds(elapsed.Seconds()), "%s%s%s", text, p.standstill(s, running), shut(s))
	p.results, p.beaten = s.Results, true
}

// standstill says why nothing happens, if nothing does.
func (p *Plain) standstill(s batch.State, running []string) string {
	switch {
	case s.Markers.Aborted:
		return "; aborted: nothing is handed out any more"
	case s.Markers.Done:
		return ""
	case s.Tests == 0:
		return "; waiting for the list of tests"
	case len(s.Workers) == 0 && p.joined == 0:
		return "; no worker has come yet: start one with shardworker" + p.forRun()
	case len(s.Workers) == 0:
		return "; no worker is left: start another one with shardworker" + p.forRun()
	case p.beaten && p.results == s.Results && len(running) > 0:
		return "; none ended since the last line, running: " + Names(running, 3)
	case p.beaten && p.results == s.Results:
		return "; none ended since the last line"
	}
	return ""
}

func (p *Plain) forRun() string {
	if p.runID == "" {
		return ""
	}
	return " --run-id " + name(p.runID)
}
