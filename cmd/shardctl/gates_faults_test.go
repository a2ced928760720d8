package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// TestGatesThatCannotAnswer: of each the worker says what is wrong with it, keeps at bay what it prints, and lives on.
func TestGatesThatCannotAnswer(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	gates := []struct{ test, gate, why string }{
		{"hangs", "sleep 1000 & echo $! >'" + c.file("child") + "'; trap '' TERM; wait; wait; sleep 1000", "the time limit of 400ms was over (--gate-timeout)"},
		{"floods-for-ever", "yes flood", "the time limit of 400ms was over (--gate-timeout)"},
		{"floods", "echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo last; exit 1", "exit status 1"},
		{"is-not-there", "no-such-gate-here --really", "exit status 127"},
		{"may-not-run", "/dev/null", "exit status 126"},
		{"is-killed", "kill -9 $$", "SIGKILL"},
		{"leaves-somebody", "sleep 1000 & echo $! >'" + c.file("left") + "'; exit 1", "exit status 1"},
	}
	var lines []string
	for _, g := range gates {
		lines = append(lines, fmt.Sprintf(`{"test":%q,"gate":%q}`, g.test, g.gate))
	}
	lines = append(lines, `{"test":"good","gate":"exit 0"}`, "free")
	shardctl(t, c.where("enqueue", "--seal", "--tests", list(t, lines...))...).expect(t, 0)
	// How long an answer of a gate stands that gave none does not matter here; that it is not asked again does.
	w := c.numbered(1, "--gate-timeout", "400ms", "--gate-requeue-delay", "1h")
	r := shardctl(t, c.where("wait", "--gate-grace", "0s", "--junit", c.report)...).
		expect(t, 3, "INCOMPLETE", "7 of 9 tests unroutable, 2 passed", "the time limit of 400ms was over", "exit status 127", "killed by SIGKILL")
	log := w.wait().expect(t, 0, "the run is over").err
	for _, g := range gates {
		line := ""
		for l := range strings.Lines(log) {
			if strings.Contains(l, "gate \""+g.gate[:8]) && strings.Contains(l, g.why) {
				line += l
			}
		}
		if strings.Count(line, "\n") != 1 {
			t.Errorf("of the gate that %s the log does not say once %q:\n%.500s", g.test, g.why, line)
		}
		if !strings.Contains(r.out, g.test) {
			t.Errorf("the verdict does not name %s", g.test)
		}
	}
	if len(log) > 20<<10 || !strings.Contains(log, "output=first xxx") || !strings.Contains(log, "xxxlast") {
		t.Errorf("%d bytes are logged: %.3000s", len(log), log)
	}
	for _, name := range []string{"child", "left"} {
		c.gone(name)
	}
	c.settled()
	c.empty()
}

// gone expects that the process whose id is in a file is no more.
func (c *cluster) gone(name string) {
	c.t.Helper()
	pid, err := strconv.Atoi(strings.Join(c.lines(name), ""))
	must(c.t, err)
	if runtime.GOOS == "linux" && parent(pid) != 0 {
		c.t.Errorf("process %d of file %s is alive", pid, name)
	}
}

// TestGateThatCannotStart: without a shell there are no gates.
func TestGateThatCannotStart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shardctl(t, c.where("enqueue", "--seal", "--gate", "gpu=exit 0", "--tests", list(t, "gpu", "free"))...).expect(t, 0)
	w := c.in("PATH="+t.TempDir()).numbered(1, "--gate-requeue-delay", "1h")
	shardctl(t, c.where("wait", "--gate-grace", "0s")...).expect(t, 3, "1 test is behind gate \"exit 0\"", "cannot start", "1 passed")
	w.wait().expect(t, 0, `cannot start "sh"`)
	c.empty()
}

