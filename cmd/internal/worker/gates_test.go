package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
)

// openGated opens a run of tests whose list is closed. retries is how often a failed test runs again.
func openGated(t *testing.T, rdb *redis.Client, retries int, tests ...batch.Test) *fixture {
	t.Helper()
	options := batch.DefaultOptions()
	options.Lease, options.Retries = 2*time.Second, retries
	q, err := batch.Open(t.Context(), rdb, "run", "list", options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Enqueue(t.Context(), tests); err != nil {
		t.Fatal(err)
	}
	if err := q.Seal(t.Context(), len(tests)); err != nil {
		t.Fatal(err)
	}
	return &fixture{t, rdb, q}
}

// behind makes tests behind a gate.
func behind(command string, ids ...string) (tests []batch.Test) {
	for _, id := range ids {
		tests = append(tests, batch.Test{ID: id, Gate: batch.Gate{Command: command}})
	}
	return tests
}

// texts is a log for several goroutines.
type texts struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *texts) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *texts) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// gated starts a worker that trusts the text of gates and runs them with its index; what it logs goes to the second result.
func (f *fixture) gated(ctx context.Context, index int, r scripted, change func(*gate.Settings)) (wait func() error, log *texts) {
	settings := gate.DefaultSettings()
	settings.AllowText = true
	if change != nil {
		change(&settings)
	}
	ended, log := make(chan error, 1), &texts{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	go func() {
		ended <- worker.Run(ctx, ctx, f.q, r, worker.Options{
			Name: fmt.Sprintf("w%d", index), Log: logger, Index: index,
			Gates: gate.Options{Settings: settings, Log: logger, RunID: f.q.RunID(), Birth: f.q.Birth()},
		})
	}()
	return func() error { f.Helper(); return <-ended }, log
}

// claims returns the tests of each batch of a worker (its name), in the order of its claims.
func (f *fixture) claims(name string) (batches [][]string) {
	f.Helper()
	events, err := f.q.Events(context.Background(), batch.JournalStart, 1000, -1)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range events {
		if e.Type == batch.Claimed && strings.HasPrefix(e.Worker, name+".") {
			batches = append(batches, sorted(e.Tests))
		}
	}
	return batches
}

// asked returns a shell command that leaves a line in a file, and how many lines there are.
func asked(t *testing.T) (command string, lines func() int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "asked")
	return "echo >>'" + file + "'", func() int {
		text, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return strings.Count(string(text), "\n")
	}
}

// Tests behind gates come before all others, those of the gate with the longest first; and one of them asks the gate before
// any more are taken.
func TestGatedTestsComeFirst(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		mark, lines := asked(t)
		tests := []batch.Test{{ID: "free1", Seconds: 100}, {ID: "free2", Seconds: 90}}
		tests = append(tests, behind(mark+"; : short", "short1", "short2", "short3")...)
		for i, id := range []string{"long1", "long2", "long3"} {
			tests = append(tests, batch.Test{ID: id, Seconds: float64(9 - i), Gate: batch.Gate{Command: mark + "; : long"}})
		}
		f := openGated(t, rdb, 0, tests...)
		wait, log := f.gated(t.Context(), 1, passing, nil)
		f.until(ofType(batch.Done))
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		want := [][]string{{"long1"}, {"long2", "long3"}, {"short1"}, {"short2", "short3"}, {"free1"}, {"free2"}}
		if diff := cmp.Diff(want, f.claims("w1")); diff != "" {
			t.Error("batches (-want +got):\n" + diff)
		}
		if lines() != 2 || strings.Count(log.String(), "yes, this worker may run its tests") != 2 {
			t.Errorf("%d runs of gates, log:\n%s", lines(), log)
		}
		f.dump()
	})
}

