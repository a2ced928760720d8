package report

import (
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Worker is what the journal tells of one worker. Times are those of Redis's clock.
type Worker struct {
	ID string
	// Info is what it runs on.
	Info         string
	Joined, Left time.Time // Left is zero while it is there
	// Reason is why it left, or was presumed dead if it was Reaped.
	Reason string
	Reaped bool
	// Taken are the tests that it held when it was reaped; Charged those among them that were running.
	Taken, Charged []string
	// Done counts the attempts that it brought to an end, late ones not included.
	Done int
	// Batches are those that it claimed, in order.
	Batches []Hold

	busy time.Duration // of batches that are settled
	open openBatch
}

// Hold is a worker's time with one batch.
type Hold struct {
	Number int
	// Size is how many tests were claimed. Alone: the one test came from the requeue.
	Size  int
	Alone bool
	// Claimed and Ended are times of Redis's clock; Ended is zero while the worker has the batch.
	Claimed, Ended time.Time
}

// openBatch is the batch that a worker holds.
type openBatch struct {
	number int
	since  time.Time
	tests  []string
}

// claim opens a batch. One that is still open, whose settlement the journal does not tell, ends.
func (w *Worker) claim(e batch.Event) {
	w.settle(e.Time)
	w.open = openBatch{number: e.Batch, since: e.Time, tests: e.Tests}
	w.Batches = append(w.Batches, Hold{Number: e.Batch, Size: len(e.Tests), Alone: e.Text == "alone", Claimed: e.Time})
}

// settle ends the open batch and returns its tests.
func (w *Worker) settle(at time.Time) []string {
	tests := w.open.tests
	if !w.open.since.IsZero() {
		w.busy += max(0, at.Sub(w.open.since))
		w.Batches[len(w.Batches)-1].Ended = at
	}
	w.open = openBatch{}
	return tests
}

// Present returns how long the worker was in the run, and Busy how long it had a batch, until at.
func (w *Worker) Present(at time.Time) time.Duration {
	if !w.Left.IsZero() && w.Left.Before(at) {
		at = w.Left
	}
	return max(0, at.Sub(w.Joined))
}

// Busy is explained at Present.
func (w *Worker) Busy(at time.Time) time.Duration {
	busy := w.busy
	if !w.open.since.IsZero() {
		busy += max(0, at.Sub(w.open.since))
	}
	return min(busy, w.Present(at))
}
