package worker

import (
	"context"
	"errors"

	"github.com/shardctl/shardctl/batch"
)

// ErrUnqualified is why a worker leaves a run in which nothing is left that it may run. It has done its duty.
var ErrUnqualified = errors.New("this worker qualifies for none of the tests that are left")

// pass asks the gate of a batch and tells Redis its answer. The error is that of a ctx which ended first, or of Redis.
func (w *worker) pass(ctx context.Context, b batch.Batch) (qualified bool, err error) {
	if b.Gate.None() {
		return true, nil
	}
	answer, err := w.gates.Ask(ctx, b.Gate, w.env(b))
	if err != nil {
		return false, err
	}
	err = w.persist(func() error { _, err := w.m.Gate(w.redis, b, answer.Yes, answer.Why); return err })
	return answer.Yes && err == nil, err
}

// unqualified tells whether this worker should leave: gates refused it many times in a row, and all that is left waits
// behind those that do, or is held by others that ask them.
func (w *worker) unqualified() bool {
	most := w.o.Gates.MaxNotQualified
	if most == 0 || w.gates.InARow() < most {
		return false
	}
	state, err := w.q.State(w.redis)
	if err != nil || !state.Markers.Sealed {
		return false
	}
	refused := map[string]bool{}
	for _, hash := range w.gates.Refused() {
		refused[hash] = true
	}
	left := state.Tests - state.Results
	for _, g := range state.Gates {
		if refused[g.Hash()] {
			left -= g.Queued + g.Requeued
		}
	}
	for _, other := range state.Workers {
		if refused[other.Gate] {
			left -= other.Held
		}
	}
	return left == 0
}
