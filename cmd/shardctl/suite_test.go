package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/junit"
)

// newSuite copies the module testdata/suite into a world.
func newSuite(t *testing.T, env ...string) *world {
	t.Helper()
	w := newWorld(t, env...)
	must(t, os.CopyFS(w.dir, os.DirFS("../../testdata/suite")))
	return w
}

// The suite as it is: green, and the report has every test and subtest.
func TestGoSuite(t *testing.T) {
	t.Parallel()
	w := newSuite(t)
	report := filepath.Join(t.TempDir(), "junit.xml")
	w.run("shardctl", "run", "--workers", "2", "--runner", "go", "--junit", report, "./...").
		expect(t, 0, "PASSED: 115 of 117 tests passed, 2 skipped")
	all := statuses(t, report)
	if len(all) != 192 {
		t.Errorf("%d cases, want 192", len(all))
	}
	for name, status := range all {
		if status != junit.Passed && status != junit.Skipped {
			t.Errorf("%s: %s", name, status)
		}
	}
	w.empty()
}

// list prints the tests without running or compiling any.
func TestListOfGoSuite(t *testing.T) {
	t.Parallel()
	w := newSuite(t)
	plain := w.run("shardctl", "list", "--runner", "go", "./...").expect(t, 0, "example.com/suite/trouble::TestHangs\n")
	asJSON := w.run("shardctl", "list", "--runner", "go", "--json", "-C", w.dir, "./...").expect(t, 0, `{"test":"example.com/suite/trouble::TestHangs"}`)
	if n := strings.Count(plain.out, "\n"); n != 117 || n != strings.Count(asJSON.out, "\n") {
		t.Errorf("%d tests, want 117", n)
	}
	w.run("shardctl", "list", "--runner", "go", "./trouble").expect(t, 0, "TestSumOfNothing")
	w.run("shardctl", "list", "--runner", "go", "./nothing/...").expect(t, 2, "./nothing/...", "no such file")
	w.run("shardctl", "list", "--runner", "go", "./words/testdata/...").expect(t, 2, "./words/testdata/...", "matched no packages")
	w.run("shardctl", "run", "--runner", "go", "./internal/...").expect(t, 4, "no tests", "./internal/...")
}

// The suite with everything in it that can go wrong: the run ends by itself, names each bad test and what it did, and blames
// none of the good ones beside them.
func TestGoSuiteWithBadTests(t *testing.T) {
	t.Parallel()
	w := newSuite(t, "SUITE_BAD=1")
	report := filepath.Join(t.TempDir(), "junit.xml")
	r := w.run("shardctl", "run", "--workers", "2", "--runner", "go", "--test-timeout", "2s", "--retries", "1", "--junit", report, "./...")
	r.expect(t, 1, "FAILED: 1 problem outside of the tests; 4 of 117 tests failed, 2 crashed, 2 timed out, 107 passed (1 flaky), 2 skipped",
		"example.com/suite/exitcode: exit status 3 after all tests passed", "connections still open: 3")
	const trouble = "example.com/suite/trouble::"
	bad := map[string]struct {
		status junit.Status
		says   string // as a line of the last lines says it
	}{
		"TestFails":          {junit.Failed, "Sum(40, 2) = 42, want 43"},
		"TestSubtestFails":   {junit.Failed, "failing parts: TestSubtestFails/2"},
		"TestSubtestFails/2": {junit.Failed, "Sum(2, 2) = 4, want 5"},
		"TestExits0":         {junit.Failed, "panic: unexpected call to os.Exit(0) during test"},
		"TestExitsQuietly":   {junit.Errored, "its process ended before the test did: exit status 0"},
		"TestPanics":         {junit.Failed, "panic: runtime error: index out of range [3] with length 3"},
		"TestIsKilled":       {junit.Errored, "killed by SIGKILL"},
		"TestHangs":          {junit.Errored, "had not ended when the time limit of 2s was over"},
		"TestHangsAtWork":    {junit.Errored, "waiting for the database, try 1"},
	}
	all := statuses(t, report)
	if history := regexp.MustCompile(`(?m)^     (?:was not run on local\d\.\S+ in a batch of \d+\n     then )?crashed its runner on local\d\.\S+ (?:alone|in a batch of \d+): .*SIGKILL.*\n     then crashed its runner on local\d\.\S+ alone: .*SIGKILL`); !history.MatchString(r.out) {
		t.Errorf("the history of TestIsKilled is not told:\n%s", r.out)
	}
	seen := 0
	for name, status := range all {
		short, inTrouble := strings.CutPrefix(name, trouble)
		if b, ok := bad[short]; ok && inTrouble {
			seen++
			if status != b.status {
				t.Errorf("%s: %s, want %s", name, status, b.status)
			}
			_, last, _ := strings.Cut(r.out, "\nFailed: 8\n")
			if parent, _, _ := strings.Cut(short, "/"); !strings.Contains(last, ". "+trouble+parent+"\n") || !strings.Contains(last, b.says) {
				t.Errorf("the end of the output does not say of %s: %s\n%s", parent, b.says, last)
			}
			continue
		}
		if status != junit.Passed && status != junit.Skipped && !strings.Contains(name, "[problem]") {
			t.Errorf("%s is blamed: %s", name, status)
		}
	}
	if seen != len(bad) || len(all) != 193 { // 192 and the problem
		t.Errorf("%d of %d bad tests are in the report, which has %d cases, want 193", seen, len(bad), len(all))
	}
	w.empty()
}
