package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

// suitesFolder is the environment variable that makes TestOtherSuites run, which takes minutes: the folder that .ci/suites has
// filled. `make suites` does both.
const suitesFolder = "SHARDCTL_SUITES"

// otherSuite is a suite that nobody here wrote, and how its own runner and shardctl run it.
type otherSuite struct {
	name string
	// dir is its folder in that of suitesFolder. needs is a file without which it is passed over; empty: the folder.
	dir, needs string
	runner     string
	// options are for shardctl, patterns name the tests, args are for the runner.
	options, patterns, args []string
	// plain runs it without shardctl: a script for the shell, which writes JUnit files into the folder $REPORTS, or prints lines
	// that said fits: a test's name and what became of it.
	plain string
	said  *regexp.Regexp
	// title is the name of a plain case as shardctl has it; nil: its name.
	title func(junit.Case) string
	// leaf: only the last part of a name is compared, as the plain report has no more.
	leaf bool
	// kept: the runner can be kept from batch to batch.
	kept bool
	// differ are tests of which docs/runners.md tells why they may end otherwise.
	differ []string
}

// linesSaid are the lines that scripts below make runners print, where those write no JUnit.
var linesSaid = regexp.MustCompile(`(?m)^== (.*) = (\S+)$`)

// saidStatus is what the words in such lines mean.
var saidStatus = map[string]junit.Status{
	".": junit.Passed, "F": junit.Failed, "E": junit.Failed, "S": junit.Skipped, // Minitest, and unittest as it is made to speak below
	"ok": junit.Passed, "FAILED": junit.Failed, "ignored": junit.Skipped, // cargo test
}

const minitestLines = `ruby -Ilib -Itest -e '
	require "minitest/autorun"
	Lines = Struct.new(:io) do
		def start; end
		def prerecord(*) end
		def record(r) = io.print("\n== #{r.klass}##{r.name} = #{r.result_code}\n")
		def report; end
		def passed? = true
	end
	module Minitest
		def self.plugin_lines_init(*) = reporter << Lines.new($stdout.dup.tap { |io| io.sync = true }) # a test may fork
	end
	Minitest.extensions << "lines"
	Dir["test/minitest/test_*.rb"].sort.each { |file| require "./#{file}" }'`

// unittestLines runs tests with unittest's own runner; options of discovery follow.
const unittestLines = `/usr/bin/python3 -c '
import os, sys, unittest
out = os.fdopen(os.dup(1), "w")
class Result(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test); self.end = "."
    def stopTest(self, test):
        super().stopTest(test); print("\n==", test.id(), "=", self.end, file=out, flush=True)
    def addFailure(self, *a):
        super().addFailure(*a); self.end = "F"
    def addError(self, test, error):
        super().addError(test, error); self.end = "E"
    def addSkip(self, test, why):
        super().addSkip(test, why); self.end = "S" if getattr(self, "end", ".") == "." else self.end
    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test); self.end = "F"
    def addSubTest(self, test, sub, error):
        super().addSubTest(test, sub, error); self.end = "F" if error else self.end
unittest.main(module=None, argv=["unittest", "discover"] + sys.argv[1:], testRunner=unittest.TextTestRunner(resultclass=Result))
' `

var (
	pythonTests = []string{"-s", "test", "-t", ".", "-p", "test_di[acf]*.py"}
	nodeFiles   = []string{"hash.js/test/*-test.js", "des.js/test/*-test.js", "object-path/test.js"}
)

// jestFiles are the same files as Jest names them.
const jestFiles = "--testRegex=/(hash|des)[.]js/test/.*-test[.]js$|/object-path/test[.]js$"

// joined is the title of a case as runners for Node join it.
func joined(c junit.Case) string { return strings.TrimSpace(c.Classname + " " + c.Name) }