// A gate that gave no answer is asked again, however often that takes. No refusal counts as a claim, so that the cap of
// claims never ends a test that waits for its worker.
func TestGateThatAnswersAtLast(t *testing.T) {
	mark, lines := asked(t)
	enough := filepath.Join(t.TempDir(), "enough")
	f := openGated(t, batchtest.Embedded(t), 0, behind(mark+"; [ -e '"+enough+"' ] || exec sleep 1000", "t1", "t2", "t3")...)
	wait, log := f.gated(t.Context(), 1, passing, func(s *gate.Settings) {
		s.Timeout, s.RequeueDelay, s.MaxNotQualified = 300*time.Millisecond, time.Millisecond, 0
	})
	refused := 0
	f.until(func(e batch.Event) bool { // the first refusal is journaled, the same one again is not
		if e.Type == batch.Settled {
			refused++
		}
		return refused == 4
	})
	if err := os.WriteFile(enough, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if lines() < 4 || strings.Count(log.String(), "--gate-timeout") != 1 || strings.Count(log.String(), "yes, this worker may run") != 1 {
		t.Errorf("%d runs of the gate, log:\n%s", lines(), log)
	}
	dump := f.dump()
	for _, id := range []string{"t1", "t2", "t3"} {
		if tries := dump.Tries[id]; dump.Results[id] != "passed" || tries.Claims != 1 || tries.Failures+tries.Crashes+tries.Losses > 0 {
			t.Errorf("%s: %s, %+v", id, dump.Results[id], tries)
		}
	}
}

// More refusals than the cap of claims allows claims.
func TestRefusalsAreNoClaims(t *testing.T) {
	f := openGated(t, batchtest.Embedded(t), 0, behind("[ $SHARD_WORKER_INDEX = 0 ]", "t")...)
	for i := range batch.DefaultOptions().MaxClaims + 2 {
		ctx, stop := context.WithCancel(t.Context())
		wait, _ := f.gated(ctx, i+1, passing, nil)
		f.until(func(e batch.Event) bool {
			return e.Type == batch.Settled && strings.HasPrefix(e.Worker, fmt.Sprintf("w%d.", i+1))
		})
		stop()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	}
	wait, _ := f.gated(t.Context(), 0, passing, nil)
	f.until(ofType(batch.Done))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if dump := f.dump(); dump.Results["t"] != "passed" || dump.Tries["t"].Claims != 1 {
		t.Errorf("%s, %+v", dump.Results["t"], dump.Tries["t"])
	}
}

// A test that failed runs again behind its gate, on a worker that qualifies.
func TestRetryKeepsItsGate(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		f := openGated(t, rdb, 1, behind("[ $SHARD_WORKER_INDEX = 2 ]", "t1", "t2", "t3")...)
		first, _ := f.gated(t.Context(), 1, func(_ context.Context, job runner.Job, _ func(...batch.Event)) error {
			t.Errorf("worker 1 was given %v", job.Batch.IDs())
			return nil
		}, nil)
		f.until(ofType(batch.Refused))
		var alone []string
		second, _ := f.gated(t.Context(), 2, func(_ context.Context, job runner.Job, emit func(...batch.Event)) error {
			status := batch.Failed
			if job.Batch.Alone {
				status, alone = batch.Passed, append(alone, job.Batch.IDs()...)
				if job.Batch.Gate.None() {
					t.Error("it lost its gate")
				}
			}
			for _, id := range job.Batch.IDs() {
				emit(start(id), finish(id, status))
			}
			return nil
		}, nil)
		f.until(ofType(batch.Done))
		if err := errors.Join(first(), second()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"t1", "t2", "t3"}, sorted(alone)); diff != "" {
			t.Error("run alone (-want +got):\n" + diff)
		}
		if got := f.claims("w1"); len(got) != 1 || len(got[0]) != 1 {
			t.Errorf("worker 1 claimed %v", got)
		}
		f.dump()
	})
}

// A stop, or an abort, ends a gate that is being asked, also one whose limit is far: the test goes back as if it had not
// been claimed.
func TestEndsDuringGate(t *testing.T) {
	for _, how := range []string{"stop", "abort"} {
		t.Run(how, func(t *testing.T) {
			mark, lines := asked(t)
			f := openGated(t, batchtest.Embedded(t), 0, behind(mark+"; exec sleep 1000", "t1", "t2", "t3")...)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			wait, log := f.gated(ctx, 1, passing, func(s *gate.Settings) { s.Timeout = time.Hour })
			f.until(ofType(batch.Claimed))
			for lines() == 0 {
				if _, err := f.q.State(t.Context()); err != nil { // takes its time
					t.Fatal(err)
				}
			}
			if how == "stop" {
				stop()
			} else if _, err := f.q.Abort(t.Context(), batch.Abortion{Why: "enough", Who: "me"}); err != nil {
				t.Fatal(err)
			}
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			dump := f.dump()
			hash := batch.Gate{Command: mark + "; exec sleep 1000"}.Hash()
			if diff := cmp.Diff([]string{"t1", "t2", "t3"}, dump.Behind[hash]["queue"]); diff != "" {
				t.Error("queue (-want +got):\n" + diff)
			}
			if len(dump.Workers) > 0 || dump.Tries["t1"].Claims != 0 || strings.Contains(log.String(), "gate ") {
				t.Errorf("workers %v, tries %v, log:\n%s", dump.Workers, dump.Tries, log)
			}
		})
	}
}

