package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

// cluster is a run of several processes on a Redis server of its own.
type cluster struct {
	*world
	rdb     *redis.Client
	barrier barrier
	report  string
}

func newCluster(t *testing.T) *cluster {
	w := newWorld(t)
	return &cluster{world: w, rdb: batchtest.Real(t), barrier: barrier(t.TempDir()), report: filepath.Join(t.TempDir(), "junit.xml")}
}

// where is a command with the flags that say which run.
func (c *cluster) where(command string, args ...string) []string {
	return append([]string{command, "--redis-url", "redis://" + c.rdb.Options().Addr, "--run-id", "r"}, args...)
}

// worker starts a shardworker with the fake runner, and waits until it has joined.
func (c *cluster) worker(name string, args ...string) *process {
	c.t.Helper()
	p := c.startWorker(name, args...)
	p.says("joined")
	return p
}

func (c *cluster) startWorker(name string, args ...string) *process {
	c.t.Helper()
	args = append(c.where("--name="+name), args...)
	return c.start("shardworker", with(fake(c.t, "-barrier", string(c.barrier), "-junit", "{junit}", "-stdin"), args...)...)
}

func (c *cluster) status() statusJSON {
	c.t.Helper()
	var s statusJSON
	must(c.t, json.Unmarshal([]byte(shardctl(c.t, c.where("status", "--json")...).expect(c.t, 0).out), &s))
	return s
}

// TestStreaming enqueues a list bit by bit while workers already run it, and follows it with status.
func TestStreaming(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	wait := c.start("shardctl", c.where("wait", "--wait", "1m", "--lease-is-no-flag-of-wait")...)
	wait.wait().expect(t, 2, "unknown flag")
	wait = c.start("shardctl", c.where("wait", "--wait", "1m", "--junit", c.report)...)
	wait.says("is not open yet, waiting up to 1m0s")
	shardctl(t, c.where("status")...).expect(t, 3, "Redis holds no run of this id")

	shardctl(t, c.where("enqueue", "--tests", list(t, "a", "block1"))...).expect(t, 0, "run r: 2 tests given, 2 in the list")
	shardctl(t, c.where("status")...).expect(t, 0, "run r: the list is open", "tests: 2, with a result: 0, queued: 2", "no worker is here")
	w1, w2 := c.worker("w1", "--batch-size", "1"), c.worker("w2", "--batch-size", "1")
	c.barrier.blocked(t, 1)
	until(t, "the first result", func() bool { return c.status().Results == 1 })
	until(t, "the worker that ran it to be idle", func() bool { return strings.Contains(shardctl(t, c.where("status")...).out, "idle") })
	shardctl(t, c.where("status")...).expect(t, 0, "the list is open", "with a result: 1, queued: 0, to run alone: 0, held by workers: 1",
		"worker w1.", "worker w2.", "running block1", "idle", "process ")

	call{stdin: "b\nblock1\nc\n"}.run(t, c.where("enqueue", "--tests", "-", "--seal")...).
		expect(t, 0, "run r: 3 tests given, 4 in the list", "the list is closed with 4 tests")
	until(t, "three results", func() bool { return c.status().Results == 3 })
	s := c.status()
	if s.Run != "r" || !s.Sealed || s.Done || s.Tests != 4 || len(s.Workers) != 2 {
		t.Errorf("status %+v", s)
	}
	for _, w := range s.Workers {
		if blocked := len(w.Running) == 1 && w.Running[0] == "block1" && w.Held == 1; !blocked && (len(w.Running) != 0 || w.Finished != 3 && w.Finished != 2) {
			t.Errorf("worker %+v", w)
		}
	}
	shardctl(t, c.where("enqueue", "--tests", list(t, "late"))...).expect(t, 2, `the list of run "r" is sealed`, "late")
	shardctl(t, c.where("clean")...).expect(t, 2, "is under way (3 of 4 tests have a result, 2 workers)", "--force")

	c.barrier.open(t)
	w1.wait().expect(t, 0, "the run is over")
	w2.wait().expect(t, 0, "the run is over")
	wait.wait().expect(t, 0, "all 4 tests passed")
	allPassed(t, c.report, "a", "b", "c", "block1")
	shardctl(t, c.where("status")...).expect(t, 0, "run r: done", "tests: 4, with a result: 4, queued: 0")
	if s := c.status(); !s.Done || len(s.Workers) != 0 || s.Results != 4 {
		t.Errorf("status %+v", s)
	}
	shardctl(t, c.where("clean")...).expect(t, 0, "keys deleted")
	c.empty()
}

// TestAbort stops a run while its workers are at work.
func TestAbort(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	controller := c.start("shardctl", c.where("run", "--tests", list(t, "a", "block1", "block2", "block3"), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	w1, w2 := c.worker("w1", "--batch-size", "1"), c.worker("w2", "--batch-size", "1")
	c.barrier.blocked(t, 2)
	began := time.Now()
	shardctl(t, c.where("abort", "--reason", "it costs too much")...).expect(t, 0, "run r: aborted")
	w1.wait().expect(t, 0)
	w2.wait().expect(t, 0)
	t.Logf("the workers ended %v after the abort began", time.Since(began))
	controller.wait().expect(t, 3, "INCOMPLETE", "aborted", cli.WhoAmI(), "it costs too much")
	shardctl(t, c.where("status")...).expect(t, 0, "aborted by "+cli.WhoAmI()+": it costs too much")
	if s := c.status(); !s.Aborted || s.AbortBy != cli.WhoAmI() || s.AbortReason != "it costs too much" {
		t.Errorf("status %+v", s)
	}
	c.empty()
	c.startWorker("late").wait().expect(t, 0, "the run is over")
}

// TestCleanByForce deletes a run under its workers: they and the controller notice, and nobody is green.
func TestCleanByForce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	controller := c.start("shardctl", c.where("run", "--lease", "1s", "--tests", list(t, "a", "block1"))...)
	attach(t, c.rdb, "r")
	w := c.worker("w1")
	c.barrier.blocked(t, 1)
	shardctl(t, c.where("clean", "--force")...).expect(t, 0, "keys deleted")
	controller.wait().expect(t, 3, "INCOMPLETE")
	w.wait().expect(t, 0, "the run is over")
	keys, err := c.rdb.Keys(t.Context(), "*").Result()
	must(t, err)
	if len(keys) > 0 {
		t.Errorf("left: %s", strings.Join(keys, " "))
	}
	c.empty()
}