var otherSuites = []otherSuite{
	{name: "Python (a part)", dir: "python", needs: "test/test_dict.py", runner: "unittest",
		options: []string{"--runner-command", debianPython}, args: pythonTests, plain: unittestLines + shellWords(pythonTests), said: linesSaid,
		title: func(c junit.Case) string { return c.Name[strings.LastIndexByte(c.Name, '.')+1:] }, kept: true},
	{name: "hashie", dir: "hashie", runner: "rspec", args: []string{"--require", "delegate"},
		plain: `rspec --require delegate --require rspec_junit_formatter --format RspecJunitFormatter --out $REPORTS/all.xml --format progress`, kept: true},
	{name: "Minitest", dir: "minitest", runner: "minitest", plain: minitestLines, said: linesSaid,
		title: func(c junit.Case) string { _, name, _ := strings.Cut(c.Name, "#"); return name }, kept: true,
		differ: []string{"test_run_parallel"}},
	{name: "hash.js des.js object-path", dir: "node", needs: "hash.js", runner: "mocha", patterns: nodeFiles,
		plain: "node_modules/.bin/mocha --reporter xunit --reporter-option output=$REPORTS/all.xml " + shellWords(nodeFiles), title: joined, kept: true},
	{name: "hash.js des.js object-path", dir: "node", needs: "hash.js", runner: "jest", args: []string{jestFiles},
		plain: "JEST_JUNIT_OUTPUT_DIR=$REPORTS JEST_JUNIT_CLASSNAME={classname} JEST_JUNIT_TITLE={title} node_modules/.bin/jest '" + jestFiles + "' --reporters=jest-junit", title: joined, kept: true},
	{name: "devalue", dir: "node/devalue", runner: "vitest", plain: "../node_modules/.bin/vitest run --reporter=junit --outputFile=$REPORTS/all.xml", kept: true},
	{name: "find-my-way", dir: "node/find-my-way", runner: "node", leaf: true, patterns: []string{"test/*.test.js"},
		plain: "node --test --test-reporter=junit --test-reporter-destination=$REPORTS/all.xml test/*.test.js"},
	{name: "bats-core (a part)", dir: "bats", runner: "bats", patterns: batsFiles,
		plain: "bats --report-formatter junit -o $REPORTS " + shellWords(batsFiles)},
	{name: "PHP-Parser", dir: "php-parser", runner: "phpunit", plain: "phpunit --log-junit $REPORTS/all.xml"},
	{name: "googletest (a part)", dir: "googletest", runner: "gtest",
		plain:  `status=0; for b in *_unittest *-test *_test; do ./$b --gtest_output=xml:$REPORTS/$b.xml || status=1; done; exit $status`,
		differ: []string{"Fails"}},
	{name: "cJSON", dir: "cjson/build", runner: "ctest", plain: "ctest --output-junit $REPORTS/all.xml"},
	{name: "heck", dir: "heck", runner: "cargo", args: []string{"--offline", "--features", "unicode"},
		plain: "cargo test --offline --features unicode --lib --bins --tests", said: regexp.MustCompile(`(?m)^test (?:\S+::)?(\S+) \.\.\. (\w+)$`)},
}

var batsFiles = []string{"test/run.bats", "test/load.bats", "test/tagging.bats", "test/suite_setup_teardown.bats", "test/junit-formatter.bats"}

// shellWords quotes words for the shell.
func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = "'" + word + "'"
	}
	return strings.Join(quoted, " ")
}

// TestOtherSuites runs suites that nobody here wrote with their own runners and with shardctl, in both modes and twice in each:
// the same tests with the same statuses, and the same exit status. It prints a table in Markdown.
func TestOtherSuites(t *testing.T) {
	folder := os.Getenv(suitesFolder)
	if folder == "" {
		t.Skipf("it takes minutes: `make suites`, or set %s to a folder that .ci/suites has filled", suitesFolder)
	}
	table := "| runner | suite | tests | its runner alone | a process for each batch, twice | one process kept, twice |\n| --- | --- | --- | --- | --- | --- |\n"
	for _, s := range otherSuites {
		t.Run(s.runner, func(t *testing.T) {
			cells := s.compare(t, filepath.Join(folder, s.dir))
			table += "| " + s.runner + " | " + s.name + " | " + strings.Join(cells, " | ") + " |\n"
		})
	}
	fmt.Print(table)
}