// pipelines is a hook of a client, and gets a signal after each pipeline.
type pipelines chan<- struct{}

func (p pipelines) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (p pipelines) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (p pipelines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		defer func() { p <- struct{}{} }()
		return next(ctx, cmds)
	}
}

// A worker stays as long as there is something that it may run, if only perhaps: what others hold may come back.
func TestUnqualifiedWorkerLeaves(t *testing.T) {
	tests := append(behind("exit 1", "a1", "a2"), behind("exit 2", "b1")...)
	f := openGated(t, batchtest.Embedded(t), 0, append(tests, batch.Test{ID: "free"})...)
	looked := make(chan struct{}, 100)
	f.rdb.AddHook(pipelines(looked))
	release := make(chan struct{})
	holder := f.work(t.Context(), "holder", func(ctx context.Context, job runner.Job, emit func(...batch.Event)) error {
		<-release
		return passing(ctx, job, emit)
	}, 0) // it trusts no text, so it refuses both gates
	f.until(func(e batch.Event) bool { return e.Type == batch.Claimed && e.Tests[0] == "free" })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stays, log := f.gated(ctx, 1, passing, func(s *gate.Settings) { s.MaxNotQualified = 2 })
	<-looked
	<-looked // the two pipelines of State: it knows what is left
	stop()   // had it left, then because it was not qualified
	if err := stays(); err != nil {
		t.Errorf("it left although a test is left that it may run: %v\n%s", err, log)
	}
	close(release)
	f.until(func(e batch.Event) bool { return e.Type == batch.Finish })

	leaves, _ := f.gated(t.Context(), 2, passing, func(s *gate.Settings) { s.MaxNotQualified = 2 })
	if err := leaves(); !errors.Is(err, worker.ErrUnqualified) {
		t.Errorf("error %v", err)
	}
	state, err := f.q.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range state.Gates {
		if len(g.Gone) != 1 || !strings.HasPrefix(g.Gone[0], "w2.") {
			t.Errorf("%s: gone %v", g, g.Gone)
		}
	}
	if progress, err := f.q.Finish(t.Context(), nil, true); progress != batch.IsDone || err != nil {
		t.Errorf("%s, %v", progress, err)
	}
	if err := holder(); err != nil {
		t.Error(err)
	}
	if results := f.dump().Results; results["free"] != "passed" || results["a1"] != "unroutable" || results["b1"] != "unroutable" {
		t.Errorf("results %v", results)
	}
}

// A worker that cannot read what a newer version wrote of a test says so and leaves; the test, and what it claimed with it,
// goes back uncharged.
func TestUnknownSpec(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		f := open(t, rdb, 6)
		if err := rdb.HSet(t.Context(), f.q.Keys().Tests(), "t0001", `3 {"gate":"","browser":"firefox"}`).Err(); err != nil {
			t.Fatal(err)
		}
		err := f.work(t.Context(), "old", func(_ context.Context, job runner.Job, _ func(...batch.Event)) error {
			t.Errorf("it was given %v", job.Batch.IDs())
			return nil
		}, 0)()
		if !errors.Is(err, batch.UnknownSpec) || !strings.Contains(err.Error(), `test "t0001" was enqueued by a newer version`) || !strings.Contains(err.Error(), "update this worker") {
			t.Errorf("error %v", err)
		}
		dump := f.dump()
		if diff := cmp.Diff([]string{"t0000", "t0001", "t0002", "t0003", "t0004", "t0005"}, dump.Queue); diff != "" {
			t.Error("queue (-want +got):\n" + diff)
		}
		for id, tries := range dump.Tries {
			if tries.Claims+tries.Crashes+tries.Losses+tries.Failures > 0 {
				t.Errorf("%s was charged: %+v", id, tries)
			}
		}
		if len(dump.Workers) > 0 {
			t.Errorf("workers %v", dump.Workers)
		}
	})
}

func TestGateCacheMustHoldSomething(t *testing.T) {
	f := open(t, batchtest.Embedded(t), 1)
	wait, _ := f.gated(t.Context(), 1, passing, func(s *gate.Settings) { s.CacheSize = 0 })
	if err := wait(); err == nil || !strings.Contains(err.Error(), "cache") {
		t.Errorf("error %v", err)
	}
	if workers := f.dump().Workers; len(workers) > 0 {
		t.Errorf("workers %v", workers)
	}
}
