package report

import (
	"time"

	"github.com/shardctl/shardctl/batch"
)

// End says how a worker's hold of a test ended.
type End string

const (
	// Held: it has not ended, as far as the journal goes.
	Held End = ""
	// Finished: see Attempt.Outcome and Attempt.Decision.
	Finished End = "finished"
	// Vanished: its worker was presumed dead while the test ran, which is charged to the test.
	Vanished End = "vanished"
	// TakenBack: its worker was presumed dead, which is not charged to the test.
	TakenBack End = "taken back"
	// NotRun: the runner ended without a word about the test, which was in a batch of several.
	NotRun End = "not run"
	// HandedBack: the worker gave it back, as if it had not been claimed.
	HandedBack End = "handed back"
)

// Attempt is one worker's hold of a test, from the claim on.
type Attempt struct {
	Worker string
	// Batch is the worker's number of the batch; 0 (batch.NoBatch): told after the worker had joined anew.
	Batch int
	// Size is how many tests were claimed together. 0: unknown.
	Size int
	// Alone: the test came from the requeue and had a fresh runner process for itself.
	Alone bool
	// Claimed, Started and Ended are times of Redis's clock, zero where the journal does not tell. A test is claimed some
	// time before it starts.
	Claimed, Started, Ended time.Time
	End                     End
	// Outcome and Decision of an attempt that Finished. The output of one that passed is not kept.
	Outcome  batch.Outcome
	Decision batch.Decision
	// Reason is why the worker of an attempt that Vanished or was TakenBack was presumed dead.
	Reason string
	// Former is the id of the run in which the attempt was made, empty for this one.
	Former string

	// begun and over count the journal's entries at which it started and ended: what is not told apart by its time is by its
	// order. 0: there is no such entry.
	begun, over int
}

// failed says that the attempt speaks against the test itself.
func (a *Attempt) failed() bool {
	if a.End != Finished {
		return false
	}
	switch a.Outcome.Status {
	case batch.Failed, batch.Crashed, batch.Timeout:
		return true
	}
	return false
}

// broken says that the attempt is a reason why the test has no pass: it failed, or came to no result.
func (a *Attempt) broken() bool {
	return a.failed() || a.End == Vanished || a.End == NotRun || a.End == Finished && a.Outcome.Status == batch.Unexecuted
}

// own says that whatever happened in the attempt was the test's own doing: it failed, or had no batch-mates that may have
// crashed the runner or used up the time.
func (a *Attempt) own() bool {
	return a.Outcome.Status == batch.Failed || a.Alone || a.Size == 1
}

// Began is when the attempt began, as well as the journal tells; zero if it does not.
func (a *Attempt) Began() time.Time {
	switch {
	case !a.Started.IsZero():
		return a.Started
	case a.End == Finished && !a.Ended.IsZero():
		return a.Ended.Add(-time.Duration(a.Outcome.Seconds * float64(time.Second)))
	}
	return a.Claimed
}

// Test is what the journal tells of one test.
type Test struct {
	ID string
	// Attempts in the order of their claims; those without one where they were reported.
	Attempts []*Attempt
	// Result is the test's final status, empty while it has none, and Reason why the protocol gave it, or no retry,
	// if it did.
	Result batch.Status
	Reason string
	// Gate for which no worker qualified, if that is the reason and the journal names it.
	Gate *Gate
}

// Final returns the attempt that gave the test its result, or nil: there is no result, or the protocol gave it.
func (t *Test) Final() *Attempt {
	for i := len(t.Attempts) - 1; i >= 0; i-- {
		if t.Attempts[i].Decision == batch.Final {
			return t.Attempts[i]
		}
	}
	return nil
}

// Flaky says that the test passed and that another attempt at it failed, crashed or timed out, be it one that was told late.
func (t *Test) Flaky() bool {
	if t.Result != batch.Passed {
		return false
	}
	for _, a := range t.Attempts {
		if a.failed() {
			return true
		}
	}
	return false
}

// held returns the attempt of that worker and batch that has not ended, or nil.
func (t *Test) held(worker string, number int) *Attempt {
	for i := len(t.Attempts) - 1; i >= 0; i-- {
		if a := t.Attempts[i]; a.Worker == worker && a.Batch == number && a.End == Held {
			return a
		}
	}
	return nil
}

// drop forgets an attempt that came to nothing.
func (t *Test) drop(a *Attempt) {
	for i := range t.Attempts {
		if t.Attempts[i] == a {
			t.Attempts = append(t.Attempts[:i], t.Attempts[i+1:]...)
			return
		}
	}
}

// repeated says that a late finish tells again what was told: a worker that did not hear an answer reports once more.
func (t *Test) repeated(o batch.Outcome) bool {
	for _, a := range t.Attempts {
		if a.End == Finished && a.Outcome.Same(o) {
			return true
		}
	}
	return false
}

// restored says that a finish was told before: results that Redis lost, and a controller brought back, are told again.
func (t *Test) restored(e batch.Event) bool {
	for _, a := range t.Attempts {
		if a.End == Finished && a.Worker == e.Worker && a.Batch == e.Batch && a.Decision == e.Decision &&
			(e.Batch != batch.NoBatch || a.Outcome.Same(e.Outcome)) {
			return true
		}
	}
	return false
}
