package control_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lease is short: some tests wait until it is over, several times.
const lease = 400 * time.Millisecond

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// parse gives flags values, as a command line does.
func parse(register func(*pflag.FlagSet), args ...string) error {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	register(flags)
	return flags.Parse(args)
}

// write writes a file and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func asTests(ids ...string) []batch.Test {
	tests := []batch.Test{}
	for _, id := range ids {
		tests = append(tests, batch.Test{ID: id})
	}
	return tests
}

// refused expects an error of a usage that says all of these.
func refused(t *testing.T, err error, says ...string) {
	t.Helper()
	if cli.Status(err) != cli.StatusUsage {
		t.Fatalf("it ends with status %d: %v", cli.Status(err), err)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("it does not say %q: %v", text, err)
		}
	}
}

// open opens a run, and closes its list.
func open(t *testing.T, rdb *redis.Client, ids ...string) *batch.Queue {
	t.Helper()
	options := batch.DefaultOptions()
	options.Lease = lease
	q, err := batch.Open(t.Context(), rdb, "r", "list", options)
	must(t, err)
	enqueue(t, q, ids...)
	return q
}

// enqueue puts a list into a run, and closes it.
func enqueue(t *testing.T, q *batch.Queue, ids ...string) {
	t.Helper()
	_, err := q.Enqueue(t.Context(), asTests(ids...))
	must(t, err)
	must(t, q.Seal(t.Context(), len(ids)))
}

// work runs everything that waits, with a status for each test, and leaves.
func work(t *testing.T, q *batch.Queue, status batch.Status) {
	t.Helper()
	m, _, err := q.Join(t.Context(), "w", "")
	must(t, err)
	for {
		claim, err := m.Claim(t.Context(), 1, true)
		must(t, err)
		if claim.Batch.Number == 0 {
			break
		}
		var events []batch.Event
		for _, id := range claim.Batch.IDs() {
			events = append(events, batch.Event{Type: batch.Finish, Test: id, Outcome: batch.Outcome{Status: status, Message: "on purpose"}})
		}
		_, err = m.Report(t.Context(), claim.Batch.Number, events)
		must(t, err)
		_, err = m.Settle(t.Context(), claim.Batch.Number, batch.Requeue)
		must(t, err)
	}
	must(t, m.Leave(t.Context(), "nothing left"))
}

// attending is a run that is attended.
type attending struct {
	t        *testing.T
	out, log buffer
	ended    chan error
}

// attend attends a run until it ends or the test does.
func attend(t *testing.T, a control.Attendance) *attending {
	t.Helper()
	at := &attending{t: t, ended: make(chan error, 1)}
	a.Streams, a.Log = cli.Streams{Out: &at.out, Err: &at.log}, cli.NewLog(&at.log, "test", slog.LevelInfo)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		at.ended <- a.Attend(ctx)
	}()
	return at
}

// wait waits for its end, and expects a status, and that it says all of these.
func (at *attending) wait(status int, says ...string) {
	at.t.Helper()
	select {
	case err := <-at.ended:
		text := at.out.String() + at.log.String() + fmt.Sprint(err)
		if cli.Status(err) != status {
			at.t.Errorf("status %d, want %d: %s", cli.Status(err), status, text)
		}
		for _, word := range says {
			if !strings.Contains(text, word) {
				at.t.Errorf("it does not say %q: %s", word, text)
			}
		}
	case <-time.After(30 * time.Second):
		at.t.Fatalf("it does not end:\n%s%s", &at.out, &at.log)
	}
}

// says waits until it has said something.
func (at *attending) says(text string) {
	at.t.Helper()
	until(at.t, fmt.Sprintf("it says %q", text), func() bool { return strings.Contains(at.out.String()+at.log.String(), text) })
}

// until waits for what others bring about.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
