package cli

import (
	"errors"
	"fmt"

	"github.com/shardctl/shardctl/batch"
)

// Exit statuses of both commands.
const (
	StatusPassed     = 0 // every test passed
	StatusFailed     = 1 // a test failed, crashed or timed out
	StatusUsage      = 2 // bad usage, configuration or credentials
	StatusIncomplete = 3 // tests did not run, or Redis is out of reach
	StatusNoTests    = 4 // the list is empty
)

// UsageError is a mistake of whoever called: StatusUsage.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }
func (e *UsageError) Unwrap() error { return e.err }

// Usagef makes a UsageError as fmt.Errorf makes an error.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// ExitError ends the process with a status after everything was said already.
type ExitError struct{ Status int }

func (e *ExitError) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// Exit returns the error for a status, nil for 0.
func Exit(status int) error {
	if status == 0 {
		return nil
	}
	return &ExitError{status}
}

// NoTestsError says that there is nothing to run: StatusNoTests.
type NoTestsError struct{ Where string }

func (e *NoTestsError) Error() string {
	return fmt.Sprintf("no tests: %s; an empty run is never green (--allow-empty makes it so)", e.Where)
}

// Status maps an error to the exit status of the process.
func Status(err error) int {
	var (
		exit   *ExitError
		usage  *UsageError
		none   *NoTestsError
		signal *SignalError
	)
	switch {
	case err == nil:
		return StatusPassed
	case errors.As(err, &exit):
		return exit.Status
	case errors.As(err, &signal):
		return signal.Status()
	case errors.As(err, &none):
		return StatusNoTests
	case errors.As(err, &usage), errors.Is(err, batch.Ended), errors.Is(err, batch.Mismatch), errors.Is(err, batch.ListSealed),
		errors.Is(err, batch.Conflict), errors.Is(err, batch.UnknownSpec), errors.Is(err, batch.OtherSchema):
		return StatusUsage
	}
	return StatusIncomplete // nobody knows what did not run
}
