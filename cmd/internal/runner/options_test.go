package runner

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/runner/runnertest"
)

// hollow are, by project of testdata/runners, a unit that fails, and options with which its runner ends well without having run
// it: they list, print something, or go through the motions.
var hollow = map[string]struct {
	unit    string
	options []string // each several words
}{
	"bats":        {"test/fails.bats", []string{"--count", "-c", "--help", "--version"}},
	"cargo":       {"cargo-project::tests::fails", []string{"-- --list", "--no-run", "--help", "-- --help", "-- --ignored", "-- --bench", "-- --skip fails", "--doc"}},
	"ctest":       {"fails", []string{"-N", "--show-only", "--show-only=json-v1", "--print-labels", "--help", "--version", "-E fails", "-LE ."}},
	"cucumber":    {"features/results.feature:3", []string{"--dry-run", "-d", "--init", "--help", "--version", "--i18n-languages"}},
	"cucumber-js": {"features/hooks.feature:8", []string{"--dry-run", "-d", "--help", "--version", "--i18n-languages", "--exit --dry-run"}},
	"gtest":       {"build/tests::Basic.Fails", []string{"--gtest_list_tests", "--help", "--gtest_repeat=0", "--gtest_filter=-*", "--gtest_break_on_failure=0 --gtest_list_tests=1"}},
	"jest":        {"tests/names.test.js", []string{"--listTests", "--showConfig", "--clearCache", "--help", "--version", "--passWithNoTests --shard=2/2"}},
	"junit":       {"app.BasicTest", []string{"--dry-run", "-version", "--help"}},
	"minitest":    {"test/plain_test.rb::PlainTest#test_compares", []string{"--help", "--version", "--dry-run"}},
	"mocha":       {"test/before-each.spec.js", []string{"--dry-run", "--dryRun", "--no-dry-run --dry-run", "--help", "--version", "--list-interfaces", "--list-reporters", "--pass-on-failing-test-suite --dry-run"}},
	"node":        {"test/broken.test.js", []string{"--check", "-c", "--eval 0", "-p 0", "--help", "--version", "--v8-options"}},
	"phpunit": {`App\BasicTest::testFails`, []string{"--list-tests", "--list-groups", "--list-suites", "--list-tests-xml /dev/null", "--version", "--help", "--check-version",
		"--atleast-version 1", "--warm-coverage-cache", "--exclude-group default", "--testsuite none"}},
	"playwright": {"tests/names.spec.ts", []string{"--list", "--help", "--version", "--pass-with-no-tests --shard=2/2", "--only-changed --pass-with-no-tests", "--last-failed"}},
	"pytest": {"tests/test_basic.py::test_fail", []string{"--collect-only", "--co", "--setup-plan", "--setup-only", "--fixtures", "--fixtures-per-test", "--markers", "--version", "--help",
		"--cache-show", "--deselect tests/test_basic.py"}},
	"rspec":    {"spec/fails_spec.rb", []string{"--dry-run", "--help", "--version", "--init", "--bisect", "--failure-exit-code 0"}},
	"unittest": {"tests.test_basic.Basic.test_fail", []string{"--help", "-h", "--version"}},
	"vitest": {"tests/names.test.js", []string{"--run=false", "--passWithNoTests --shard=2/2", "--mergeReports", "--clearCache", "--listTags", "--help", "--version",
		"--typecheck.only", "--changed --passWithNoTests", "--dangerouslyIgnoreUnhandledErrors"}},
}

// TestHollowOptions says that no option makes a test green that it kept from running.
func TestHollowOptions(t *testing.T) {
	for _, p := range runnertest.Projects(t, "../../..") {
		t.Run(p.Name, func(t *testing.T) {
			p.Need(t)
			t.Chdir(p.Dir)
			turn := make(chan struct{}, 3)
			var all sync.WaitGroup
			for _, options := range hollow[p.Name].options {
				turn <- struct{}{}
				all.Go(func() {
					defer func() { <-turn }()
					args := append(strings.Fields(options), p.Args...)
					checkNotGreen(t, options, runHollow(t, Options{Name: p.Runner, Args: args}, hollow[p.Name].unit))
				})
			}
			all.Wait()
		})
	}
}

// TestHollowCommands says the same of options in what starts the runner, which nobody refuses.
func TestHollowCommands(t *testing.T) {
	commands := map[string]string{
		"cucumber": "cucumber --dry-run", "cucumber-js": "node_modules/.bin/cucumber-js --dry-run", "mocha": "node_modules/.bin/mocha --dry-run",
		"node": "node --check", "pytest": "pytest --setup-plan", "rspec": "rspec --dry-run",
	}
	for _, p := range runnertest.Projects(t, "../../..") {
		if command := commands[p.Name]; command != "" {
			t.Run(p.Name, func(t *testing.T) {
				p.Need(t)
				t.Chdir(p.Dir)
				checkNotGreen(t, command, runHollow(t, Options{Name: p.Runner, Args: p.Args, Command: command}, hollow[p.Name].unit))
			})
		}
	}
}

func checkNotGreen(t *testing.T, options string, o batch.Outcome) {
	t.Helper()
	t.Logf("%s: %s: %.200s", options, o.Status, o.Message)
	if o.Status == batch.Passed || o.Status == batch.Skipped || o.Message == "" {
		t.Errorf("%s: %q %q", options, o.Status, o.Message)
	}
}

// runHollow runs one unit alone. Options that are refused fail it.
func runHollow(t *testing.T, options Options, unit string) (o batch.Outcome) {
	r, err := New(options)
	if err != nil {
		return batch.Outcome{Status: batch.Failed, Message: err.Error()}
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	job := Job{Batch: batch.Batch{Number: 1, Alone: true, Tests: []batch.Test{{ID: unit}}}, Limits: Limits{Batch: 15 * time.Second, Grace: time.Second}}
	err = r.Run(t.Context(), job, func(events ...batch.Event) {
		for _, e := range events {
			if e.Type == batch.Finish {
				o = e.Outcome
			}
		}
	})
	if err != nil {
		return batch.Outcome{Status: batch.Failed, Message: err.Error()}
	}
	return o
}