// TestGateChangesItsMind: a no that expired is asked again, and then a yes counts. A refusal that stands does not end the
// run while it is young enough.
func TestGateChangesItsMind(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	gate := "echo asked >>'" + c.file("asked") + "'; [ -e '" + c.file("ready") + "' ] || exec sleep 1000"
	controller := c.start("shardctl", c.where("run", "--gate", "gpu*="+gate, "--tests", list(t, "free", "gpu1", "gpu2"), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	w := c.numbered(1, "--gate-timeout", "200ms", "--gate-requeue-delay", "1ms")
	until(t, "a gate that is asked for the fourth time", func() bool { return len(c.lines("asked")) >= 4 })
	if s := c.status(); s.Results != 1 || len(s.Gates[0].Refused) != 1 {
		t.Errorf("status %+v", s)
	}
	write(t, c.dir, "ready", "")
	controller.wait().expect(t, 0, "all 3 tests passed", "may not run what is behind gate", "may run what is behind gate \"echo asked")
	log := w.wait().expect(t, 0, "yes, this worker may run its tests: exit status 0").err
	if strings.Count(log, "the time limit of 200ms was over") != 1 {
		t.Errorf("the same answer is not logged once:\n%s", log)
	}
	allPassed(t, c.report, "free", "gpu1", "gpu2")
	c.uncharged("free", "gpu1", "gpu2")
	c.settled()
	c.empty()
}

// TestIdleWorkerAsksAgainInTime: a worker that has nothing else to do asks again as soon as the no ends, so that its gate
// passes within the grace.
func TestIdleWorkerAsksAgainInTime(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	gate := "echo asked >>'" + c.file("asked") + "'; [ $(wc -l <'" + c.file("asked") + "') -gt 1 ] || exec sleep 1000"
	controller := c.start("shardctl", c.where("run", "--gate-cmd", gate, "--gate-grace", "3s", "--tests", list(t, "a", "b"), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	w := c.numbered(1, "--gate-timeout", "200ms", "--gate-requeue-delay", "300ms")
	controller.wait().expect(t, 0, "all 2 tests passed")
	w.wait().expect(t, 0)
	c.empty()
}

// TestKilledQualifiedWorker kills the only worker that qualifies while it runs a gated test. The others refused; the run
// waits for a replacement, and without one says which gate it takes.
func TestKilledQualifiedWorker(t *testing.T) {
	t.Parallel()
	for _, replaced := range []bool{true, false} {
		t.Run(fmt.Sprintf("replaced %t", replaced), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			tests, grace := []string{"block1", "block2", "block3", "a", "b"}, "1s"
			if replaced {
				grace = "10m"
			}
			controller := c.start("shardctl", c.where("run", "--lease", "1s", "--gate-grace", grace, "--gate", "block*="+only(2),
				"--tests", list(t, tests...), "--junit", c.report)...)
			attach(t, c.rdb, "r")
			w1, w3 := c.numbered(1), c.numbered(3)
			w1.says("no, its tests are left to other workers")
			w3.says("no, its tests are left to other workers")
			w2 := c.numbered(2)
			c.barrier.blocked(t, 1)
			w2.signal(syscall.SIGKILL)
			w2.wait().expect(t, 128+9)
			controller.says("LOST    worker w2.")
			if replaced {
				w4 := c.worker("w4", "--index", "2", "--allow-gate-text")
				c.barrier.blocked(t, 2)
				c.barrier.open(t)
				controller.wait().expect(t, 0, "all 5 tests passed", "Workers lost: 1")
				w4.wait().expect(t, 0)
				allPassed(t, c.report, tests...)
				if tries := c.dump().Tries["block1"]; tries.Claims != 2 || tries.Losses > 1 {
					t.Errorf("block1: %+v", tries)
				}
			} else {
				controller.wait().expect(t, 3, "INCOMPLETE", `3 tests are behind gate "`+only(2)+`", for which no live worker qualified`,
					"passed by w2.", "(no longer here)", "refused by w1.", ", w3.", "2 passed")
				c.unroutable(only(2), []string{"a", "b"}, "block1", "block2", "block3")
			}
			for _, w := range []*process{w1, w3} {
				w.wait().expect(t, 0)
			}
			for _, refused := range []string{"w1", "w3"} {
				gated := 0
				for _, tests := range c.claims(refused) {
					if strings.HasPrefix(tests[0], "block") {
						gated += len(tests)
					}
				}
				if gated != 1 {
					t.Errorf("%s claimed %q", refused, c.claims(refused))
				}
			}
			c.settled()
			c.empty()
		})
	}
}

// TestAbortDuringGate: nobody waits for the answer of a gate that hangs, or leaves it running.
func TestAbortDuringGate(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	controller := c.start("shardctl", c.where("run", "--gate-cmd", "echo >'"+c.file("asked")+"' x; sleep 1000", "--tests", list(t, "a", "b"))...)
	attach(t, c.rdb, "r")
	w := c.numbered(1, "--gate-timeout", "10m")
	c.appears("asked")
	shardctl(t, c.where("abort", "--reason", "wrong branch")...).expect(t, 0, "run r: aborted")
	w.wait().expect(t, 0, "the run is over")
	controller.wait().expect(t, 3, "INCOMPLETE", "wrong branch")
	c.empty()
}

// TestStoppedDuringGate: a worker that ends while it asks a gate, in whatever way, gives the test back as if it had not had
// it. Nothing says that the gate refused.
func TestStoppedDuringGate(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			gate := "[ $SHARD_WORKER_INDEX = 2 ] && exit 0; echo x >'" + c.file("asked") + "'; exec sleep 1000"
			controller := c.start("shardctl", c.where("run", "--lease", "1s", "--max-losses", "1", "--max-crashes", "1", "--gate", "gpu*="+gate,
				"--tests", list(t, "gpu1", "gpu2", "a"), "--junit", c.report)...)
			attach(t, c.rdb, "r")
			w := c.numbered(1, "--gate-timeout", "10m", "--stop-timeout", "10m")
			c.appears("asked")
			w.signal(signal)
			w.wait().expect(t, 128+int(signal))
			claims := 0
			if signal == syscall.SIGKILL {
				controller.says("LOST    worker w1.")
				claims = 1 // nobody knows better
			}
			d := c.dump()
			if tries := d.Tries["gpu1"]; tries.Claims != claims || tries.Losses+tries.Crashes > 0 || len(d.Workers) > 0 {
				t.Errorf("gpu1: %+v, workers %v", tries, d.Workers)
			}
			for _, g := range c.status().Gates {
				if g.Queued+g.Requeued != 2 || len(g.Refused)+len(g.Passed) > 0 {
					t.Errorf("gate %+v", g)
				}
			}
			c.numbered(2).wait().expect(t, 0)
			controller.wait().expect(t, 0, "all 3 tests passed")
			allPassed(t, c.report, "gpu1", "gpu2", "a")
			c.settled()
			c.empty()
		})
	}
}

