package gate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// keeper returns a Keeper that runs all text, and what it logs.
func keeper(t *testing.T, change func(*Options)) (*Keeper, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	o := Options{Settings: DefaultSettings(), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))}
	o.AllowText = true
	if change != nil {
		change(&o)
	}
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k, &log
}

func ask(t *testing.T, k *Keeper, g batch.Gate, env ...string) Answer {
	t.Helper()
	answer, err := k.Ask(t.Context(), g, env)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// counted is a gate that leaves a line in a file each time it runs.
func counted(t *testing.T, script string) (g batch.Gate, runs func() int) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "runs")
	return batch.Gate{Command: "echo >>'" + name + "'; " + script}, func() int {
		text, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return bytes.Count(text, []byte("\n"))
	}
}

// check compares what a Keeper says of itself.
func check(t *testing.T, k *Keeper, inARow int, refused ...batch.Gate) {
	t.Helper()
	var hashes []string
	for _, g := range refused {
		hashes = append(hashes, g.Hash())
	}
	slices.Sort(hashes)
	if diff := cmp.Diff(hashes, k.Refused()); diff != "" || k.InARow() != inARow {
		t.Errorf("refused (-want +got):\n%s\n%d in a row, want %d", diff, k.InARow(), inARow)
	}
}

func TestAskYes(t *testing.T) {
	k, log := keeper(t, func(o *Options) { o.CacheSize = 1 })
	a, aRuns := counted(t, `echo "$GATE_TEST"; read -r x || exit 0`)
	b, bRuns := counted(t, "exit 0")
	for i, tt := range []struct {
		g            batch.Gate
		aRuns, bRuns int
	}{{a, 1, 0}, {a, 1, 0}, {b, 1, 1}, {b, 1, 1}, {a, 2, 1}} { // b takes the place of a
		if got := ask(t, k, tt.g, "GATE_TEST=hello"); got != (Answer{Yes: true, Why: "exit status 0"}) || aRuns() != tt.aRuns || bRuns() != tt.bRuns {
			t.Errorf("%d: %+v, %d and %d runs", i, got, aRuns(), bRuns())
		}
	}
	check(t, k, 0)
	// Asked again, they said the same again.
	if lines := strings.Count(log.String(), "\n"); lines != 2 || strings.Count(log.String(), `: yes, this worker may run its tests: exit status 0" output="hello\n"`) != 1 {
		t.Errorf("%d lines:\n%s", lines, log)
	}
}

func TestAskNo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, log := keeper(t, nil)
		says := filepath.Join(t.TempDir(), "says")
		g, runs := counted(t, "exit $(cat '"+says+"')")
		other := batch.Gate{Name: "unknown"}
		step := func(status string, want Answer, wantRuns, inARow int, refused ...batch.Gate) {
			t.Helper()
			if err := os.WriteFile(says, []byte(status), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := ask(t, k, g); got != want || runs() != wantRuns {
				t.Errorf("%+v, %d runs; want %+v, %d", got, runs(), want, wantRuns)
			}
			check(t, k, inARow, refused...)
		}
		one := Answer{Why: "exit status 1"}
		step("1", one, 1, 1, g)
		step("0", one, 1, 1, g) // it stands
		ask(t, k, other)
		check(t, k, 2, g, other)
		time.Sleep(noStands - time.Nanosecond)
		step("0", one, 1, 2, g, other)
		time.Sleep(time.Nanosecond)
		check(t, k, 2)
		step("1", one, 2, 3, g)
		time.Sleep(noStands)
		notFound := Answer{Why: "exit status 127 (as shells report a command that they did not find)"}
		step("127", notFound, 3, 4, g)
		time.Sleep(noStands - time.Nanosecond)
		step("0", notFound, 3, 4, g)
		time.Sleep(time.Nanosecond)
		step("0", Answer{Yes: true, Why: "exit status 0"}, 4, 0)
		ask(t, k, other)
		check(t, k, 1, other)
		step("1", Answer{Yes: true, Why: "exit status 0"}, 4, 0, other) // from memory
		want := [][2]string{{"INFO", "exit status 1"}, {"WARN", ".shard.yml"}, {"WARN", "exit status 127"}, {"INFO", "exit status 0"}}
		got := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(got) != len(want) {
			t.Fatalf("logged\n%s", log)
		}
		for i, w := range want {
			if !strings.HasPrefix(got[i], "level="+w[0]) || !strings.Contains(got[i], w[1]) {
				t.Errorf("logged %s, want %q", got[i], w)
			}
		}
	})
}

func TestAskTimeout(t *testing.T) {
	k, log := keeper(t, func(o *Options) { o.Timeout, o.RequeueDelay = 10*time.Millisecond, time.Hour })
	g := batch.Gate{Command: "exec sleep 1000"}
	const why = "the time limit of 10ms was over (--gate-timeout)"
	if got := ask(t, k, g); got != (Answer{Why: why}) {
		t.Errorf("%+v", got)
	}
	check(t, k, 1, g)
	k, _ = keeper(t, func(o *Options) { o.Timeout, o.RequeueDelay = 10*time.Millisecond, 0 })
	for range 2 {
		ask(t, k, g)
	}
	check(t, k, 2)
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), why) {
		t.Error(log)
	}
}

func TestAskCannotStart(t *testing.T) {
	k, _ := keeper(t, nil)
	t.Setenv("PATH", "")
	g := batch.Gate{Command: "exit 0"}
	if got := ask(t, k, g); got.Yes || !strings.Contains(got.Why, `cannot start "sh"`) {
		t.Errorf("%+v", got)
	}
	check(t, k, 1, g)
}

func TestAskFlood(t *testing.T) {
	k, log := keeper(t, nil)
	got := ask(t, k, batch.Gate{Command: "echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo last; exit 1"})
	if got != (Answer{Why: "exit status 1"}) {
		t.Errorf("%+v", got)
	}
	text := log.String()
	if len(text) > 2*outputEnds+1000 || !strings.Contains(text, `output="first\nxxx`) || !strings.Contains(text, "bytes dropped") || !strings.Contains(text, `xxxlast\n"`) {
		t.Errorf("%d bytes were logged: %.100s", len(text), text)
	}
}

// A stop ends the gate, which has then said nothing.
func TestAskStopped(t *testing.T) {
	k, log := keeper(t, nil)
	ready := filepath.Join(t.TempDir(), "ready")
	if err := syscall.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	g, runs := counted(t, `: >"$READY"; exec sleep 1000`)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		if _, err := os.ReadFile(ready); err != nil {
			t.Error(err)
		}
		cancel(cause)
	}()
	for range 2 { // while it runs, and before it starts
		if got, err := k.Ask(ctx, g, []string{"READY=" + ready}); err != cause || got != (Answer{}) || runs() != 1 {
			t.Errorf("%+v, %v, %d runs", got, err, runs())
		}
	}
	check(t, k, 0)
	if log.Len() > 0 {
		t.Error(log)
	}
}

func TestNewRefusesAnEmptyCache(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error")
	}
}
