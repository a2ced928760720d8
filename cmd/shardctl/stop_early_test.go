package main

import (
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"testing"

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
