package runner

import (
	"context"
	"errors"
	"time"
)

// Shell is a command for sh that runs to its end or to a time limit, with nothing on stdin.
type Shell struct {
	// Command is the text for sh -c.
	Command string
	// Env holds variables ("NAME=value") that it sees beside the environment of this process; they win over it.
	Env []string
	// Limit is how long it may run; 0 or less: for ever. Flag is the option that sets it, "--gate-timeout", for people.
	Limit time.Duration
	Flag  string
	// Grace is how long what it started may take to end after SIGTERM, before SIGKILL.
	Grace time.Duration
	// Ends is how many bytes of its output are kept at each end.
	Ends int
}

// ShellEnd is how a Shell ended.
type ShellEnd struct {
	// Status is its exit status. -1: a signal or the time limit ended it.
	Status int
	// Late says that it was the time limit.
	Late bool
	// Words say the end for a person: "exit status 3".
	Words string
	// Output is the beginning and the end of what it printed to stdout and stderr, with a note of what is left out.
	Output string
}

// Run runs the command. When it returns, nothing is left of what the command started (see process.run), however it ended. The
// error is context.Cause(ctx) if ctx ended before the command did; any other says why it could not be started.
func (s Shell) Run(ctx context.Context) (ShellEnd, error) {
	limited, cancel := withLimit(ctx, s.Limit, s.Flag)
	defer cancel()
	output := newCapture(s.Ends)
	end, err := process{Path: "sh", Args: []string{"-c", s.Command}, Env: s.Env, Stdout: output, Grace: s.Grace}.run(limited)
	if err != nil && errors.Is(err, context.Cause(limited)) { // it ended before the start
		end.Cause, err = err, nil
	}
	var limit *limitError
	switch {
	case err != nil:
		return ShellEnd{}, err
	case errors.As(end.Cause, &limit):
		return ShellEnd{Status: -1, Late: true, Words: limit.Error(), Output: output.String()}, nil
	case end.Cause != nil:
		return ShellEnd{}, end.Cause
	}
	return ShellEnd{Status: end.Code, Words: end.String(), Output: output.String()}, nil
}
