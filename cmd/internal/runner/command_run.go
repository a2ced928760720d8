package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/junit"
)

var _ Runner = (*Command)(nil)

// Run implements Runner. From a command nobody learns when a test of several starts: all of them get a batch.Start when it
// does, and are charged together if the worker vanishes.
func (c *Command) Run(ctx context.Context, job Job, emit func(...batch.Event)) error {
	if len(job.Batch.Tests) == 0 {
		return nil // without names, many commands run all tests there are
	}
	artifacts, err := c.makeArtifacts(job.Batch.Number)
	if err != nil {
		return fmt.Errorf("the folder for artifacts: %w", err)
	}
	if artifacts != "" {
		defer os.Remove(artifacts) // fails unless it is empty
	}
	limited, cancel := withLimit(ctx, job.Limits.Batch, "--batch-timeout")
	defer cancel()
	other := argBytes(c.path) + argBytes(c.argv...) + argBytes(os.Environ()...) + argBytes(job.Env...)
	for _, ids := range c.split(job.Batch.IDs(), other+ownArgs) {
		end, err := c.runPart(limited, job, ids, artifacts, emit)
		if err != nil {
			return err
		}
		if end.Cause != nil && limited.Err() != nil {
			return context.Cause(ctx) // nil if it was only the limit
		}
	}
	return nil
}

// makeArtifacts makes the folder for {artifacts} of a batch. Its name is the number of the batch and something random: several
// workers count in the same folder.
func (c *Command) makeArtifacts(number int) (string, error) {
	if c.count(inArtifacts) == 0 {
		return "", nil
	}
	if err := os.MkdirAll(c.artifacts, 0o777); err != nil {
		return "", err
	}
	return os.MkdirTemp(c.artifacts, fmt.Sprintf("batch-%d-*", number))
}

// runPart runs the command once, for ids, and tells what came of it.
func (c *Command) runPart(ctx context.Context, job Job, ids []string, artifacts string, emit func(...batch.Event)) (exit, error) {
	ctx, cancel := withLimit(ctx, job.Limits.Test, "--test-timeout")
	defer cancel()
	files, err := newRunFiles(ids, artifacts)
	if err != nil {
		return exit{}, fmt.Errorf("the files for the command: %w", err)
	}
	defer files.remove()

	output := newCapture(outputEnds)
	found := evidence{index: junit.NewIndex()}
	began := time.Now()
	p := process{
		Path: c.path, Args: c.args(ids, files, job.Batch.Number), Env: slices.Concat(job.Env, files.env()),
		Stdout: output, Grace: job.Limits.Grace,
		// A command that is being stopped reports the tests that this broke; some call them failed, some passed.
		Stopping: func() { found = readEvidence(files.junitDir, began) },
	}
	if c.stdin() {
		if p.Stdin, err = os.Open(files.tests); err != nil {
			return exit{}, fmt.Errorf("the files for the command: %w", err)
		}
		defer p.Stdin.Close()
	}
	if ctx.Err() == nil {
		starts := make([]batch.Event, len(ids))
		for i, id := range ids {
			starts[i] = batch.Event{Type: batch.Start, Test: id}
		}
		emit(starts...) // in one step: a drain must not find a part of them
	}
	end, err := p.run(ctx)
	switch {
	case err != nil && errors.Is(err, context.Cause(ctx)): // it ended before the start
		end.Cause = err
	case errors.Is(err, syscall.E2BIG):
		return end, fmt.Errorf("%w: shorten the command or the environment, or use {tests_file} in place of {tests}", err)
	case err != nil:
		return end, err
	case end.Cause == nil:
		found = readEvidence(files.junitDir, began)
	}
	v := verdict{
		name: c.name(), ids: ids, alone: len(job.Batch.Tests) == 1, evidence: found, end: end,
		seconds: time.Since(began).Seconds(), output: output.String(),
	}
	v.tell(emit)
	if text := v.again(); text != "" && c.say != nil {
		c.say(text)
	}
	return end, nil
}
