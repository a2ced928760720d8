package main

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// These tests are the table of docs/signals.md, row by row.

// A worker that is asked to stop, in whichever way, gives back at once what has not started, and lets the running test end.
func TestStop(t *testing.T) {
	for _, row := range []struct {
		name   string
		argv   func(w *world) []string
		stop   func(w *world, p *process)
		status int
	}{
		{
			"exec, SIGTERM", func(w *world) []string { return behind(`exec "$@"`, w.goWorker()) },
			func(_ *world, p *process) { p.signal(syscall.SIGTERM) }, 143,
		},
		{
			"SIGINT", func(w *world) []string { return w.goWorker() },
			func(_ *world, p *process) { p.signal(syscall.SIGINT) }, 130,
		},
		{
			"SIGHUP", func(w *world) []string { return w.goWorker() },
			func(_ *world, p *process) { p.signal(syscall.SIGHUP) }, 129,
		},
		{
			"notice", func(w *world) []string { return w.goWorker("--stop-on-file", filepath.Join(w.gate, "notice")) },
			func(w *world, _ *process) { w.touch("notice") }, 0,
		},
		{ // the status is the shell's
			"--die-with-parent, the shell in front is stopped",
			func(w *world) []string { return behind(`"$@"; exit 1`, w.goWorker("--die-with-parent")) },
			func(_ *world, p *process) { p.signal(syscall.SIGTERM) }, 143,
		},
		{
			"--die-with-parent, the shell in front is killed",
			func(w *world) []string { return behind(`"$@"; exit 1`, w.goWorker("--die-with-parent")) },
			func(_ *world, p *process) { p.signal(syscall.SIGKILL) }, 137,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := blocking(t)
			p := w.start(row.argv(w)...)
			w.blocked()
			stopped := time.Now()
			row.stop(w, p)
			w.returned("BC", stopped)
			w.touch("open")
			p.exits(row.status)
			w.left(w.tests("BCDEF"), w.tests("A")...)
		})
	}
}

// Without --die-with-parent, the worker behind a shell never learns that it should stop.
func TestShellInFront(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	p := w.start(behind(`"$@"; exit 1`, w.goWorker())...)
	w.blocked()
	p.signal(syscall.SIGTERM)
	p.exits(143)
	w.touch("open")
	w.journal("the end of the last test", func(e batch.Event) bool { return e.Type == batch.Finish && e.Test == w.tests("F")[0] })
	w.until("the done marker", func() bool {
		workers, err := w.q.Workers(w.Context())
		w.must(err)
		w.equal("workers", 1, len(workers))
		progress, err := w.q.Finish(w.Context(), nil, false)
		w.must(err)
		return progress == batch.IsDone
	})
	w.left([]string{}, w.tests("ABCDEF")...)
}

// nohup means what it always means.
func TestNohup(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	p := w.start(behind(`trap "" HUP; exec "$@"`, w.goWorker())...)
	w.blocked()
	p.signal(syscall.SIGHUP)
	p.signal(syscall.SIGTERM) // had the first one counted, this would be the second
	w.returned("BC", time.Now())
	w.touch("open")
	p.exits(143)
	w.left(w.tests("BCDEF"), w.tests("A")...)
}

// When the time is over, or somebody has no patience, the runner is ended with all that it started, however stubborn.
func TestStopAtOnce(t *testing.T) {
	for _, row := range []struct {
		name, timeout string
		twice         bool
	}{
		{"second signal", "30s", true},
		{"--stop-timeout is over", "100ms", false},
		{"--stop-timeout 0", "0", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "list")
			w.enqueue("a", "b", "c", "d")
			p := w.start(w.worker("--stop-timeout", row.timeout, "--", "sh", "testdata/stubborn.sh", w.gate)...)
			w.blocked()
			p.signal(syscall.SIGTERM)
			if row.twice {
				w.until("the first signal to be taken", func() bool {
					workers, err := w.q.Workers(w.Context())
					w.must(err)
					return workers[0].Leaving
				})
				p.signal(syscall.SIGTERM)
			}
			p.exits(143)
			if n := len(w.processes()); n > 0 {
				t.Errorf("%d processes outlive the worker", n)
			}
			w.left([]string{"a", "b", "c", "d"})
		})
	}
}

// A worker that waits for its run to be opened has nothing to give back.
func TestStopBeforeRun(t *testing.T) {
	for _, row := range []struct {
		name   string
		stop   func(w *world, p *process)
		status int
	}{
		{"SIGTERM", func(_ *world, p *process) { p.signal(syscall.SIGTERM) }, 143},
		{"notice", func(w *world, _ *process) { w.touch("notice") }, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			p := w.start(w.worker("--stop-on-file", filepath.Join(w.gate, "notice"), "--", "true")...)
			w.until("it to wait for the run", func() bool { return len(p.said()) > 0 })
			row.stop(w, p)
			p.exits(row.status)
		})
	}
}

// docker stop kills after ten seconds, whatever --stop-timeout says. What was told to Redis before is not charged.
func TestDockerStop(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	p := w.start(w.goWorker()...)
	w.blocked()
	stopped := time.Now()
	p.signal(syscall.SIGTERM)
	w.returned("BC", stopped)
	w.kill() // its ten seconds prove nothing more
	p.exits(137)
	w.gone()
	w.reap()
	d := w.dump()
	w.equal("queue", w.tests("BCDEF"), d.Queue)
	w.equal("to run alone", w.tests("A"), d.Requeue)
	if a := d.Tries[w.tests("A")[0]]; a.Claims+a.Crashes+a.Losses+a.Failures > 0 {
		t.Errorf("the running test was charged: %+v", a)
	}
}

// A worker that is killed says nothing: the running test is charged with the loss, its batch-mates are not. The runner's
// process dies with it.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	p := w.start(w.goWorker()...)
	w.blocked()
	p.signal(syscall.SIGKILL)
	p.exits(137)
	w.gone()
	w.reap()
	d := w.dump()
	w.equal("queue", w.tests("DEF"), d.Queue)
	w.equal("to run alone", w.tests("ABC"), d.Requeue)
	for _, id := range w.tests("ABC") {
		want := 0
		if id == w.tests("A")[0] {
			want = 1
		}
		if tries := d.Tries[id]; tries.Losses != want || tries.Crashes+tries.Failures > 0 {
			t.Errorf("%s, of which %d losses are expected: %+v", id, want, tries)
		}
	}
}

// What GitHub does to the entry process of a step when a job is cancelled, with its real times, and a test that heeds no
// signal: all is back before the tree is killed.
func TestGitHubCancel(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	w.env = append(w.env, "STUBBORN=1")
	p := w.start(behind(`exec "$@"`, w.goWorker("--stop-timeout", "6s"))...)
	w.blocked()
	stopped := time.Now()
	toTerminate, toKill := time.NewTimer(7500*time.Millisecond), time.NewTimer(10*time.Second)
	p.signal(syscall.SIGINT)
	w.returned("BC", stopped)
	for ended := false; !ended; {
		select {
		case <-p.ended:
			ended = true
		case <-toTerminate.C:
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
		case <-toKill.C:
			w.kill()
			t.Error("it had to be killed")
		}
	}
	t.Logf("it ended %.1f s after SIGINT", time.Since(stopped).Seconds())
	p.exits(130)
	w.left(w.tests("ABCDEF"))
}
