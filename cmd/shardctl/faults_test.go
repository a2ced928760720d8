package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// settled expects that nothing of a finished run waits or is held by anybody.
func (c *cluster) settled() {
	c.t.Helper()
	keys, err := batch.NewKeys("r")
	must(c.t, err)
	names, err := c.rdb.Keys(c.t.Context(), "*").Result()
	must(c.t, err)
	for _, name := range names {
		if name == keys.Queue() || name == keys.Requeue() || strings.HasPrefix(name, keys.Worker("")) {
			c.t.Errorf("%s is left in Redis", name)
		}
	}
	if !slices.Contains(names, keys.Results()) {
		c.t.Errorf("no results among %q", names)
	}
}

// child waits until a process at the barrier belongs to a worker, and returns its id.
func (c *cluster) child(of *process) int {
	c.t.Helper()
	child := 0
	until(c.t, "the test runner of process "+strconv.Itoa(of.cmd.Process.Pid), func() bool {
		for _, pid := range c.barrier.blocked(c.t, 1) {
			if parent(pid) == of.cmd.Process.Pid {
				child = pid
			}
		}
		return child != 0
	})
	return child
}

var procStatus = regexp.MustCompile(`(?m)^State:\s+(\S).*$(?s:.*?)^PPid:\s+(\d+)$`)

// parent is the parent of a process, 0 if there is no such process or it has ended.
func parent(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	m := procStatus.FindSubmatch(text)
	if m == nil || string(m[1]) == "Z" {
		return 0
	}
	ppid, _ := strconv.Atoi(string(m[2]))
	return ppid
}

// TestKilledWorker kills one of three workers in the middle of its batch. Nothing is lost, and nothing is done twice.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	tests := number("block", 9)
	controller := c.start("shardctl", c.where("run", "--lease", "3s", "--expect-workers", "3", "--tests", list(t, tests...), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	var workers []*process
	for _, name := range []string{"w1", "w2", "w3"} {
		workers = append(workers, c.worker(name, "--batch-size", "3"))
	}
	c.barrier.blocked(t, 3)
	child := 0
	if runtime.GOOS == "linux" {
		child = c.child(workers[1])
	}
	workers[1].signal(syscall.SIGKILL)
	workers[1].wait().expect(t, 128+9)
	if child != 0 {
		until(t, "the end of the dead worker's test runner", func() bool { return parent(child) == 0 })
	}
	controller.says("LOST    worker w2.")
	c.barrier.open(t)
	controller.wait().expect(t, 0, "all 9 tests passed", "Workers lost: 1", "  - w2.", "its connection is closed and its beat stands still", " ran again\n")
	workers[0].wait().expect(t, 0)
	workers[2].wait().expect(t, 0)
	allPassed(t, c.report, tests...)
	c.settled()
	c.empty()
}

// TestKilledController kills the controller in mid-run. Another one of the same id and list takes the run over, and knows
// what was before.
func TestKilledController(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	tests := append(number("test", 4), number("block", 2)...)
	args := c.where("run", "--tests", list(t, tests...), "--junit", c.report, "--verbose")
	first := c.start("shardctl", args...)
	attach(t, c.rdb, "r")
	workers := []*process{c.worker("w1", "--batch-size", "1"), c.worker("w2", "--batch-size", "1")}
	c.barrier.blocked(t, 2)
	until(t, "four results", func() bool { return c.status().Results == 4 })
	first.signal(syscall.SIGKILL)
	first.wait().expect(t, 128+9)
	second := c.start("shardctl", args...)
	second.says("ok      test4 passed")
	c.barrier.open(t)
	second.wait().expect(t, 0, "all 6 tests passed", "ok      test1 passed", "ok      block1 passed")
	for _, w := range workers {
		w.wait().expect(t, 0)
	}
	allPassed(t, c.report, tests...)
	c.settled()
	c.empty()
}

// TestInterruptedRun interrupts a run on one machine: tests that run may end, the others are not begun, and what ran is told.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	for _, signals := range []int{1, 2} { // the second stops what runs
		w, g, report := newWorld(t), barrier(t.TempDir()), filepath.Join(t.TempDir(), "junit.xml")
		tests := append(number("test", 2), number("block", 4)...)
		p := w.start("shardctl", with(fake(t, "-barrier", string(g), "-junit", "{junit}", "-stdin"), "run", "--workers", "2",
			"--batch-size", "1", "--stop-timeout", "10m", "--tests", list(t, tests...), "--junit", report, "--verbose")...)
		g.blocked(t, 2)
		p.says("ok      test1 passed")
		p.says("ok      test2 passed")
		p.signal(syscall.SIGINT)
		p.says("interrupt: stopping")
		want := "2 of 6 tests"
		if signals == 2 {
			p.signal(syscall.SIGINT)
			want = "4 of 6 tests"
		} else {
			g.open(t)
		}
		p.wait().expect(t, 128+2, "INCOMPLETE", want, fmt.Sprintf("%d passed", 2*(3-signals)))
		if n := len(statuses(t, report)); n < len(tests) {
			t.Errorf("%d cases", n)
		}
		w.empty()
	}
}

// TestTerminatedWorker ends a worker by SIGTERM. The test that it runs is stopped when its time is over and runs again
// elsewhere, as if it had not been claimed.
func TestTerminatedWorker(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	tests := number("block", 3)
	controller := c.start("shardctl", c.where("run", "--tests", list(t, tests...), "--junit", c.report, "--max-losses", "1", "--max-crashes", "1")...)
	attach(t, c.rdb, "r")
	for i := range 3 {
		w := c.worker("w"+strconv.Itoa(i), "--batch-size", "3", "--stop-timeout", "100ms")
		c.barrier.blocked(t, i+1)
		w.signal(syscall.SIGTERM)
		w.wait().expect(t, 128+15, "terminated: stopping")
		if s := c.status(); s.Queued != 3 || s.Requeued != 0 || len(s.Workers) != 0 {
			t.Errorf("the tests did not go back: %+v", s)
		}
	}
	c.barrier.open(t)
	c.worker("last").wait().expect(t, 0)
	controller.wait().expect(t, 0, "all 3 tests passed")
	allPassed(t, c.report, tests...)
	c.settled()
	c.empty()
}
