package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
)

// startPatience is how long Redis may be out of reach when a command starts.
const startPatience = 15 * time.Second

// Connect opens a connection to the Redis at a redis://, rediss:// or unix:// URL and waits until it answers, for
// startPatience. Errors never hold the URL's password.
func Connect(ctx context.Context, rawURL string, log *slog.Logger) (*redis.Client, error) {
	options, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, Usagef("--redis-url %s: %s (expected redis://[user:password@]host:port/db, rediss://… or unix:///path)", Redact(rawURL), cause(err))
	}
	options.ClientName = "shardctl"
	options.ContextTimeoutEnabled = true
	redis.SetLogger(discard{}) // every error comes back to its caller
	rdb := redis.NewClient(options)
	if err := answers(ctx, rdb, Redact(rawURL), log); err != nil {
		_ = rdb.Close()
		return nil, err
	}
	return rdb, nil
}

func answers(ctx context.Context, rdb *redis.Client, where string, log *slog.Logger) error {
	began := time.Now()
	for warned := false; ; {
		err := rdb.Ping(ctx).Err()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !batch.Transient(err):
			return Usagef("Redis at %s refuses us: %s; check user and password in --redis-url", where, cause(err))
		case time.Since(began) > startPatience:
			return &UnreachableError{Where: where, Err: err}
		case !warned:
			log.Warn(fmt.Sprintf("Redis at %s does not answer, trying for %v", where, startPatience), "error", cause(err))
			warned = true
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
	return fmt.Sprintf("Redis at %s cannot be reached: %s; is it running, and is --redis-url right?", e.Where, cause(e.Err))
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Redact returns a Redis URL without its password.
func Redact(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		// What cannot be parsed may hold a password anywhere before the last @.
		scheme, rest, ok := strings.Cut(rawURL, "://")
		if i := strings.LastIndex(rest, "@"); ok && i >= 0 {
			return scheme + "://xxxxx@" + rest[i+1:]
		}
		if !ok {
			return "(not a URL)"
		}
		return rawURL
	}
	return u.Redacted()
}

// cause returns the text of an error without the URL that package url quotes in it.
func cause(err error) string {
	var parse *url.Error
	if errors.As(err, &parse) {
		return parse.Err.Error()
	}
	return err.Error()
}

// discard is a logger for go-redis that says nothing.
type discard struct{}

func (discard) Printf(context.Context, string, ...any) {}
