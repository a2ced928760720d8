package main

import (
	"path/filepath"
	"testing"
)

// TestBadUsage calls commands as nobody should, and expects the exit status and what is said about it.
func TestBadUsage(t *testing.T) {
	t.Parallel()
	where := []string{"--redis-url", "redis://127.0.0.1:1", "--run-id", "r"}
	missing := filepath.Join(t.TempDir(), "missing")
	for _, test := range []struct {
		name   string
		call   call
		args   []string
		status int
		says   []string
	}{
		{"unknown command", call{}, []string{"rum"}, 2, []string{`there is no command "rum"`, "shardctl --help"}},
		{"help of an unknown command", call{}, []string{"help", "rum"}, 2, []string{`there is no command "rum"`}},
		{"unknown flag", call{}, []string{"run", "--runer", "go"}, 2, []string{"unknown flag: --runer", "shardctl run --help"}},
		{"flag without a value", call{}, []string{"run", "--runner"}, 2, []string{"--runner", "shardctl run --help"}},
		{"flag with a bad value", call{}, []string{"run", "--lease", "15"}, 2, []string{`"15"`, "--lease"}},
		{"negative number", call{}, []string{"run", "--retries", "-1"}, 2, []string{"--retries -1: it cannot be negative"}},
		{"lease too short", call{}, []string{"run", "--lease", "10ms"}, 2, []string{"--lease 10ms: it must be at least 1s"}},
		{"no crash allowed", call{}, []string{"run", "--max-crashes", "0"}, 2, []string{"--max-crashes 0: it must be at least 1"}},
		{"unknown progress", call{}, []string{"run", "--progress", "fancy"}, 2, []string{`--progress "fancy": choose one of auto, bar, plain, none`}},
		{"bad value in the environment", call{env: map[string]string{"SHARD_RETRIES": "x"}}, []string{"run"}, 2, []string{"environment variable SHARD_RETRIES", `"x"`}},
		{"two bad values in the environment", call{env: map[string]string{"SHARD_RETRIES": "x", "SHARD_LEASE": "y"}}, []string{"run"}, 2, []string{"SHARD_RETRIES", "SHARD_LEASE"}},
		{"a flag beats the environment", call{env: map[string]string{"SHARD_LEASE": "y"}}, []string{"run", "--lease", "3s"}, 2, []string{"no runner"}},
		{"an empty variable is none", call{env: map[string]string{"SHARD_LEASE": ""}}, []string{"run"}, 2, []string{"no runner"}},

		{"no runner", call{}, []string{"run"}, 2, []string{"no runner", "--runner (auto", "after --"}},
		{"unknown runner", call{}, []string{"run", "--runner", "cobol"}, 2, []string{`--runner "cobol": there is no such runner`, "go"}},
		{"template command that is not there", call{}, []string{"run", "--tests", "x", "--", "no-such-command-here"}, 2, []string{`"no-such-command-here" cannot be run`, "PATH"}},
		{"template in one word", call{}, []string{"run", "--tests", "x", "--", "go test"}, 2, []string{`"go test" cannot be run`, "not in quotes"}},
		{"{tests} within an argument", call{}, []string{"run", "--tests", "x", "--", "true", "--only={tests}"}, 2, []string{"{tests}", "an argument by itself"}},
		{"{artifacts} without a folder", call{}, []string{"run", "--tests", "x", "--", "true", "{artifacts}"}, 2, []string{"--artifacts"}},
		{"no list", call{}, []string{"run", "--", "true"}, 2, []string{"which tests?", "--tests", "--list-command"}},
		{"two lists", call{}, []string{"run", "--tests", "x", "--list-command", "y", "--", "true"}, 2, []string{"exclude each other"}},
		{"a list and a pattern", call{}, []string{"run", "--tests", "x", "./...", "--", "true"}, 2, []string{`unexpected argument "./..."`}},
		{"a list that is not there", call{}, []string{"run", "--tests", missing, "--", "true"}, 2, []string{"--tests", missing, "no such file"}},
		{"a list command that fails", call{}, []string{"run", "--list-command", "echo for stderr >&2; exit 7", "--", "true"}, 2, []string{"--list-command", "exit status 7", "for stderr"}},
		{"a pattern that matches nothing", call{}, []string{"list", "--runner", "go", "./no/such/folder"}, 2, []string{"./no/such/folder"}},
		{"a pattern that matches no package", call{}, []string{"list", "--runner", "go", "./testdata/..."}, 2, []string{"./testdata/...", "matched no packages"}},
		{"a folder that is not there", call{}, []string{"run", "-C", missing, "--runner", "go"}, 2, []string{"--dir", missing}},

		{"nobody could run the tests", call{}, []string{"run", "--runner", "go", "--workers", "0"}, 2, []string{"--workers 0 without --redis-url"}},
		{"negative limits", call{}, []string{"run", "--max-consecutive-failures", "-1", "--", "true"}, 2, []string{"--max-consecutive-failures -1"}},
		{"negative budget of retries", call{}, []string{"run", "--max-retries-total", "-1", "--tests", "-", "--", "true"}, 2, []string{"--max-retries-total -1"}},
		{"negative workers", call{}, []string{"run", "--runner", "go", "--workers", "-2"}, 2, []string{"--workers -2"}},
		{"no Redis", call{}, []string{"wait", "--run-id", "r"}, 2, []string{"no Redis", "--redis-url"}},
		{"no run id", call{}, []string{"wait", "--redis-url", "redis://127.0.0.1:1"}, 2, []string{"no run id", "--run-id"}},
		{"run id with a space", call{}, []string{"status", "--redis-url", "redis://127.0.0.1:1", "--run-id", "a b"}, 2, []string{"--run-id", `"a b"`}},
		{"run id with braces", call{}, []string{"status", "--redis-url", "redis://127.0.0.1:1", "--run-id", "{a}"}, 2, []string{"--run-id", `"{a}"`}},
		{"a doctor without a Redis", call{}, []string{"doctor"}, 2, []string{"no Redis", "--redis-url", "shardctl doctor --help"}},
		{"a doctor of a run that cannot be", call{}, []string{"doctor", "--redis-url", "redis://127.0.0.1:1", "--run-id", "a b"}, 2, []string{"--run-id", `"a b"`}},
		{"a doctor with an argument", call{}, []string{"doctor", "--acl", "ci"}, 2, []string{`unexpected argument "ci"`}},
		{"a user with further rights", call{}, []string{"doctor", "--acl", "--user", "ci +@all"}, 2, []string{"--user", `"ci +@all"`}},
		{"a run id that is a pattern", call{}, []string{"doctor", "--acl", "--run-id", "*"}, 2, []string{"--run-id", `"*"`}},
		{"superfluous argument", call{}, append([]string{"status", "now"}, where...), 2, []string{`unexpected argument "now"`}},

		{"a list with a line that is too long", call{stdin: "a\n" + long(17<<10) + "\n"}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 2", "16384"}},
		{"a list with a line that is much too long", call{stdin: "a\n" + long(1<<20) + "\n"}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 2", "16384"}},
		{"a list with a NUL", call{stdin: "a\n\nb\x00c\n"}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 3", "NUL"}},
		{"a list with a carriage return", call{stdin: "a\rb\n"}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 1", "line break"}},
		{"a list that is not UTF-8", call{stdin: "a\nb\xff\n"}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 2", "UTF-8"}},
		{"JSON with a line break in the name", call{stdin: `{"test": "a\nb"}`}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 1", "line break"}},
		{"JSON without a name", call{stdin: `{"seconds": 1}`}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 1", "empty"}},
		{"JSON that is cut off", call{stdin: "a\n" + `{"test": "b"`}, []string{"list", "--tests", "-"}, 2, []string{"standard input, line 2", "not a JSON object"}},
		{"JSON with an unknown member", call{stdin: `{"test": "a", "secnds": 1}`}, []string{"list", "--tests", "-"}, 2, []string{"line 1", "secnds"}},
		{"JSON with a bad number", call{stdin: `{"test": "a", "seconds": "1"}`}, []string{"list", "--tests", "-"}, 2, []string{"line 1", "seconds"}},
		{"JSON with a negative number", call{stdin: `{"test": "a", "seconds": -1}`}, []string{"list", "--tests", "-"}, 2, []string{"line 1", "negative"}},
		{"JSON with something behind it", call{stdin: `{"test": "a"} {"test": "b"}`}, []string{"list", "--tests", "-"}, 2, []string{"line 1", "not a JSON object"}},

		{"an empty list", call{stdin: "\n  \n"}, []string{"run", "--tests", "-", "--", "true"}, 4, []string{"no tests", "standard input", "--allow-empty"}},
		{"an empty list of a command", call{}, []string{"run", "--list-command", "true", "--", "true"}, 4, []string{"no tests", "--list-command"}},
		{"an empty list that is allowed", call{}, []string{"run", "--tests", "-", "--allow-empty", "--", "true"}, 0, []string{"PASSED", "there are no tests"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := test.call.run(t, test.args...).expect(t, test.status, test.says...)
			if test.status != 0 && (r.out != "" || r.err == "") {
				t.Errorf("errors belong to stderr; stdout:\n%s\nstderr:\n%s", r.out, r.err)
			}
		})
	}
}

func long(n int) string {
	name := make([]byte, n)
	for i := range name {
		name[i] = 'a' + byte(i%26)
	}
	return string(name)
}

// Without go in PATH the go preset cannot work, and says so.
func TestRunnerThatIsNotInstalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "PATH="+t.TempDir())
	w.run("shardctl", "run", "--runner", "go", "./...").expect(t, 2, `"go"`, "PATH")
	w.run("shardctl", "list", "--runner", "go", "./...").expect(t, 2, `"go"`, "PATH")
	w.run("shardworker", "--redis-url", "redis://127.0.0.1:1", "--run-id", "r", "--runner", "go").expect(t, 2, `"go"`, "PATH")
}
