package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/junit"
)

// crashing is a runner that prints much, and does not survive the test "poison": its shell tells as a killed one does.
const crashing = `junit=$1; shift; echo '<testsuite name="fake">' >"$junit.part"
for test in "$@"; do
	echo "running $test"
	if [ "$test" = poison ]; then
		seq -f "line %g of much" 30000
		echo "allocating the last buffer"; echo "heap limit reached" >&2
		exit 137
	fi
	echo '<testcase classname="fake" name="'"$test"'"/>' >>"$junit.part"
done
echo '</testsuite>' >>"$junit.part"; mv "$junit.part" "$junit"`

// A verdict tells the whole history of a test whose runner died: in company, where nobody knows which of them it was, and then alone,
// with what the runner said last on both its streams, and what its status means. Nobody else is blamed.
func TestHistoryOfCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := filepath.Join(w.dir, "junit.xml")
	r := w.run("shardctl", "run", "--workers", "1", "--tests", list(t, "a", "poison", "b"), "--junit", report,
		"--", "sh", "-c", crashing, "runner", "{junit}", "{tests}").
		expect(t, 1, "FAILED: 1 of 3 tests crashed, 2 passed", "| allocating the last buffer", "| heap limit reached")
	const why = `the command ended with exit status 137 \(as shells report a command that was killed by SIGKILL, often because the machine ran out of memory\)`
	history := regexp.MustCompile(`(?m)^  1\. poison\n +was not run on local1\.\S+ in a batch of 2\n +then crashed its runner on local1\.\S+ alone: ` + why + `\n +then crashed its runner on local1\.\S+ alone: ` + why + `$`)
	if !history.MatchString(r.out) {
		t.Errorf("the history of poison is not told:\n%s", r.out)
	}
	read, err := junit.ReadFile(report)
	must(t, err)
	for _, suite := range read.Suites {
		for _, c := range suite.Cases {
			want := junit.Passed
			if c.Name == "poison" {
				want = junit.Errored
				if output := c.Details + c.Stdout + c.Stderr; !strings.Contains(output, "allocating the last buffer\nheap limit reached") || len(output) > 64<<10 {
					t.Errorf("%d bytes of output: %.200q", len(output), output)
				}
			}
			if c.Status != want {
				t.Errorf("%s: %s, want %s", c.Name, c.Status, want)
			}
		}
	}
	w.empty()
}
