package cli

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/shardctl/shardctl/batch"
)

// StartPatience is how long Redis may be out of reach when a command starts, unless somebody says otherwise.
const StartPatience = 15 * time.Second

// Connect opens a connection to the Redis at a URL (see expectedURL) and waits until it answers, at most for patience (0:
// StartPatience). Errors never hold the URL's passwords.
func Connect(ctx context.Context, rawURL string, log *slog.Logger, patience time.Duration) (redis.UniversalClient, error) {
	if patience == 0 {
		patience = StartPatience
	}
	redis.SetLogger(discard{}) // every error comes back to its caller
	rdb, err := newClient(rawURL)
	if err != nil {
		return nil, Usagef("--redis-url %s: %w (expected %s)", Redact(rawURL), err, expectedURL)
	}
	if err := answers(ctx, rdb, Redact(rawURL), log, patience); err != nil {
		_ = rdb.Close()
		return nil, err
	}
	return rdb, nil
}

// newClient makes a client of what a URL says. It connects when it is used.
func newClient(rawURL string) (redis.UniversalClient, error) {
	u, err := readURL(rawURL)
	if err != nil {
		return nil, err
	}
	name := "shardctl-" + strings.ToLower(rand.Text()[:12]) // so that a controller sees whether this process lives
	// No commands of the library's own: they are of no use here, and beyond the rights that a run needs (batch.Rights).
	const noIdentity = true
	if isSentinel(u.Scheme) {
		options, err := sentinelOptions(u)
		if err != nil {
			return nil, err
		}
		options.ClientName, options.ContextTimeoutEnabled, options.DisableIdentity = name, true, noIdentity
		return redis.NewFailoverClient(options), nil
	}
	if isCluster(u) {
		options, err := clusterOptions(u)
		if err != nil {
			return nil, err
		}
		options.ClientName, options.ContextTimeoutEnabled, options.DisableIdentity = name, true, noIdentity
		options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		return redis.NewClusterClient(options), nil
	}
	options, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	options.ClientName, options.ContextTimeoutEnabled, options.DisableIdentity = name, true, noIdentity
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(options), nil
}

func answers(ctx context.Context, rdb redis.UniversalClient, where string, log *slog.Logger, patience time.Duration) error {
	began := time.Now()
	for warned := false; ; warned = true {
		err := rdb.Ping(ctx).Err()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, redis.Nil): // a PING has an answer: this is a sentinel's
			return Usagef("Redis at %s: the sentinels know no master of that name; check it in --redis-url", where)
		case !batch.Transient(err):
			return Usagef("Redis at %s refuses us: %s; check %s", where, reasons(err), suspect(where, err))
		}
		if !warned {
			log.Warn(fmt.Sprintf("Redis at %s does not answer, trying for %v", where, patience), "error", reasons(err))
		}
		if time.Since(began) > patience {
			return &UnreachableError{Where: where, Err: err}
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// suspect is what may be wrong if Redis refuses.
func suspect(where string, err error) string {
	scheme, _, _ := strings.Cut(where, ":")
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return "its certificate (with the option skip_verify=true in --redis-url any will do)"
	case strings.Contains(err.Error(), "NOPERM"):
		return "the user's rights (shardctl doctor --acl prints those that a run needs)"
	case isSentinel(scheme):
		return "user and password in --redis-url, and its sentinel_password"
	}
	return "user and password in --redis-url"
}

// reasons is an error in one line. Of several sentinels each says why, often the same.
func reasons(err error) string {
	var said []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if !slices.ContainsFunc(said, func(before string) bool { return strings.HasSuffix(before, line) }) {
			said = append(said, line)
		}
	}
	return strings.Join(said, "; ")
}

// UnreachableError says that Redis could not be reached when a command started.
type UnreachableError struct {
	Where string
	Err   error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("Redis at %s cannot be reached: %s; is it running, and is --redis-url right (host, port, rediss:// only for TLS)?", e.Where, reasons(e.Err))
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// discard is a logger for go-redis that says nothing.
type discard struct{}

func (discard) Printf(context.Context, string, ...any) {}
