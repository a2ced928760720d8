package cli

import (
	"context"
	"fmt"
	"os"
	"time"
)

// noticePoll is how often StopOnFile looks. Machines are given notice tens of seconds ahead.
const noticePoll = 250 * time.Millisecond

// NoticeError is the cause of a context that StopOnFile ended.
type NoticeError struct{ Path string }

func (e *NoticeError) Error() string { return fmt.Sprintf("stopped because %s appeared", e.Path) }

// StopOnFile returns a context that ends with a NoticeError when a file of the name is there, or with ctx. No name means
// no file.
func StopOnFile(ctx context.Context, path string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if path != "" {
		go func() {
			ticker := time.NewTicker(noticePoll)
			defer ticker.Stop()
			for ctx.Err() == nil {
				if _, err := os.Stat(path); err == nil {
					cancel(&NoticeError{path})
					return
				}
				select {
				case <-ticker.C:
				case <-ctx.Done():
				}
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}
