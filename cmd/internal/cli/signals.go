package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "stopped by " + e.Signal.String() }

// Status is 128 and the signal's number, as shells have it.
func (e *SignalError) Status() int { return 128 + int(e.Signal) }

// Signals returns a context that the first SIGINT, SIGTERM or SIGHUP ends, with a SignalError as its cause: the program is
// to come to an orderly end. The second ends the context that Now returns: it is to stop what it does. After that, signals
// have their usual effect again. Both are told on stderr. SIGHUP stays ignored where it was (nohup).
func Signals(ctx context.Context, stderr io.Writer) (context.Context, context.CancelFunc) {
	now, cancelNow := context.WithCancelCause(ctx)
	stop, cancelStop := context.WithCancelCause(context.WithValue(ctx, nowKey{}, now))
	received := make(chan os.Signal, 2)
	stopping := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		stopping = append(stopping, syscall.SIGHUP)
	}
	signal.Notify(received, stopping...)
	go func() {
		cancels := []context.CancelCauseFunc{cancelStop, cancelNow}
		for i, advice := range []string{"stopping; once more to stop what runs at once", "stopping at once; once more to leave everything as it is"} {
			select {
			case s := <-received:
				// What this program's output is piped into may have got the signal too, and be gone (Ctrl-C): to write
				// then must fail, not end the program. Notify, unlike Ignore, changes nothing for child processes.
				signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
				fmt.Fprintf(stderr, "%s: %s\n", s, advice)
				cancels[i](&SignalError{s.(syscall.Signal)})
			case <-now.Done():
				return
			}
		}
		signal.Stop(received)
	}()
	return stop, func() {
		signal.Stop(received)
		cancelStop(nil)
		cancelNow(nil)
	}
}

type nowKey struct{}

// Now returns the context that says stop at once, where ctx, which comes from Signals, says come to an end; ctx itself if
// it does not come from there.
func Now(ctx context.Context) context.Context {
	if now, ok := ctx.Value(nowKey{}).(context.Context); ok {
		return now
	}
	return ctx
}
