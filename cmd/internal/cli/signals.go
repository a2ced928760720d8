package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "stopped by " + e.Signal.String() }

// Status is 128 and the signal's number, as shells have it.
func (e *SignalError) Status() int { return 128 + int(e.Signal) }

// Signals returns a context that SIGINT, SIGTERM or SIGHUP ends, with a SignalError as its cause. After the first, signals
// have their usual effect again, so that a second one ends a process that does not end by itself.
func Signals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case s := <-received:
			fmt.Fprintf(os.Stderr, "%s: stopping; once more to stop at once\n", s)
			signal.Stop(received)
			cancel(&SignalError{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(received); cancel(nil) }
}
