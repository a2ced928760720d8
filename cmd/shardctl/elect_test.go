package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// elect starts shardworkers that take part in the election, named w1, w2, …, with the flags of the list.
func (c *cluster) elect(n int, flags ...string) map[string]*process {
	c.t.Helper()
	workers := map[string]*process{}
	for i := range n {
		name := fmt.Sprintf("w%d", i+1)
		workers[name] = c.startWorker(name, append([]string{"--elect", "--lease", "1s"}, flags...)...)
	}
	return workers
}

// leader waits until somebody leads who is not among others, and returns the name of its worker.
func (c *cluster) leader(others ...string) string {
	c.t.Helper()
	keys, err := batch.NewKeys("r")
	must(c.t, err)
	var name string
	until(c.t, "a leader", func() bool {
		owner, _ := c.rdb.HGet(c.t.Context(), keys.Leader(), "owner").Result()
		name, _, _ = strings.Cut(owner, ".")
		for _, other := range others {
			if name == other {
				return false
			}
		}
		return name != ""
	})
	return name
}

// The leader is killed while tests run: another takes over, and both that are left tell the verdict of the whole run.
func TestElectionAfterKill(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	workers := c.elect(3, "--tests", list(t, append(number("t", 20), "block1")...), "--batch-size", "3")
	leader := c.leader()
	c.barrier.blocked(t, 1)
	workers[leader].signal(syscall.SIGKILL)
	workers[leader].wait()
	c.leader(leader)
	c.barrier.open(t)
	for name, w := range workers {
		if name != leader {
			w.wait().expect(t, 0, "PASSED: all 21 tests passed")
		}
	}
	c.settled()
	c.empty()
}

// The leader is killed before the list is in Redis, or while a part of it is.
func TestElectionBeforeTheList(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	// The first that lists waits for ever, whoever comes later does not.
	first := filepath.Join(t.TempDir(), "first")
	command := fmt.Sprintf("if mkdir %s; then exec sleep 1000; fi; echo a; echo b", first)
	workers := c.elect(2, "--list-command", command)
	leader := c.leader()
	until(t, "the list command has begun", func() bool { _, err := os.Stat(first); return err == nil })
	workers[leader].signal(syscall.SIGKILL)
	workers[leader].wait()
	delete(workers, leader)
	for _, w := range workers {
		w.wait().expect(t, 0, "PASSED: all 2 tests passed")
	}
}

// A leader that is stopped hands over at once; the run goes on without it.
func TestElectionAfterStop(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	workers := c.elect(2, "--tests", list(t, "a", "block1"), "--lease", "1m", "--stop-timeout", "0s")
	leader := c.leader()
	c.barrier.blocked(t, 1)
	workers[leader].signal(syscall.SIGTERM)
	if r := workers[leader].wait().expect(t, 143); strings.Contains(r.out, "INCOMPLETE") {
		t.Errorf("it told a verdict of a run that goes on:\n%s", r.out)
	}
	next := c.leader(leader)
	c.barrier.open(t)
	workers[next].wait().expect(t, 0, "PASSED: all 2 tests passed")
	c.empty()
}

// Every worker exits with the verdict, also one that comes when the run is over.
func TestElectionVerdict(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	flags := c.where("--elect", "--tests", list(t, "a", "b"))
	failing := fake(t, "-mode", "fail", "-junit", "{junit}", "-stdin")
	one, two := c.start("shardworker", with(failing, flags...)...), c.start("shardworker", with(failing, flags...)...)
	one.wait().expect(t, 1, "FAILED: all 2 tests failed")
	two.wait().expect(t, 1, "FAILED: all 2 tests failed")
	c.run("shardworker", with(failing, flags...)...).expect(t, 1, "FAILED: all 2 tests failed")
}

func TestElectionWithoutTests(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.startWorker("w1", "--elect").wait().expect(t, 2, "which tests?")
	c.startWorker("w1", "--elect", "--tests", list(t)).wait().expect(t, 4, "no tests")
	c.startWorker("w1", "--elect", "--tests", list(t), "--allow-empty").wait().expect(t, 0, "no tests")
	c.startWorker("w1", "--tests", list(t, "a")).wait().expect(t, 2, "--tests is for a worker that may become the leader")
}

// A notice ends a worker as its duty allows, but nobody may be left who tells the verdict: that is never green.
func TestElectionAfterNotice(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	notice := filepath.Join(t.TempDir(), "notice")
	w := c.startWorker("w1", "--elect", "--tests", list(t, "a", "block1"), "--stop-timeout", "0s", "--stop-on-file", notice)
	c.barrier.blocked(t, 1)
	must(t, os.WriteFile(notice, nil, 0o644))
	w.wait().expect(t, 3, "notice")
}

// A verdict is that of the list that was asked for: a run of another list is another run, also when it is over.
func TestElectionOfAnotherList(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.startWorker("w1", "--elect", "--tests", list(t, "a")).wait().expect(t, 0, "PASSED")
	shardctl(t, with(fake(t, "-junit", "{junit}", "-stdin"), c.where("run", "--tests", list(t, "b"))...)...).expect(t, 2, "another list")
}
