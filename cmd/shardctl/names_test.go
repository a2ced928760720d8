package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// oddNames are names that a test may have although shells, flags, formats and placeholders see something else in them.
var oddNames = []string{
	"two words", " spaces around ", "a\ttab", `"double" and 'single' quotes`, "`backquotes` $(id) $HOME ${HOME} %s %d", `back\slash\n`,
	"-v", "--junit=elsewhere.xml", "--", "@file", "#hash", "*", "a;b|c&d>e<f", "<testcase name=\"x\"/>", "]]>", "&amp;",
	"{tests}", "{tests_file}", "{junit}", "{nothing}", "[package]", "null", "0", "a::b::c", "a/b.py::test[x-1]", "::", "::workflow::command",
	"日本語 тест ü", "e\u0301 is not \u00e9", "\u00e9 is not e\u0301", "\U0001F600", "\u202Ereversed", "\uFEFFbyte order mark", "caseA", "casea",
	long(10_000),
}

// Whatever a name looks like, the command gets it as it is, once, by each of the three ways.
func TestOddNamesReachTheCommandAsTheyAre(t *testing.T) {
	t.Parallel()
	for way, source := range map[string][]string{
		"tests": {"--", "{tests}"}, "tests_file": {"-file", "{tests_file}"}, "stdin": {"-stdin"},
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			log, report := filepath.Join(dir, "log"), filepath.Join(dir, "junit.xml")
			template := fake(t, append([]string{"-log", log, "-junit", "{junit}"}, source...)...)
			shardctl(t, with(template, "run", "--workers", "2", "--tests", list(t, oddNames...), "--junit", report)...).expect(t, 0)

			var got []string
			text, err := os.ReadFile(log)
			must(t, err)
			for line := range strings.Lines(string(text)) {
				name, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
				must(t, err)
				got = append(got, name)
			}
			equal(t, slices.Sorted(slices.Values(oddNames)), slices.Sorted(slices.Values(got)))
			if n := len(statuses(t, report)); n != len(oddNames) {
				t.Errorf("%d cases of %d tests:\n%q", n, len(oddNames), slices.Sorted(maps.Keys(statuses(t, report))))
			}
		})
	}
}

// A list that list prints is one that --tests takes again, in both forms.
func TestListPrintsWhatItReads(t *testing.T) {
	t.Parallel()
	file := list(t, oddNames...)
	plain := shardctl(t, "list", "--tests", file).expect(t, 0)
	equal(t, strings.Join(oddNames, "\n")+"\n", plain.out)
	lines := shardctl(t, "list", "--tests", file, "--json").expect(t, 0)
	equal(t, lines, call{stdin: lines.out}.run(t, "list", "--tests", "-", "--json"))
	equal(t, plain, call{stdin: lines.out}.run(t, "list", "--tests", "-"))
	windows := strings.ReplaceAll(plain.out, "\n", "\r\n")
	equal(t, plain, call{stdin: windows}.run(t, "list", "--tests", "-"))
	equal(t, plain, call{stdin: strings.TrimSuffix(plain.out, "\n")}.run(t, "list", "--tests", "-"))
}

func TestTestsListedTwiceRunOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, report := filepath.Join(dir, "log"), filepath.Join(dir, "junit.xml")
	template := fake(t, "-log", log, "-junit", "{junit}", "-stdin")
	shardctl(t, with(template, "run", "--workers", "2", "--tests", list(t, "a", "b", "a", `{"test": "b"}`, "c", "a"), "--junit", report)...).
		expect(t, 0, "it runs once", "warn: ", "test=a", "3 entries of the list are repeats", "all 3 tests passed")
	allPassed(t, report, "a", "b", "c")
	text, err := os.ReadFile(log)
	must(t, err)
	if n := strings.Count(string(text), "\n"); n != 3 {
		t.Errorf("%d executions:\n%s", n, text)
	}
}
