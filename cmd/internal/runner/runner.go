package runner

import (
	"context"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Runner runs batches with a project's own test runner.
//
// Run runs the tests of job and tells emit, as it happens and from one goroutine at a time, a batch.Start, batch.Pause and
// batch.Finish for each test, and a batch.ProblemFound for what went wrong outside the tests; events of one call happen in
// one step. The rules are those of a protocol in which emptiness is never evidence:
//
//   - A test gets a Finish only by positive report of its execution, or because its process died (batch.Crashed) or ran
//     out of time (batch.Timeout) while it ran, or because what it belongs to cannot be built (batch.Failed).
//   - A test without a Finish was not executed. In a batch of several the caller sends it to the requeue. A test that is
//     alone (job.Batch.Alone) always gets a Finish, in the worst case batch.Unexecuted with a message that says how the
//     runner ended, unless ctx ended first.
//   - A runner that fails in a way that no reported test explains is a ProblemFound.
//
// When Run returns, no process that it started is left. It returns context.Cause(ctx) when ctx ended it, and other errors
// only when the runner could not do its work at all (no disk, no such command).
//
// Run may be called concurrently: local workers share one Runner.
type Runner interface {
	Run(ctx context.Context, job Job, emit func(...batch.Event)) error
}

// Rester is a Runner that keeps processes from batch to batch, so that what they do at their end (tearing down what all
// tests shared) comes later than their last batch.
type Rester interface {
	Runner
	// Resting tells whether there is no such process for a slot.
	Resting(slot int) bool
	// Rest lets the process of a slot come to its end, and emits the problems that it then has. Its errors are those of Run.
	Rest(ctx context.Context, slot int, limits Limits, emit func(...batch.Event)) error
}

// Starter is a Rester whose List can start the processes that are kept, so that they need not load once more what was listed.
type Starter interface {
	Rester
	Lister
	// Expect says, before List, with which Slot, Env and Limits the first batches will come.
	Expect(jobs []Job)
}

// Splitter is a Runner that may list files as one test each, and runs the tests of a file one by one as well.
type Splitter interface {
	Runner
	// Split returns the tests of those of the files of which it is sure to know all; none, if it is not to split files.
	Split(ctx context.Context, files []string) (map[string][]batch.Test, error)
}

// Job is one batch on its way through a Runner.
type Job struct {
	Batch batch.Batch
	// Slot tells the callers apart that share a Runner: processes that are kept from batch to batch serve one each.
	Slot int
	// Env holds variables ("NAME=value") that the runner's processes see beside the environment of this process.
	Env []string
	// Limits of this job.
	Limits Limits
}

// Limits are the times after which processes are ended. 0 means no limit.
type Limits struct {
	// Test is the longest that one test may run; for a runner that does not tell when a test starts, the whole batch.
	Test time.Duration
	// Batch is the longest that the whole batch may run.
	Batch time.Duration
	// Grace is how long a process group may take to end after SIGTERM, before SIGKILL.
	Grace time.Duration
}

// DefaultGrace is the Grace of whoever has no reason for another.
const DefaultGrace = 2 * time.Second
