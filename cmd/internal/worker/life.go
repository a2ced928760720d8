package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// life is what goes on beside the loop while a worker is a member: it beats, and follows the wake stream.
type life struct {
	w      *worker
	cancel context.CancelFunc
	done   sync.WaitGroup
	// woken has room for one: somebody should look again. The wake stream's goroutine writes, the loop reads.
	woken chan struct{}
	// due has room for one: a beat is due before its time. The loop and its helpers write, the beating goroutine reads.
	due chan struct{}

	mu sync.Mutex
	// holding is the batch under way, or nil; interrupt ends its runner. The loop writes both, the other goroutines read.
	holding   *reporter
	interrupt context.CancelCauseFunc
	// over is why no batch may go on: the worker was presumed dead, the run's data is gone, or it was aborted.
	over error
}

// live starts the life of a member. answer is what its join was answered.
func (w *worker) live(answer batch.Answer) *life {
	ctx, cancel := context.WithCancel(w.redis)
	l := &life{w: w, cancel: cancel, woken: make(chan struct{}, 1), due: make(chan struct{}, 1)}
	l.done.Go(func() { l.beat(ctx) })
	l.done.Go(func() { l.follow(ctx, answer.Cursor) })
	return l
}

// end stops the goroutines and waits for them.
func (l *life) end() {
	l.cancel()
	l.done.Wait()
}

// hold begins a batch: beats name what it holds, and interrupt is called if it may not go on.
func (l *life) hold(r *reporter, interrupt context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holding, l.interrupt = r, interrupt
	if l.over != nil {
		interrupt(l.over)
	}
}

// release ends a batch.
func (l *life) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holding, l.interrupt = nil, nil
}

func (l *life) stopRunning(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil {
		l.over = why
	}
	if l.interrupt != nil {
		l.interrupt(why)
	}
}

// wait returns true when there may be something new, false after most or the end of ctx.
func (l *life) wait(ctx context.Context, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-l.woken:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// beat tells Redis at every eighth of the lease that the worker lives. Errors pass or are seen by the loop too; only what
// ends the trust in the batch matters here.
func (l *life) beat(ctx context.Context) {
	ticker := time.NewTicker(batch.BeatInterval(l.w.q.Options().Lease))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-l.due:
		}
		beat := l.w.m.Beat
		if l.w.stop.Err() != nil {
			beat = l.w.m.Drain
		}
		number, held := l.held()
		_, err := beat(ctx, number, held)
		if errors.Is(err, batch.NotJoined) || errors.Is(err, batch.Gone) || errors.Is(err, batch.OtherEpoch) {
			l.stopRunning(err)
			l.wake()
			return
		}
	}
}

func (l *life) held() (int, []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holding == nil {
		return batch.NoBatch, nil
	}
	return l.holding.number, l.holding.held()
}

// follow wakes the loop whenever the wake stream moves, from the join on without a gap, and ends the runner of an aborted run.
func (l *life) follow(ctx context.Context, cursor string) {
	for ctx.Err() == nil {
		answer, err := l.w.q.Wait(ctx, cursor, poll)
		if err != nil {
			select { // the loop's own requests tell what is wrong
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			continue
		}
		if answer.Markers.Aborted {
			l.stopRunning(errAborted)
		}
		if answer.Cursor != cursor {
			cursor = answer.Cursor
			l.wake()
		}
	}
}

func (l *life) wake() { signal(l.woken) }

// beatNow has Redis told at once what is held.
func (l *life) beatNow() { signal(l.due) }

// signal sets a flag that a channel of capacity 1 is.
func signal(flag chan<- struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}
