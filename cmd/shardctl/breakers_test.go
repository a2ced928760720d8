package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/junit"
)

// count counts the lines of a file in the world's folder.
func (w *world) count(name string) int {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	must(w.t, err)
	return strings.Count(string(text), "\n")
}

// A command that cannot run any test ends the run after a few tests, with what it said itself.
func TestRunnerThatRunsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := filepath.Join(w.dir, "junit.xml")
	script := `echo x >>"$0"; echo "sh: jest: not found" >&2; exit 127`
	w.run("shardctl", "run", "--workers", "2", "--tests", list(t, number("test", 300)...), "--junit", report, "--", "sh", "-c", script, "log").
		expect(t, 3, "INCOMPLETE: the run was aborted", "the test runner fails before it runs a test (", " in a row, each alone): ", "exit status 127",
			": sh: jest: not found; try it by hand", "| sh: jest: not found", "was not executed by its runner on local", "300 tests not run")
	if n := w.count("log"); n > 60 { // 18 batches or so until the queue is empty, and some singles
		t.Errorf("the command was started %d times", n)
	}
	for name, status := range statuses(t, report) {
		if status == junit.Passed {
			t.Errorf("%s passed", name)
		}
	}
}

// A worker on which everything fails leaves, and another does its work.
func TestWorkerOnWhichEverythingFails(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	controller := c.start("shardctl", c.where("run", "--retries", "1", "--tests", list(t, number("test", 20)...), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	template := fake(t, "-mode", "fail", "-junit", "{junit}", "-stdin")
	c.run("shardworker", with(template, c.where("--name=bad", "--batch-size", "2", "--max-consecutive-failures", "4")...)...).
		expect(t, 3, "4 tests in a row ended badly on this worker (--max-consecutive-failures 4)", "it fails on purpose", "--worker-timeout")
	good := c.worker("good")
	controller.wait().expect(t, 0, "PASSED: all 20 tests passed (4 flaky)", "failed on bad.", "then passed on good.")
	good.wait().expect(t, 0)
	c.settled()
	c.empty()
}

// When all workers of a run on this machine leave so, the run ends at once and says why.
func TestLocalWorkersOnWhichEverythingFails(t *testing.T) {
	t.Parallel()
	template := fake(t, "-mode", "fail", "-junit", "{junit}", "-stdin")
	shardctl(t, with(template, "run", "--workers", "2", "--batch-size", "1", "--max-consecutive-failures", "2", "--tests", list(t, number("test", 20)...))...).
		expect(t, 3, "no local worker can work", "2 tests in a row ended badly on this worker")
}

// The retries of a run are bounded, and a test that gets none says so.
func TestMaxRetriesTotal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	template := fake(t, "-mode", "fail", "-log", "log", "-junit", "{junit}", "-stdin")
	w.run("shardctl", with(template, "run", "--workers", "2", "--retries", "3", "--max-retries-total", "4", "--tests", list(t, number("test", 6)...))...).
		expect(t, 1, "FAILED: all 6 tests failed", "then given up: the run has no retries left, of 4 (--max-retries-total)")
	if n := w.count("log"); n != 10 {
		t.Errorf("%d executions, want one for each of 6 tests, and 4 retries", n)
	}
}

// A failed test runs again alone, in a process of its own, on another worker while one lives; that it passes there makes it
// flaky, and the verdict tells both.
func TestRetryOnAnotherWorker(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	// The worker that runs the test first fails it, then and ever after: on a busy machine it may get it again.
	script := `grep -q flaky "$SHARD_TESTS_FILE" || exec "$@" ''
echo "$SHARD_WORKER_ID" >>"$0.workers"; echo $$ >>"$0.processes"; cat "$SHARD_TESTS_FILE" >>"$0.tests"
if [ "$(head -n 1 "$0.workers")" = "$SHARD_WORKER_ID" ]; then exec "$@" fail; fi
exec "$@" ''`
	template := append([]string{"--", "sh", "-c", script, c.file("ran")}, fake(t, "-junit", "{junit}", "-stdin", "-mode")[1:]...)
	shardctl(t, c.where("enqueue", "--retries", "9", "--tests", list(t, "warm-up"))...).expect(t, 0)
	var workers []*process
	for _, name := range []string{"w1", "w2"} {
		p := c.start("shardworker", with(template, c.where("--name="+name)...)...)
		p.says("joined")
		workers = append(workers, p)
	}
	shardctl(t, c.where("enqueue", "--seal", "--tests", list(t, "flaky"))...).expect(t, 0)
	r := shardctl(t, c.where("wait", "--junit", c.report)...).expect(t, 0, "PASSED: all 2 tests passed (1 flaky)")
	for _, p := range workers {
		p.wait().expect(t, 0)
	}
	ids, processes, tests := c.lines("ran.workers"), c.lines("ran.processes"), c.lines("ran.tests")
	first, last := ids[0], ids[len(ids)-1]
	slices.Sort(processes)
	if first == last || len(slices.Compact(processes)) != len(ids) || len(tests) != len(ids) {
		t.Errorf("workers %q, processes %q, tests %q", ids, processes, tests)
	}
	history := regexp.MustCompile(`(?s)  - flaky\n    failed on ` + first + ` alone: it fails on purpose\n.*    then passed on ` + last + ` alone\n`)
	if !history.MatchString(r.out) {
		t.Errorf("the verdict does not tell the history of the test:\n%s", r.out)
	}
	c.settled()
	c.empty()
}
