package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// environment is a LookupEnv of these variables.
func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, ok := variables[name]; return value, ok }
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{Exit(0), 0},
		{Exit(1), 1},
		{Usagef("x"), 2},
		{errors.New("whatever nobody foresaw"), 3},
		{&NoTestsError{Where: "x"}, 4},
		{&SignalError{syscall.SIGINT}, 130},
		{&SignalError{syscall.SIGTERM}, 143},
		{batch.Ended, 2},
		{batch.Mismatch, 2},
		{batch.ListSealed, 2},
		{batch.Conflict, 2},
		{batch.UnknownSpec, 2},
		{batch.OtherSchema, 2},
		{batch.Gone, 3},
		{batch.OtherEpoch, 3},
		{batch.Incomplete, 3},
		{context.DeadlineExceeded, 3},
		{&UnreachableError{Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, 3},
		// What was said already beats what is to be said, a signal what it caused.
		{errors.Join(errors.New("x"), Exit(1)), 1},
		{errors.Join(batch.Gone, &SignalError{syscall.SIGINT}), 130},
	} {
		for _, err := range []error{test.err, wrap(test.err)} {
			if got := Status(err); got != test.want {
				t.Errorf("%v: exit status %d, want %d", err, got, test.want)
			}
		}
	}
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("wrapped: %w", err)
}

func TestEnvironment(t *testing.T) {
	newFlags := func() (*pflag.FlagSet, *string, *int) {
		flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
		return flags, flags.String("redis-url", "default", ""), flags.Int("n", 1, "")
	}
	flags, url, n := newFlags()
	if err := flags.Parse([]string{"--n", "2"}); err != nil {
		t.Fatal(err)
	}
	if err := applyEnv(flags, environment(map[string]string{"SHARD_REDIS_URL": "given", "SHARD_N": "3"})); err != nil || *url != "given" || *n != 2 {
		t.Errorf("url %q, n %d, error %v", *url, *n, err)
	}
	flags, url, _ = newFlags()
	if err := applyEnv(flags, environment(map[string]string{"SHARD_REDIS_URL": ""})); err != nil || *url != "default" {
		t.Errorf("an empty variable: url %q, error %v", *url, err)
	}
	flags, _, _ = newFlags()
	err := applyEnv(flags, environment(map[string]string{"SHARD_N": "three"}))
	if Status(err) != StatusUsage || !strings.Contains(err.Error(), "SHARD_N") {
		t.Errorf("a bad variable: %v", err)
	}
}

func TestDefaultRunID(t *testing.T) {
	github := environment(map[string]string{"GITHUB_REPOSITORY": "owner/name", "GITHUB_RUN_ID": "123", "GITHUB_RUN_ATTEMPT": "2"})
	w := Where{RedisURL: "redis://h"}
	if err := w.Resolve(false, github); err != nil || w.RunID != "github/owner/name/123/2" {
		t.Errorf("%q, %v", w.RunID, err)
	}
	w = Where{RedisURL: "redis://h", RunID: strings.Repeat("x", 129)}
	if err := w.Resolve(false, github); Status(err) != StatusUsage || !strings.Contains(err.Error(), "--run-id") {
		t.Errorf("an id that is too long: %v", err)
	}
}

func TestResolve(t *testing.T) {
	none := environment(nil)
	var a, b Where
	if err := errors.Join(a.Resolve(true, none), b.Resolve(true, none)); err != nil {
		t.Fatal(err)
	}
	if a.RunID == b.RunID || a.RedisURL != "" {
		t.Errorf("two embedded runs: %+v, %+v", a, b)
	}
	w := Where{RunID: "r"}
	if err := w.Resolve(false, environment(map[string]string{"REDIS_URL": "redis://h"})); err != nil || w.RedisURL != "redis://h" {
		t.Errorf("%+v, %v", w, err)
	}
	if err := (&Where{RedisURL: "redis://h"}).Resolve(true, none); Status(err) != StatusUsage {
		t.Errorf("a Redis without a run id: %v", err)
	}
}

