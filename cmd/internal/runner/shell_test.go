package runner

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestShell(t *testing.T) {
	noLeaks(t)
	t.Setenv("RUNNER_TEST_A", "outer")
	for _, tt := range []struct {
		command string
		want    ShellEnd
	}{
		{"true", ShellEnd{Words: "exit status 0"}},
		{"echo out; echo err >&2; exit 3", ShellEnd{Status: 3, Words: "exit status 3", Output: "out\nerr\n"}},
		{"kill -TERM $$", ShellEnd{Status: -1, Words: "killed by SIGTERM"}},
		{"no-such-command-here 2>&-", ShellEnd{Status: 127, Words: "exit status 127 (as shells report a command that they did not find)"}},
		{`read -r x; echo "$? $RUNNER_TEST_A $RUNNER_TEST_B"`, ShellEnd{Words: "exit status 0", Output: "1 outer inner\n"}},
		{"echo 12345678901234567890; echo abcdefghijklmnopqrst", ShellEnd{Words: "exit status 0", Output: "1234567890123456\n[... 10 bytes dropped ...]\nfghijklmnopqrst\n"}},
	} {
		got, err := Shell{Command: tt.command, Env: []string{"RUNNER_TEST_B=inner"}, Limit: time.Hour, Ends: 16}.Run(t.Context())
		if err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.command, got, err, tt.want)
		}
	}
}

// The limit ends the whole group: also a grandchild that holds the pipe, and a shell that calls its stop a success.
func TestShellLimit(t *testing.T) {
	noLeaks(t)
	for _, command := range []string{
		`sh -c "trap '' TERM; while :; do sleep 1000; done" & exec sleep 1000`,
		"yes & wait",
		"trap 'exit 0' TERM; while :; do sleep 1000 & wait; done",
	} {
		line, life := newLifeline(t)
		s := Shell{Command: `exec 9>"$LIFE"; ` + command, Env: []string{life}, Limit: 20 * time.Millisecond, Flag: "--x-timeout", Grace: time.Millisecond}
		got, err := s.Run(t.Context())
		got.Output = ""
		if want := (ShellEnd{Status: -1, Late: true, Words: "the time limit of 20ms was over (--x-timeout)"}); err != nil || got != want {
			t.Errorf("%s: %+v, %v", command, got, err)
		}
		line.mustBeDead(t)
	}
	// Before the start it is over too.
	if got, err := (Shell{Command: "exit 0", Limit: time.Nanosecond}).Run(t.Context()); err != nil || !got.Late {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestShellContext(t *testing.T) {
	noLeaks(t)
	cause := errors.New("enough")
	ready := fifo(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		if _, err := os.ReadFile(ready); err != nil {
			t.Error(err)
		}
		cancel(cause)
	}()
	s := Shell{Command: `: >"$READY"; exec sleep 1000`, Env: []string{"READY=" + ready}, Limit: time.Hour, Grace: time.Hour}
	if _, err := s.Run(ctx); err != cause {
		t.Error(err)
	}
	if _, err := s.Run(ctx); err != cause { // nobody reads the fifo: it would hang if it ran
		t.Error(err)
	}
}

func TestShellDoesNotStart(t *testing.T) {
	t.Setenv("PATH", "")
	_, err := Shell{Command: "exit 0"}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), `cannot start "sh"`) {
		t.Error(err)
	}
}
