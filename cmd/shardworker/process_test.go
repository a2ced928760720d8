package main

import (
	"context"
	"crypto/rand"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/recovery"
)

const (
	// workerWord as the first argument makes a shardworker of this test binary.
	workerWord = "@shardworker"
	// patience is how long a test waits for what must happen. It is long: the machine may be busy.
	patience = 90 * time.Second
	// runID of the one run that each server of these tests has.
	runID = "run"
)

func init() {
	if len(os.Args) > 1 && os.Args[1] == workerWord {
		os.Args = os.Args[1:]
		go main() // in a goroutine like any other: init holds its thread
		select {}
	}
}

// world is a real server with one run, and real processes that work for it. They, and all that they start, carry a mark in
// their environment, and end with the test.
type world struct {
	*testing.T
	rdb *redis.Client
	url string
	q   *batch.Queue
	// gate is the folder GATE of testdata/blocking.
	gate string
	mark string
	env  []string
}

// newWorld opens a run without tests. Its lease is short; only what reaps looks at it.
func newWorld(t *testing.T, manifest string) *world {
	t.Helper()
	addr := batchtest.StartReal(t).Addr
	w := &world{
		T: t, url: "redis://" + addr, rdb: redis.NewClient(&redis.Options{Addr: addr}), gate: t.TempDir(),
		mark: "SHARDWORKER_TEST_MARK=" + rand.Text(),
	}
	t.Cleanup(func() { _ = w.rdb.Close() })
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "SHARD_") {
			w.env = append(w.env, variable)
		}
	}
	w.env = append(w.env, "TMPDIR="+t.TempDir(), "GOWORK=off", "SHARD_TIMINGS=off", "GATE="+w.gate, w.mark)
	t.Cleanup(func() {
		w.kill()
		w.gone()
	})
	if manifest == "" {
		return w
	}
	options := batch.DefaultOptions()
	options.Lease = 2 * time.Second
	options.ExpectWorkers = 1 // so that a first claim takes half of what it finds
	var err error
	w.q, err = batch.Open(t.Context(), w.rdb, runID, manifest, options)
	w.must(err)
	return w
}

// blocking is newWorld with the tests of testdata/blocking, in the order of the package. A worker that is alone takes the
// first three.
func blocking(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "list")
	w.enqueue(w.tests("ABCDEF")...)
	w.must(w.q.Seal(t.Context(), 6))
	return w
}

// tests are the ids of tests of testdata/blocking: "AC" for TestA and TestC.
func (w *world) tests(letters string) (ids []string) {
	for _, letter := range letters {
		ids = append(ids, "example.com/blocking::Test"+string(letter))
	}
	return ids
}

func (w *world) enqueue(ids ...string) {
	w.Helper()
	tests := make([]batch.Test, len(ids))
	for i, id := range ids {
		tests[i].ID = id
	}
	_, err := w.q.Enqueue(w.Context(), tests)
	w.must(err)
}

// worker is the command line of a worker.
func (w *world) worker(flags ...string) []string {
	self, err := os.Executable()
	w.must(err)
	return append([]string{self, workerWord, "--redis-url", w.url, "--run-id", runID}, flags...)
}

// goWorker is the command line of a worker that runs testdata/blocking.
func (w *world) goWorker(flags ...string) []string {
	return append(w.worker(flags...), "--dir", filepath.Join("testdata", "blocking"), "--runner", "go", "--", "-vet=off")
}

// behind puts a shell in front of a command, as CI systems do. The script runs it as "$@".
func behind(script string, argv []string) []string {
	return append([]string{"sh", "-c", script, "sh"}, argv...)
}

