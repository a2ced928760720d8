package main

import (
	"path/filepath"
	"testing"

	"github.com/shardctl/shardctl/junit"
)

// A command that does not do what a template's command has to do never makes a green run, and the run ends by itself.
func TestTemplatesThatDoNotReport(t *testing.T) {
	t.Parallel()
	tests := list(t, number("test", 3)...)
	for _, test := range []struct {
		name     string
		template []string
		status   int
		says     []string
	}{
		{"no JUnit", fake(t, "-mode", "silent", "-stdin"), 3,
			[]string{"INCOMPLETE: all 3 tests lost", "wrote no JUnit file to {junit}", "the command ended with exit status 0"}},
		{"broken JUnit", fake(t, "-mode", "broken", "-junit", "{junit}", "-stdin"), 3,
			[]string{"INCOMPLETE: all 3 tests lost", "JUnit file cannot be read", "junit.xml"}},
		{"JUnit with other names", fake(t, "-junit", "{junit}", "other"), 3,
			[]string{"INCOMPLETE: all 3 tests lost", "its JUnit names only other cases", "fake.other"}},
		{"a command that fails at once", []string{"--", "sh", "-c", "echo no database >&2; exit 9"}, 3,
			[]string{"INCOMPLETE: all 3 tests lost", "exit status 9", "no database"}},
		{"a foreign case fails", fake(t, "-mode", "stranger", "-junit", "{junit}", "-stdin"), 1,
			[]string{"FAILED", `"afterAll" failed, which is none of the tests`, "the database is still there"}},
		{"a failure that no case explains", []string{"--", "sh", "-c", fakeThen(t, "exit 5")}, 1,
			[]string{"FAILED", "exit status 5", "although no test failed"}},
		{"tests fail", fake(t, "-mode", "fail", "-junit", "{junit}", "-stdin"), 1,
			[]string{"FAILED: all 3 tests failed", "it fails on purpose"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			report := filepath.Join(t.TempDir(), "junit.xml")
			shardctl(t, with(test.template, "run", "--workers", "2", "--tests", tests, "--junit", report)...).
				expect(t, test.status, test.says...)
			red := 0
			for _, status := range statuses(t, report) {
				if status != junit.Passed {
					red++
				}
			}
			if red == 0 {
				t.Error("the JUnit report is green")
			}
		})
	}
}

// fakeThen is a shell script that runs the fake runner on stdin, and then something else.
func fakeThen(t *testing.T, then string) string {
	argv := fake(t, "-stdin")
	return `"` + argv[1] + `" ` + argv[2] + ` -stdin -junit "$SHARD_JUNIT"; ` + then
}

// The shell runner of testdata, as the help of shardctl shows a template.
func TestShellRunner(t *testing.T) {
	t.Parallel()
	shell, err := filepath.Abs("../../testdata/shell")
	must(t, err)
	for _, test := range []struct {
		bad    string
		status int
		says   string
	}{
		{"0", 0, "all 12 tests passed"},
		{"1", 1, "1 of 12 tests failed, 11 passed"},
	} {
		w := newWorld(t, "SHELL_BAD="+test.bad)
		w.run("shardctl", "run", "--workers", "2", "--tests", filepath.Join(shell, "tests.txt"), "--",
			filepath.Join(shell, "run.sh"), "{junit}", "{tests_file}").expect(t, test.status, test.says)
		w.empty()
	}
}