// TestManyGatesAndWorkers: several gates, each of which another worker passes, with a worker that passes none: all tests run
// on the worker of their gate, and nowhere else.
func TestManyGatesAndWorkers(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var tests, flags []string
	for i := range 3 {
		tests = append(tests, number("gate"+strconv.Itoa(i+1)+"-", 6)...)
		flags = append(flags, "--gate", fmt.Sprintf("gate%d-*=%s", i+1, only(i+1)))
	}
	tests = append(tests, number("free", 6)...)
	flags = append(flags, "--expect-workers", "4", "--tests", list(t, tests...), "--junit", c.report)
	controller := c.start("shardctl", c.where("run", flags...)...)
	attach(t, c.rdb, "r")
	var workers []*process
	for i := range 4 {
		workers = append(workers, c.startWorker("w"+strconv.Itoa(i+1), "--index", strconv.Itoa(i+1), "--allow-gate-text"))
	}
	controller.wait().expect(t, 0, "all 24 tests passed")
	for _, w := range workers {
		w.wait().expect(t, 0)
	}
	allPassed(t, c.report, tests...)
	c.uncharged(tests...)
	events, err := attach(t, c.rdb, "r").Events(t.Context(), batch.JournalStart, 10000, -1)
	must(t, err)
	gateNumber := regexp.MustCompile(`^gate(\d)-`)
	for _, e := range events {
		if m := gateNumber.FindStringSubmatch(e.Test); e.Type == batch.Finish && m != nil && !strings.HasPrefix(e.Worker, "w"+m[1]+".") {
			t.Errorf("%s ran on %s", e.Test, e.Worker)
		}
	}
	for i := range 4 {
		for gate := range 3 {
			asked := 0
			for _, claimed := range c.claims("w" + strconv.Itoa(i+1)) {
				if strings.HasPrefix(claimed[0], fmt.Sprintf("gate%d-", gate+1)) {
					asked += len(claimed)
				}
			}
			if i != gate && asked > 1 {
				t.Errorf("worker %d claimed %d tests behind gate %d", i+1, asked, gate+1)
			}
		}
	}
	c.settled()
	c.empty()
}
