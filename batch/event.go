package batch

import "time"

// EventType says what happened. A worker reports Start, Pause, Finish and ProblemFound; the scripts append the others.
type EventType string

const (
	// Start: the test begins, or goes on after a Pause, and is blamed if its runner dies now.
	Start EventType = "start"
	// Pause: a started test waits for others (Go's t.Parallel) and is not to be blamed meanwhile. Not journaled.
	Pause EventType = "pause"
	// Finish: an attempt ended.
	Finish EventType = "finish"
	// ProblemFound: see Problem.
	ProblemFound EventType = "problem"

	// Quarantined: the failures of tests do not fail the run; see Quarantine. It comes before the tests are enqueued, and the first
	// one that names a test counts.
	Quarantined EventType = "quarantine"

	// Audited: tests were nowhere, because Redis lost a key, and are queued again.
	Audited EventType = "audit"

	Opened  EventType = "open"
	Sealed  EventType = "seal"
	Joined  EventType = "join"
	Claimed EventType = "claim"
	Settled EventType = "settle"
	// Returned: a worker gave back tests of its batch that it had not begun.
	Returned EventType = "return"
	// Qualified: a gate let a worker pass; Refused: it did not.
	Qualified EventType = "qualify"
	Refused   EventType = "refuse"
	Reaped    EventType = "reap"
	Left      EventType = "leave"
	Done      EventType = "done"
	Aborted   EventType = "abort"
	// Resulted: the protocol itself gave a test its final result: a budget was spent, or no worker qualified.
	Resulted EventType = "result"
)

// Decision is what Redis made of a finish.
type Decision string

const (
	// Final: it is the test's result.
	Final Decision = "final"
	// Requeued: the test runs again, alone.
	Requeued Decision = "requeued"
	// Late: it came from a worker that no longer held the test, and changes no result.
	Late Decision = "late"
)

// Event is one entry of the journal, or of a worker's report before it is in the journal. Which fields are set depends on Type.
type Event struct {
	Type EventType
	// Test of Start, Pause, Finish, Resulted. Empty otherwise.
	Test string
	// Outcome of Finish and Resulted.
	Outcome Outcome
	// Problem of ProblemFound.
	Problem Problem

	// The rest is set by the journal.

	// ID is the entry's position in the journal.
	ID string
	// Time is Redis's clock. It is shown to people and decides nothing.
	Time time.Time
	// Worker and Batch number that the event is about; empty and 0: none.
	Worker string
	Batch  int
	// Quarantine of Quarantined.
	Quarantine Quarantine
	// Tests that were quarantined, claimed, returned, settled, reaped or found by an audit; Charged are those among the reaped that were running.
	Tests, Charged []string
	// Decision on a Finish.
	Decision Decision
	// Gate of Qualified and Refused, and of Resulted if no worker qualified: its name or command, for people.
	Gate string
	// Former is the id of the run that a Finish comes from, if it holds from a former attempt at the same CI run.
	Former string
	// Text is the reason of an abort, reap or refusal, how a batch was settled, what a worker runs on; on a Finish, why a failure
	// is final although the test itself may be retried.
	Text string
}