// compare returns the cells of the suite's row.
func (s otherSuite) compare(t *testing.T, dir string) []string {
	if _, err := os.Stat(filepath.Join(dir, s.needs)); err != nil {
		t.Skipf("%v: .ci/suites tells why it is not there", err)
	}
	w := newWorld(t)
	w.dir = dir
	want, status := s.alone(t, w)
	total, ends := 0, map[string]int{}
	for name, n := range want {
		total += n
		ends[name[strings.LastIndexByte(name, ' ')+1:]] += n
	}
	var alone []string
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		alone = append(alone, fmt.Sprintf("%d %s", ends[end], end))
	}
	cells := []string{fmt.Sprint(total), strings.Join(alone, ", ")}
	for _, persistent := range []string{"off", "on"} {
		if persistent == "on" && !s.kept {
			cells = append(cells, "-")
			continue
		}
		var said []string
		for range 2 {
			said = append(said, s.sharded(t, w, persistent, want, status))
		}
		cells = append(cells, strings.Join(said, ", "))
	}
	return cells
}

// alone counts the tests by name and status, as the runner alone tells them, and returns its exit status.
func (s otherSuite) alone(t *testing.T, w *world) (map[string]int, int) {
	reports := t.TempDir()
	cmd := exec.Command("sh", "-c", s.plain)
	cmd.Dir, cmd.Env = w.dir, append(slices.Clone(w.env), "REPORTS="+reports)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, m := range s.lines(out) {
		s.count(all, junit.Case{Name: string(m[1]), Status: saidStatus[string(m[2])]})
	}
	files, err := filepath.Glob(filepath.Join(reports, "*.xml"))
	must(t, err)
	for _, file := range files {
		s.countFile(t, all, file)
	}
	if len(all) == 0 {
		t.Fatalf("%s: no test (%v)\n%s", s.plain, cmd.ProcessState, out)
	}
	return all, cmd.ProcessState.ExitCode()
}

func (s otherSuite) lines(out []byte) [][][]byte {
	if s.said == nil {
		return nil
	}
	return s.said.FindAllSubmatch(out, -1)
}

func (s otherSuite) countFile(t *testing.T, all map[string]int, file string) {
	report, err := junit.ReadFile(file)
	must(t, err)
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			s.count(all, c)
		}
	}
}

func (s otherSuite) count(all map[string]int, c junit.Case) {
	name := c.Name
	if s.title != nil {
		name = s.title(c)
	}
	s.countTest(all, name, c.Status)
}

// countTest does not tell an error from a failure: shardctl knows errors of its own only.
func (s otherSuite) countTest(all map[string]int, name string, status junit.Status) {
	if i := strings.LastIndex(name, " > "); s.leaf && i >= 0 {
		name = name[i+3:]
	}
	name = strings.ReplaceAll(name, " > ", " ")
	if status == junit.Errored {
		status = junit.Failed
	}
	all[name+" "+string(status)]++
}

// sharded runs the suite with two workers, and says how the tests compare with want.
func (s otherSuite) sharded(t *testing.T, w *world, persistent string, want map[string]int, status int) string {
	file := filepath.Join(t.TempDir(), "ours.xml")
	args := slices.Concat([]string{"run", "--workers", "2", "--runner", s.runner, "--persistent=" + persistent, "--junit", file}, s.options, s.patterns, []string{"--"}, s.args)
	ended := w.long("shardctl", args...)
	w.empty()
	got := map[string]int{}
	report, err := junit.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, ended.out, ended.err)
	}
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			s.countTest(got, c.Name, c.Status)
		}
	}
	diff := cmp.Diff(s.without(want), s.without(got))
	switch {
	case diff != "" || (ended.status == 0) != (status == 0) && s.differ == nil:
		t.Errorf("persistent=%s, exit status %d, its runner's %d: -alone +shardctl\n%s\n%s", persistent, ended.status, status, diff, ended.out)
		return "not equal"
	case len(s.differ) > 0:
		return fmt.Sprintf("equal but for %d", len(s.differ))
	}
	return "equal"
}

// without are the counts of all tests but those that may differ.
func (s otherSuite) without(counts map[string]int) map[string]int {
	counts = maps.Clone(counts)
	maps.DeleteFunc(counts, func(name string, _ int) bool {
		return slices.Contains(s.differ, name[:strings.LastIndexByte(name, ' ')])
	})
	return counts
}