func TestRedact(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"redis://host:6379/1", "redis://host:6379/1"},
		{"redis://anna:secret@host:6379/1", "redis://anna:xxxxx@host:6379/1"},
		{"redis://:secret@host", "redis://:xxxxx@host"},
		{"redis://secret@host", "redis://xxxxx@host"},
		{"rediss://anna:p%40secret@host/1?a=secret#secret", "rediss://anna:xxxxx@host/1"},
		{"unix://anna:secret@/run/redis.sock?db=1", "unix://anna:xxxxx@/run/redis.sock"},
		{"unix:///run/redis.sock", "unix:///run/redis.sock"},
		{"redis://anna:sec@ret@host", "redis://anna:xxxxx@host"},
		{"redis://anna:1/secret@host", "…@host"},
		{"redis://anna:x/secret@host", "…@host"},
		{"redis://anna:%secret@host", "…@host"},
		{"redis:anna:secret@host", "…@host"},
		{"anna:secret@host", "…@host"},
		{"redis://:secret", "(not a URL)"},
		{"secret", "(not a URL)"},
		{"", "(not a URL)"},
		{"redis://anna:1?secret@host", "(not a URL)"},
		{"redis://anna:%secret@host?a=secret", "…@host"},
		{"redis+sentinel://anna:secret@one:1,[::1]:2,three/master/0?sentinel_password=secret", "redis+sentinel://anna:xxxxx@one:1,[::1]:2,three/master/0"},
		{"rediss+sentinel://one,two/master#secret", "rediss+sentinel://one,two/master"},
		{"redis+sentinel://one,two/master?sentinel_password=sec@ret", "(not a URL)"},
		{"redis+sentinel://anna:1/secret@one,two/master?sentinel_password=secret", "…@one,two/master"},
		{"redis+sentinel://one,anna:secret/master", "(not a URL)"},
		{"rediss://anna:secret@one:1,[::1]:2,three?a=secret", "rediss://anna:xxxxx@one:1,[::1]:2,three"},
		{"redis://anna:1/secret@one,two", "…@one,two"},
		{"redis://one,anna:secret", "(not a URL)"},
	} {
		if got := Redact(test.url); got != test.want {
			t.Errorf("%q is shown as %q, want %q", test.url, got, test.want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("anna", "secret", "host:6379/0")
	f.Add("", "/?#[]@%", "h")
	f.Fuzz(func(t *testing.T, user, password, host string) {
		const marker = "hunter2hunter2"
		if strings.ContainsAny(host, "@") {
			return // everything before the last @ is secret, so the password is not all of it
		}
		secret := user + ":" + password + marker + "@" + host
		for _, url := range []string{
			"redis://" + secret,
			"redis+sentinel://" + secret + "/master",
			"redis://" + secret + ",two",
			"redis+sentinel://anna:" + marker + "@" + host + ",two/master?sentinel_password=" + password + marker,
		} {
			if got := Redact(url); strings.Contains(got, marker) {
				t.Errorf("%q is shown as %q", url, got)
			}
			_, err := Connect(canceled(), url, slog.New(slog.DiscardHandler), time.Nanosecond)
			if err == nil || strings.Contains(err.Error(), marker) {
				t.Errorf("%q: %v", url, err)
			}
		}
	})
}

// canceled is a context that ended: nothing is connected to.
func canceled() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("canceled"))
	return ctx
}

func TestLogIsOneLineAnEvent(t *testing.T) {
	var b strings.Builder
	log := NewLog(&b, "program", slog.LevelInfo)
	log.Debug("too low")
	log.Info("hello", "n", 1)
	log.With("who", "me").Warn("careful", "what", "x y")
	log.Error("text with\na second line", "error", errors.New("and\nanother one"))
	want := "program: hello n=1\nprogram: warn: careful who=me what=x y\nprogram: error: text with a second line error=and another one\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestAwait(t *testing.T) {
	rdb := batchtest.Embedded(t)
	log := slog.New(slog.DiscardHandler)
	if _, err := Await(t.Context(), rdb, "r", 0, log); !errors.Is(err, batch.Gone) || Status(err) != StatusIncomplete {
		t.Errorf("nobody opened it: %v", err)
	}
	if _, err := Await(canceled(), rdb, "r", time.Hour, log); err == nil || err.Error() != "canceled" {
		t.Errorf("stopped while waiting: %v", err)
	}
	opened := make(chan error, 1)
	lines := &signalWriter{said: make(chan struct{}, 1)}
	go func() {
		<-lines.said
		_, err := batch.Open(t.Context(), rdb, "r", batch.Streaming, batch.DefaultOptions())
		opened <- err
	}()
	q, err := Await(t.Context(), rdb, "r", time.Minute, NewLog(lines, "x", slog.LevelInfo))
	if err = errors.Join(err, <-opened); err != nil || q.RunID() != "r" {
		t.Errorf("opened while it waits: %v", err)
	}
}

// signalWriter tells that something was written.
type signalWriter struct{ said chan struct{} }

func (w *signalWriter) Write(p []byte) (int, error) { w.said <- struct{}{}; return len(p), nil }

func TestProgram(t *testing.T) {
	var got Args
	p := Program{Name: "p", Commands: []Command{{
		Name:  "c",
		Flags: func(flags *pflag.FlagSet) { flags.Bool("b", false, "") },
		Run: func(_ context.Context, _ Streams, args Args) error {
			got = args
			return Usagef("not like this")
		},
	}}}
	err := p.Run(t.Context(), Streams{Out: io.Discard}, []string{"c", "x", "--b", "y", "--", "--b", "--", "z"}, environment(nil))
	if fmt.Sprintf("%q %q %v", got.Before, got.After, got.Flags) != `["x" "y"] ["--b" "--" "z"] map[b:true]` {
		t.Errorf("arguments %v", got)
	}
	var b strings.Builder
	if status := p.Report(&b, err); status != 2 || b.String() != "p: not like this (see `p c --help`)\n" {
		t.Errorf("exit status %d, %q", status, b.String())
	}
	b.Reset()
	p.Report(&b, errors.New("go list:\n::error::\x1b[31mred\r\n\n"))
	if b.String() != "p: go list:\n    ::error::red\n" {
		t.Errorf("%q", b.String())
	}
	b.Reset()
	if status := p.Report(&b, Exit(1)); status != 1 || b.String() != "" {
		t.Errorf("exit status %d, %q", status, b.String())
	}
}
