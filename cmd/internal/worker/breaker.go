package worker

import (
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// fruitless is how many batches a worker may begin with of which no test finished, while others work: then it is the machine.
const fruitless = 3

// UselessError is why a worker leaves a run although there is something left to do: what it runs ends badly, and would not
// elsewhere. It has not done its duty.
type UselessError struct{ why string }

func (e *UselessError) Error() string {
	return e.why + "; it leaves the rest to other workers, and if none is left --worker-timeout ends the run"
}

// breaker notices that nothing works on this worker. It counts over all its memberships. The runner's goroutine tells it of
// tests, the loop of batches, after the runner.
type breaker struct {
	// most is Options.MaxConsecutiveFailures; row is how many tests in a row ended badly.
	most, row int
	// finished: a test came to an end here, whichever; batches is how many were begun.
	finished bool
	batches  int
}

// test takes how a test ended, and returns why that was one too many, or nil.
func (b *breaker) test(e batch.Event) error {
	if e.Type != batch.Finish {
		return nil
	}
	switch e.Outcome.Status {
	case batch.Passed, batch.Skipped:
		b.finished, b.row = true, 0
		return nil
	case batch.Failed:
		b.finished = true
	}
	b.row++
	if b.most == 0 || b.row < b.most {
		return nil
	}
	return &UselessError{fmt.Sprintf("%d tests in a row ended badly on this worker (--max-consecutive-failures %d), the last was %s: %s",
		b.row, b.most, e.Test, strings.TrimSuffix(string(e.Outcome.Status)+", "+e.Outcome.Message, ", "))}
}

// batch takes the end of a batch that nobody stopped, and returns why it was one too many, or nil. Others say whether the
// fault may be here: where no test finishes on any worker it is the runner, and the controller's to stop.
func (b *breaker) batch(othersWork func() bool) error {
	b.batches++
	if b.finished || b.batches < fruitless || !othersWork() {
		return nil
	}
	return &UselessError{fmt.Sprintf("none of the first %d batches of this worker came to the end of a test, and other workers do: is this machine set up like theirs?", b.batches)}
}

// othersWork tells whether there is another worker on which tests come to an end.
func (w *worker) othersWork() bool {
	workers, err := w.q.Workers(w.redis)
	if err != nil {
		return false
	}
	for _, other := range workers {
		if other.ID != w.m.ID() && other.Finished > 0 && !other.Leaving {
			return true
		}
	}
	return false
}
