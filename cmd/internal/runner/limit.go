package runner

import (
	"context"
	"fmt"
	"time"
)

// limitError is the cause of a context that a time limit ended.
type limitError struct {
	// flag is the option that set the limit, "--test-timeout".
	flag  string
	limit time.Duration
}

func (e *limitError) Error() string {
	return fmt.Sprintf("the time limit of %v was over (%s)", e.limit, e.flag)
}

// withLimit is ctx that ends after limit with a *limitError as its cause. 0 or less: no limit.
func withLimit(ctx context.Context, limit time.Duration, flag string) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, limit, &limitError{flag: flag, limit: limit})
}
