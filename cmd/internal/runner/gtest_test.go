package runner

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGtestStream(t *testing.T) {
	const begin, over = "Running main()\n[==========] Running 2 tests from 1 test suite.\n[----------] Global test environment set-up.\n", "[----------] Global test environment tear-down\n[==========] 2 tests from 1 test suite ran. (0 ms total)\n[  PASSED  ] 2 tests.\n"
	for name, c := range map[string]struct {
		ids  []string
		text string
		e    exit
		want []string
	}{
		"tests": {
			ids: []string{"b::A.a", "b::A.b", "b::P/A.c/0", "b::A.DISABLED_d"},
			text: begin + "[----------] 4 tests from A\n[ RUN      ] A.a\nno line end[       OK ] A.a (12 ms)\n[ RUN      ] A.b\n[       OK ] A.a (0 ms)\nx.cc:3: Failure\nValue of: f()\n  Actual: 1\nx.cc:4: Failure\nmore\n[  FAILED  ] A.b (0 ms)\n" +
				"[----------] 4 tests from A (0 ms total)\n\n[----------] 1 test from P/A\n[ RUN      ] P/A.c/0\nunknown file: Failure\nboom\n[  FAILED  ] P/A.c/0, where GetParam() = \"a\n(0 ms)\" (1 ms)\n[----------] 1 test from P/A (0 ms total)\n" + over,
			e: exit{Code: 1},
			want: []string{
				"start b::A.a", "finish b::A.a passed | a passed", "start b::A.b", `finish b::A.b failed "Value of: f() Actual: 1" x.cc:3 | b failed "Value of: f() Actual: 1" x.cc:3`,
				"start b::P/A.c/0", `finish b::P/A.c/0 failed "boom" | c/0 failed "boom"`, `finish b::A.DISABLED_d skipped "disabled"`, "end",
			},
		},
		"a suite is not set up": {
			ids:  []string{"b::A.a"},
			text: begin + "[----------] 1 test from A, where TypeParam = int\nx.cc:1: Failure\nno database\n[ RUN      ] A.a\nx.cc:2: Skipped\n\n[  SKIPPED ] A.a (0 ms)\n[----------] 1 test from A (0 ms total)\n" + over,
			e:    exit{Code: 1},
			want: []string{"start b::A.a", `finish b::A.a failed "SetUpTestSuite failed: no database" x.cc:1 | a failed "SetUpTestSuite failed: no database" x.cc:1`, "end"},
		},
		"the environment is not set up": {
			ids:  []string{"b::A.a"},
			text: begin + "x.cc:1: Failure\nno database\n" + over,
			e:    exit{Code: 1},
			want: []string{"problem b: outside of tests: no database", `finish b::A.a failed "the global set-up failed: no database" x.cc:1`, "end"},
		},
		"a suite is not torn down": {
			ids:  []string{"b::A.a"},
			text: begin + "[----------] 1 test from A\n[ RUN      ] A.a\n[       OK ] A.a (0 ms)\nx.cc:1: Failure\nno\n[----------] 1 test from A (0 ms total)\n" + over,
			e:    exit{Code: 1},
			want: []string{"start b::A.a", "finish b::A.a passed | a passed", "problem b::A: TearDownTestSuite failed: no", "end"},
		},
		"a skip":  {ids: []string{"b::A.a"}, text: "[ RUN      ] A.a\nx.cc:2: Skipped\nnot today\n[  SKIPPED ] A.a (0 ms)\n", want: []string{"start b::A.a", `finish b::A.a skipped "not today" | a skipped "not today"`}},
		"it dies": {ids: []string{"b::A.a"}, text: begin + "[ RUN      ] A.a\n", want: []string{"start b::A.a"}},
		"garbage": {ids: []string{"b::A.a"}, text: "[       OK ] A.a (0 ms)\n[       OK ] \n[ RUN      ] \n[----------] \n[==========] \n[  FAILED  ] , where \n"},
		"a binary without a list": {
			ids: []string{"b"}, text: "no configuration\n", e: exit{Code: 3},
			want: []string{`finish b failed "it cannot tell its tests: exit status 3: no configuration"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGtestStream(c.ids, false)
			checkTold(t, append(heard(s, c.text), sayMessages(s.end(c.e, c.text))...), c.want...)
		})
	}
}

func TestGtestNames(t *testing.T) {
	text := "Running main() from gtest_main.cc\nloading.\n  plugins...\nA.\n  a\n  DISABLED_b\r\nP/B.  # TypeParam = int\n  c/0  # GetParam() = \"a.\\n  b\"\n"
	if diff := cmp.Diff([]string{"A.a", "A.DISABLED_b", "P/B.c/0"}, gtestNames(text)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestGtestBinaries(t *testing.T) {
	t.Chdir(t.TempDir())
	const marked = "\x7fELF...--gtest_list_tests..."
	for name, mode := range map[string]os.FileMode{"b_test": 0o700, "libgtest.so.1": 0o700, "text": 0o600, ".git/x": 0o700, "sub/a": 0o700} {
		must(t, os.MkdirAll(".git", 0o700))
		must(t, os.MkdirAll("sub", 0o700))
		must(t, os.WriteFile(name, []byte(marked), mode))
	}
	must(t, os.WriteFile("script", []byte("#!/bin/sh\nb --gtest_list_tests"), 0o700))
	must(t, os.WriteFile("large", append(make([]byte, 1<<20-8), marked...), 0o700))
	must(t, os.WriteFile("other", make([]byte, 3<<20), 0o700))
	got, err := gtestBinaries(nil)
	if diff := cmp.Diff([]string{"b_test", "large", "sub/a"}, got); diff != "" || err != nil {
		t.Errorf("error %v, -want +got\n%s", err, diff)
	}
}

func TestGtestParts(t *testing.T) {
	parts := gtestParts([]string{"a::A.a", "a::A.b", "b::A.a", "a::A.c", "c"})
	if diff := cmp.Diff([][]string{{"a::A.a", "a::A.b"}, {"b::A.a"}, {"a::A.c"}, {"c"}}, parts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestGtestFailFast says that the tests after a failure are not skipped: where they stand in a batch is chance.
func TestGtestFailFast(t *testing.T) {
	t.Setenv("GTEST_FAIL_FAST", "1")
	p := newProject(t, Options{Name: "gtest", Command: "sh", Args: []string{"--gtest_fail_fast", "--gtest_fail_fast=1", "--own"}}, ".", "a_test",
		"echo '[ RUN      ] A.a'\n"+`test "$GTEST_FAIL_FAST $*" = "0 --own --gtest_output=xml:${2#*xml:} --gtest_filter=A.a --gtest_color=no" && echo "[       OK ] A.a (0 ms)"`+"\n"+
			"echo '[==========] 1 test from 1 test suite ran. (0 ms total)'\n")
	same(t, "run", p.run("a_test::A.a"), []string{"passed a_test::A.a"})
}

// TestGtestForged says that a result that a test, or a binary that it started, printed is not the last word: the report that the
// binary writes at its end is, and if it does not come to that, somebody is told.
func TestGtestForged(t *testing.T) {
	const forge = "echo '[ RUN      ] A.a'\necho '[       OK ] A.a (0 ms)'\n"
	const report = `for option; do case $option in --gtest_output=xml:*) file=${option#*xml:};; esac; done; printf '<testsuites><testsuite name="A"><testcase name="a" classname="A">%s</testcase></testsuite></testsuites>' "$failure" >"$file"` + "\n"
	const over = "echo '[==========] 1 test from 1 test suite ran. (0 ms total)'\n"
	for name, c := range map[string]struct {
		binary string
		want   []string
	}{
		"it is true":           {forge + over + report, []string{"passed b_test::A.a"}},
		"there are no reports": {forge + over, []string{"passed b_test::A.a"}},
		"it failed":            {forge + over + `failure='<failure message="no"/>'; ` + report + "exit 1", []string{"passed b_test::A.a", "problem b_test::A.a: it failed by the report of its binary, although a line of the output says that it passed or was skipped: no"}},
		"it died":              {forge + "kill -SEGV $$", []string{"passed b_test::A.a", "problem b_test::A.a: its process ended outside of tests, after it had said that A.a was over: killed by SIGSEGV, segmentation fault"}},
		"one that it started":  {forge + over + "kill -SEGV $$", []string{"passed b_test::A.a", "problem b_test::A.a: its process ended outside of tests, after it had said that A.a was over: killed by SIGSEGV, segmentation fault"}},
		"it exits":             {forge + "exit 0", []string{"passed b_test::A.a", "problem b_test::A.a: its process ended outside of tests, after it had said that A.a was over: exit status 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, Options{Name: "gtest", Command: "sh"}, ".", "b_test", c.binary)
			same(t, "run", p.run("b_test::A.a", "b_test::A.b"), c.want) // A.b runs again, and has nothing to tell of A.a
		})
	}
}
