package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/junit"
)

// A run that is stopped early ends although one of its tests never would: its runner is stopped. What did not run is
// reported as aborted, with the reason and who asked.
func TestStopsEarly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		mode   string
		flags  []string
		status int
		says   []string
	}{
		{"--fail-fast", "fail", []string{"--fail-fast"}, 1, []string{"FAILED", "aborted by " + cli.WhoAmI() + ": enough tests failed", "first a;", "2 of 3 tests not run, 1 failed"}},
		{"--max-failures", "fail", []string{"--max-failures", "1"}, 1, []string{"FAILED", "--max-failures here 1"}},
		{"--run-timeout", "", []string{"--run-timeout", "2s"}, 3, []string{"INCOMPLETE", "the run took longer than --run-timeout 2s", "2 of 3 tests not run, 1 passed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			flags := append([]string{"--workers", "2", "--batch-size", "1", "--junit", c.report, "--tests", list(t, "block1", "a", "block2")}, test.flags...)
			template := fake(t, "-mode", test.mode, "-barrier", string(c.barrier), "-junit", "{junit}", "-stdin")
			c.run("shardctl", with(template, c.where("run", flags...)...)...).expect(t, test.status, test.says...)
			red := 0
			for _, status := range statuses(t, c.report) {
				if status == junit.Errored || status == junit.Failed {
					red++
				}
			}
			if red < 2 {
				t.Errorf("%d cases of the report are red", red)
			}
			c.empty()
		})
	}
}

// It ends at once for workers anywhere, whatever they run: nobody waits until somebody looks again.
func TestStopsEarlyEverywhere(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	tests := append(number("block", 3), "bad", "never")
	controller := c.start("shardctl", c.where("run", "--fail-fast", "--expect-workers", "5", "--tests", list(t, tests...))...)
	attach(t, c.rdb, "r")
	var workers []*process
	for n := range 3 {
		workers = append(workers, c.worker(fmt.Sprint("w", n), "--batch-size", "1"))
	}
	c.barrier.blocked(t, 3)
	template := fake(t, "-mode", "fail", "-junit", "{junit}", "-stdin")
	workers = append(workers, c.start("shardworker", with(template, c.where("--name=bad", "--batch-size", "1")...)...))
	controller.wait().expect(t, 1, "FAILED", "4 of 5 tests not run, 1 failed")
	for _, w := range workers {
		w.wait().expect(t, 0)
	}
	events, err := attach(t, c.rdb, "r").Events(t.Context(), batch.JournalStart, 1000, -1)
	must(t, err)
	var failed, aborted, left time.Time // Redis's clock
	for _, e := range events {
		switch e.Type {
		case batch.Finish:
			failed = e.Time
		case batch.Aborted:
			aborted = e.Time
		case batch.Left:
			left = e.Time
		}
	}
	// On an idle machine it takes some milliseconds. A look every five seconds would be seen.
	if stopped, gone := aborted.Sub(failed), left.Sub(failed); stopped > time.Second || gone > 3*time.Second {
		t.Errorf("the run was stopped %v after the failure, the last worker left after %v", stopped, gone)
	}
	c.empty()
}
