package recovery

import (
	"context"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Watch does what a run needs of a controller and what takes no list: it reaps workers that stand still, mends what is nowhere, and
// finishes. Idle workers do so, since the controller may be gone. It looks seldom, so that a controller is always first.
type Watch struct {
	// Queue is the run.
	Queue    Queue
	detector detector
}

// NewWatch returns the watch over a run.
func NewWatch(q Queue, lease time.Duration) *Watch {
	return &Watch{Queue: q, detector: detector{lease: lease}}
}

// Look looks once.
func (w *Watch) Look(ctx context.Context) error {
	workers, err := w.Queue.Workers(ctx)
	if err != nil {
		w.detector.forget()
		return err
	}
	var ids []string
	for _, dead := range w.detector.dead(time.Now(), workers, batch.Clients{}) {
		if _, _, err := w.Queue.Reap(ctx, dead.worker.ID, dead.worker.Beat, dead.why); err != nil {
			return err
		}
	}
	for _, worker := range workers {
		ids = append(ids, worker.ID)
	}
	progress, err := w.Queue.Finish(ctx, ids, false)
	if progress == batch.IsUneven {
		_, err = w.Queue.Audit(ctx)
	}
	return err
}
