package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// fake is a run in memory.
type fake struct {
	mu      sync.Mutex
	journal []batch.Event
	news    chan struct{}
	workers []batch.WorkerState
	// held is how many tests each worker holds; reaped tells who was reaped, when and why.
	held     map[string]int
	reaped   map[string]time.Time
	complete bool
	progress batch.Progress
	abortion batch.Abortion
	audits   int
	clients  batch.Clients
	// away makes every request fail as if Redis could not be reached.
	away bool
}

func newFake() *fake {
	return &fake{news: make(chan struct{}, 1), held: map[string]int{}, reaped: map[string]time.Time{}, progress: batch.IsBusy}
}

var errAway = &net.OpError{Op: "dial", Err: errors.New("connection refused")}

// do changes the fake as another process would.
func (f *fake) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) beat(id string) {
	f.do(func() {
		for i := range f.workers {
			if f.workers[i].ID == id {
				f.workers[i].Beat++
			}
		}
	})
}

// tell appends to the journal, within do.
func (f *fake) tell(e batch.Event) {
	e.ID = fmt.Sprint(len(f.journal) + 1)
	f.journal = append(f.journal, e)
	select {
	case f.news <- struct{}{}:
	default:
	}
}

func (f *fake) Events(ctx context.Context, after string, most int, wait time.Duration) ([]batch.Event, error) {
	var seen int
	fmt.Sscan(after, &seen)
	read := func() (events []batch.Event, err error) {
		f.do(func() {
			events = f.journal[seen:min(seen+most, len(f.journal))]
			if f.away {
				err = errAway
			}
		})
		return events, err
	}
	if events, err := read(); len(events) > 0 || err != nil || wait < 0 {
		return events, err
	}
	select {
	case <-f.news:
	case <-time.After(wait):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return read()
}

func (f *fake) Workers(context.Context) ([]batch.WorkerState, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, errAway
	}
	return slices.Clone(f.workers), nil
}

func (f *fake) Reap(_ context.Context, id string, beat int64, why string) (bool, int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, w := range f.workers {
		if w.ID == id && w.Beat == beat {
			f.workers = append(f.workers[:i:i], f.workers[i+1:]...)
			f.reaped[id] = time.Now()
			f.tell(batch.Event{Type: batch.Reaped, Worker: id, Text: why})
			return true, f.held[id], nil
		}
	}
	return false, 0, nil
}

func (f *fake) Finish(_ context.Context, _ []string, giveUp bool) (batch.Progress, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if giveUp && (f.progress == batch.IsStuck || f.progress == batch.IsShort) {
		f.progress, f.complete = batch.IsBusy, true
	}
	if f.complete && f.progress == batch.IsBusy {
		f.progress = batch.IsDone
		f.tell(batch.Event{Type: batch.Done})
	}
	return f.progress, nil
}

func (f *fake) Restore(_ context.Context, tests [][]batch.Event) (int, error) { return len(tests), nil }

func (f *fake) Audit(context.Context) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.audits++
	f.progress = batch.IsBusy
	return 1, nil
}

func (f *fake) Clients(context.Context) (batch.Clients, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clients, nil
}

func (f *fake) Abort(_ context.Context, a batch.Abortion) (batch.Progress, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress, f.abortion = batch.IsAborted, a
	f.tell(batch.Event{Type: batch.Aborted, Text: a.Why, Worker: a.Who})
	return f.progress, nil
}
