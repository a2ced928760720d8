package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/shardctl/shardctl/batch"
)

// StartPatience is how long Redis may be out of reach when a command starts, unless somebody says otherwise.
const StartPatience = 15 * time.Second

// Connect opens a connection to the Redis at a redis://, rediss:// or unix:// URL and waits until it answers, at most for
// patience (0: StartPatience). Errors never hold the URL's password.
func Connect(ctx context.Context, rawURL string, log *slog.Logger, patience time.Duration) (*redis.Client, error) {
	if patience == 0 {
		patience = StartPatience
	}
	options, err := redis.ParseURL(rawURL)
	if _, ok := parseURL(rawURL); err != nil || !ok {
		return nil, Usagef("--redis-url %s: %s (expected redis://[user:password@]host:port/db, rediss://… or unix:///path)",
			Redact(rawURL), whyNoURL(rawURL, err))
	}
	options.ClientName = "shardctl-" + strings.ToLower(rand.Text()[:12]) // so that a controller sees whether this process lives
	options.ContextTimeoutEnabled = true
	// No commands of the library's own: they are of no use here, and beyond the rights that a run needs (batch.Rights).
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	redis.SetLogger(discard{}) // every error comes back to its caller
	rdb := redis.NewClient(options)
	if err := answers(ctx, rdb, Redact(rawURL), log, patience); err != nil {
		_ = rdb.Close()
		return nil, err
	}
	return rdb, nil
}

func answers(ctx context.Context, rdb *redis.Client, where string, log *slog.Logger, patience time.Duration) error {
	began := time.Now()
	for warned := false; ; warned = true {
		err := rdb.Ping(ctx).Err()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !batch.Transient(err):
			return Usagef("Redis at %s refuses us: %s; check user and password in --redis-url", where, err)
		}
		if !warned {
			log.Warn(fmt.Sprintf("Redis at %s does not answer, trying for %v", where, patience), "error", err)
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

// UnreachableError says that Redis could not be reached when a command started.
type UnreachableError struct {
	Where string
	Err   error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("Redis at %s cannot be reached: %s; is it running, and is --redis-url right (host, port, rediss:// only for TLS)?", e.Where, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Redact returns a Redis URL without its password, nor what might be one in a URL that is not as it should be.
func Redact(rawURL string) string {
	u, ok := parseURL(rawURL)
	if !ok {
		if i := strings.LastIndex(rawURL, "@"); i >= 0 {
			return "…@" + rawURL[i+1:]
		}
		return "(not a URL)"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if _, ok := u.User.Password(); ok {
		shown.User = url.UserPassword(u.User.Username(), "xxxxx")
	} else if u.User != nil { // perhaps a password without its colon
		shown.User = url.User("xxxxx")
	}
	return shown.String()
}

// whyNoURL says why a URL cannot be used. Parsers quote parts of it: that is kept only if no password can be in there.
func whyNoURL(rawURL string, err error) string {
	switch _, ok := parseURL(rawURL); {
	case ok:
		return err.Error()
	case strings.Contains(rawURL, "@"):
		return "it cannot be read; in a password write % as %25, / as %2F, ? as %3F, # as %23, @ as %40"
	}
	return "it cannot be read"
}

// parseURL parses a URL. It is not ok if a password may stand elsewhere than before the @ of a host.
func parseURL(rawURL string) (*url.URL, bool) {
	u, err := url.Parse(rawURL)
	ok := err == nil && u.Scheme != "" && u.Opaque == "" && !strings.Contains(u.Path+u.RawQuery+u.Fragment, "@")
	return u, ok
}

// discard is a logger for go-redis that says nothing.
type discard struct{}

func (discard) Printf(context.Context, string, ...any) {}