// process is the entry process of a command.
type process struct {
	w     *world
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// start starts a command in a process group of its own.
func (w *world) start(argv ...string) *process {
	w.Helper()
	return w.startAs(&syscall.SysProcAttr{Setpgid: true}, nil, argv...)
}

// startAs starts a command. With a terminal, that is all it has; otherwise it prints into a file.
func (w *world) startAs(attr *syscall.SysProcAttr, terminal *os.File, argv ...string) *process {
	w.Helper()
	p := &process{w: w, cmd: exec.Command(argv[0], argv[1:]...), log: filepath.Join(w.TempDir(), "log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	w.must(err)
	defer log.Close()
	p.cmd.Env, p.cmd.SysProcAttr, p.cmd.Stdout, p.cmd.Stderr = w.env, attr, log, log
	if terminal != nil {
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = terminal, terminal, terminal
	}
	w.must(p.cmd.Start())
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	w.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if w.Failed() {
			w.Logf("%q printed:\n%s", argv, p.said())
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) { p.w.Helper(); p.w.must(p.cmd.Process.Signal(s)) }

// said is what the command has printed so far.
func (p *process) said() string {
	text, _ := os.ReadFile(p.log)
	return string(text)
}

// exits waits for the end of the process, whose status must be as a shell would have it: 128 and the signal that killed it.
func (p *process) exits(status int) {
	p.w.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.w.Fatal("it does not end")
	}
	got := p.cmd.ProcessState.ExitCode()
	if how := p.cmd.ProcessState.Sys().(syscall.WaitStatus); how.Signaled() {
		got = 128 + int(how.Signal())
	}
	if got != status {
		p.w.Errorf("exit status %d, want %d", got, status)
	}
}

// processes are the live processes of the world, as /proc has them.
func (w *world) processes() (pids []int) {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		env, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(env), "\x00"), w.mark) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill kills all processes of the world, as the end of a machine does.
func (w *world) kill() {
	for _, pid := range w.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// gone waits until no process of the world is left.
func (w *world) gone() {
	w.Helper()
	w.until("the end of all processes", func() bool { return len(w.processes()) == 0 })
}

// touch makes a file in the gate's folder, and returns its path.
func (w *world) touch(name string) string {
	w.Helper()
	path := filepath.Join(w.gate, name)
	w.must(os.WriteFile(path, nil, 0o600))
	return path
}

// blocked waits until the first test runs, and Redis knows.
func (w *world) blocked() {
	w.Helper()
	w.until("the file of the running test", func() bool {
		_, err := os.Stat(filepath.Join(w.gate, "running"))
		return err == nil
	})
	w.journal("the start of a test", func(e batch.Event) bool { return e.Type == batch.Start })
}

// returned waits until a worker that is being stopped has given back tests that it had not begun. What it still runs
// cannot have ended, as nobody opened the gate.
func (w *world) returned(letters string, signalled time.Time) {
	w.Helper()
	e := w.journal("tests that go back", func(e batch.Event) bool { return e.Type == batch.Returned })
	w.Logf("%d tests went back %.1f ms after the stop", len(e.Tests), float64(time.Since(signalled).Microseconds())/1000)
	slices.Sort(e.Tests)
	w.equal("given back", w.tests(letters), e.Tests)
}

// journal waits until an event of the run pleases.
func (w *world) journal(what string, pleases func(batch.Event) bool) (found batch.Event) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	for cursor := batch.JournalStart; ; {
		events, err := w.q.Events(ctx, cursor, 1000, 100*time.Millisecond)
		if err != nil {
			w.Fatalf("waiting for %s: %v", what, err)
		}
		for _, e := range events {
			if cursor = e.ID; pleases(e) {
				return e
			}
		}
	}
}

// reap supervises the run until a worker that vanished has been taken out.
func (w *world) reap() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	reaped := false
	controller := recovery.Controller{Queue: w.q, Lease: w.q.Options().Lease, Observe: func(events []batch.Event) {
		for _, e := range events {
			if e.Type == batch.Reaped {
				reaped = true
				cancel()
			}
		}
	}}
	if _, err := controller.Supervise(ctx); !reaped {
		w.Fatal("the worker was not taken out: ", err)
	}
}

// dump reads what Redis holds of the run, once all processes have ended. Nobody may have been charged.
func (w *world) dump() batchtest.Dump {
	w.Helper()
	w.gone()
	d, err := batchtest.Read(w.Context(), w.rdb, w.q.Keys())
	w.must(err)
	w.must(d.Check())
	w.equal("workers that are left", 0, len(d.Workers)+len(d.Sets))
	return d
}

// left expects the run to be as it was, without those of its tests that have passed.
func (w *world) left(queue []string, passed ...string) {
	w.Helper()
	d := w.dump()
	w.equal("queue", queue, d.Queue)
	w.equal("to run alone", []string{}, d.Requeue)
	w.equal("results", passed, slices.Sorted(maps.Keys(d.Results)))
	for id, tries := range d.Tries {
		if tries.Claims != len(d.Results[id])/len("passed") || tries.Crashes+tries.Losses+tries.Failures > 0 {
			w.Errorf("%s (%q) was charged: %+v", id, d.Results[id], tries)
		}
	}
}

func (w *world) until(what string, condition func() bool) {
	w.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) equal(what string, want, got any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
