package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// leastToolIdle is the least time that a process may take while no unit runs: to start, to collect, to clean up.
const leastToolIdle = 10 * time.Minute

// Run implements Runner. A unit has the result that the runner told of it; one that ran when its process ended crashed.
//
// Limits: Limits.Test counts from a unit's start, and anew from each of its cases if the runner tells when they begin. While
// no unit runs, it limits the process too, but to no less than ten minutes. Limits.Batch counts from the start of the
// process, or from the batch's if the process is kept.
func (t *Tool) Run(ctx context.Context, job Job, emit func(...batch.Event)) error {
	if len(job.Batch.Tests) == 0 {
		return nil // without names, many runners run all tests there are
	}
	if t.preset.ready != nil {
		if err := t.preset.ready(ctx, t); err != nil {
			return err
		}
	}
	limited, cancel := withLimit(ctx, job.Limits.Batch, "--batch-timeout")
	defer cancel()
	if t.persistent() && !job.Batch.Alone {
		return t.feed(limited, job, emit)
	}
	parts := [][]string{job.Batch.IDs()}
	switch p := t.preset; {
	case p.apart != nil && p.apart(t):
		parts = slices.Collect(slices.Chunk(parts[0], 1))
	case p.parts != nil:
		parts = p.parts(parts[0])
	}
	for _, ids := range parts {
		if err := t.runPart(limited, job, ids, emit); err != nil {
			return err
		}
		if limited.Err() != nil {
			return context.Cause(ctx) // nil if it was only the limit
		}
	}
	return nil
}

func (t *Tool) runPart(ctx context.Context, job Job, ids []string, emit func(...batch.Event)) error {
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	report := newToolReport(t.preset, ids, job.Limits, leastToolIdle, kill, emit)
	life, err := t.launch(ctx, invocation{mode: running, ids: ids}, job, report, nil)
	if err != nil {
		return err
	}
	<-life.done
	report.close(life.ended, job.Batch.Alone)
	return endedBy(life.ended)
}

// feed runs a batch in the process that is kept for the job's slot, or in a new one that is kept from then on.
func (t *Tool) feed(ctx context.Context, job Job, emit func(...batch.Event)) error {
	t.mu.Lock()
	life := t.kept[job.Slot]
	t.mu.Unlock()
	if life != nil && (life.gone() || !slices.Equal(life.env, keptEnv(job.Env))) {
		if err := t.Rest(ctx, job.Slot, job.Limits, emit); err != nil { // how it ended is this batch's to tell
			return err
		}
		life = nil
	}
	var report *toolReport
	ahead := life != nil && !life.served
	if life == nil {
		own, kill := context.WithCancelCause(context.WithoutCancel(ctx))
		report = newToolReport(t.preset, job.Batch.IDs(), job.Limits, leastToolIdle, kill, emit)
		var err error
		if life, err = t.keep(own, invocation{mode: lasting}, job, report, nil); err != nil {
			kill(nil)
			return err
		}
	} else {
		report = newToolReport(t.preset, job.Batch.IDs(), job.Limits, leastToolIdle, life.kill, emit)
		life.serve(report)
	}
	// A process that is kept has asked for this batch in order to say that the last one is over; a new one asks first.
	life.asked = life.asked || life.asks(ctx)
	if !life.asked && ahead && life.ended.Cause == nil { // it came to nothing before this batch; the next will tell why
		t.drop(job.Slot)
		report.rest()
		return t.feed(ctx, job, emit)
	}
	life.served = true
	if life.asked {
		life.asked = false
		// A plugin that does not read would hold it up.
		unbind := context.AfterFunc(ctx, func() { life.kill(context.Cause(ctx)) })
		_ = life.socket.send(message{Type: messageBatch, IDs: job.Batch.IDs(), Batch: batchVariable(job.Env)}) // a failure shows as the process's end
		unbind()
		if life.asked = life.asks(ctx); life.asked {
			life.serve(nil)
			report.unfinished()
			return nil
		}
	}
	t.drop(job.Slot)
	report.close(life.ended, false)
	return endedBy(life.ended)
}

// keep starts a process that is kept for the job's slot.
func (t *Tool) keep(ctx context.Context, in invocation, job Job, report *toolReport, other func(message)) (*toolLife, error) {
	life, err := t.launch(ctx, in, job, report, other)
	if err != nil {
		return nil, err
	}
	life.env = keptEnv(job.Env)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept[job.Slot] = life
	return life, nil
}

// Rest implements Rester: it lets the process of the slot clean up and end.
func (t *Tool) Rest(ctx context.Context, slot int, limits Limits, emit func(...batch.Event)) error {
	t.mu.Lock()
	life := t.kept[slot]
	delete(t.kept, slot)
	t.mu.Unlock()
	if life != nil && !life.served { // what still starts cannot be told to stop
		life.asked = life.asked || life.asks(ctx)
	}
	if life == nil || life.gone() && !life.served {
		return nil
	}
	report := newToolReport(t.preset, nil, limits, leastToolIdle, life.kill, emit)
	life.serve(report)
	_ = life.socket.send(message{Type: messageStop})
	select {
	case <-life.done:
	case <-ctx.Done():
		life.kill(context.Cause(ctx))
		<-life.done
	}
	report.close(life.ended, false)
	return endedBy(life.ended)
}

// Resting tells whether a slot has no process that is kept.
func (t *Tool) Resting(slot int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept[slot] == nil
}

// drop ends the process of a slot without asking.
func (t *Tool) drop(slot int) {
	t.mu.Lock()
	life := t.kept[slot]
	delete(t.kept, slot)
	t.mu.Unlock()
	if life != nil {
		life.kill(errDropped)
		<-life.done
	}
}

var errDropped = errors.New("not needed any more")

const batchIDVariable = "SHARD_BATCH_ID="

// keptEnv is what a kept process has to have in its environment: all but the number of the batch.
func keptEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, batchIDVariable) })
}

func batchVariable(env []string) string {
	for _, v := range env {
		if id, ok := strings.CutPrefix(v, batchIDVariable); ok {
			return id
		}
	}
	return ""
}
