package worker

import (
	"context"
	"fmt"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// UntoldError says that the run was over before this worker could tell of a problem: the verdict does not know it.
type UntoldError struct{ Problem batch.Problem }

func (e *UntoldError) Error() string {
	return fmt.Sprintf("the run ended before this worker could tell it of a problem: %s: %s", e.Problem.Scope, e.Problem.Message)
}

// unheard is an UntoldError if there is such a problem.
func (w *worker) unheard() error {
	if len(w.untold) == 0 {
		return nil
	}
	return &UntoldError{w.untold[0]}
}

// resting is whether the runner keeps no process for this worker.
func (w *worker) resting() bool {
	r, ok := w.runner.(runner.Rester)
	return !ok || r.Resting(w.o.Index)
}

// rest ends the process that the runner keeps, and reports the problems that come up only then. The worker has nothing to do;
// after a stop, cleaning up may take as long as a running test may.
func (w *worker) rest() error {
	if w.resting() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(w.now)
	defer cancel(nil)
	defer context.AfterFunc(w.stop, func() { after(w.stop, ctx, w.o.StopTimeout, func() { cancel(errStopped) }) })()
	reports := w.newReporter(batch.Batch{Number: batch.NoBatch}, cancel)
	err := w.runner.(runner.Rester).Rest(ctx, w.o.Index, w.o.Limits, reports.emit)
	if reportErr := reports.close(); reportErr != nil {
		w.untold = append(w.untold, reports.untold()...)
		if err := w.unheard(); err != nil {
			return err
		}
		return reportErr
	}
	return err
}

// restAtLast does the same while the last batch is under way: as long as this worker holds a batch, the run cannot be over.
// Whether it is the last, is a guess: if others bring more tests, the runner is started again.
func (w *worker) restAtLast(ctx context.Context, reports *reporter) error {
	if w.resting() {
		return nil
	}
	if waiting, err := w.q.Waiting(ctx); err != nil || waiting > 0 {
		return nil // the claim that follows sees what is wrong
	}
	return w.runner.(runner.Rester).Rest(ctx, w.o.Index, w.o.Limits, reports.emit)
}
