package runner

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

const (
	passA     = `<testcase name="a" time="0.5"/>`
	failA     = `<testcase name="a"><failure message="boom">trace</failure></testcase>`
	skipA     = `<testcase name="a"><skipped message="later"/></testcase>`
	passB     = `<testcase name="b"/>`
	failSetup = `<testcase classname="pkg" name="setup"><error message="no database">trace</error></testcase>`
)

// What is told of each way in which report and exit status can agree and disagree.
func TestCommandVerdict(t *testing.T) {
	here, err := os.Getwd()
	must(t, err)
	one, two := []string{"a"}, []string{"a", "b"}
	for _, tt := range []struct {
		name string
		ids  []string
		// report and how the command ends after it.
		report, end string
		want        string
		problems    []string
	}{
		{"all pass", two, passA + passB, "exit 0", "a=passed b=passed", nil},
		{"a failure explains the status", two, failA + passB, "exit 1", "a=failed b=passed", nil},
		{"a failure that the status denies", two, failA + passB, "exit 0", "a=failed b=passed", nil},
		{"skipped", two, skipA + passB, "exit 0", "a=skipped b=passed", nil},
		{"a status that nothing explains", two, passA + passB, "exit 3", "a=passed b=passed", []string{"exit status 3 although no test failed"}},
		{"the same alone", one, passA, "exit 3", "a=passed", []string{"exit status 3 although no test failed"}},
		{"the same, skipped", one, skipA, "exit 3", "a=skipped", []string{"exit status 3 although no test failed"}},
		{"killed at the end", one, passA, "kill -KILL $$", "a=passed", []string{"killed by SIGKILL, often because the machine ran out of memory after all tests had ended"}},
		{"killed at the end after a failure", one, failA, "kill -TERM $$", "a=failed", []string{"killed by SIGTERM after all tests had ended"}},

		{"one is left out", two, passA, "exit 0", "a=passed", nil},
		{"one is left out beside a failure", two, failA, "exit 1", "a=failed", nil},
		{"one is left out, the status says more", two, passA, "exit 1", "", nil},
		{"one is left out, the status says more than skipped", two, skipA, "exit 1", "", nil},
		{"killed in the middle", two, passA, "kill -KILL $$", "", nil},
		{"killed in the middle of a shell's child", two, passA, "sh -c 'kill -KILL $$'; exit $?", "", nil},
		{"killed in the middle after a setup failed", two, passA + failSetup, "kill -KILL $$", "", nil},
		{"all left out", two, "", "exit 0", "", nil},
		{"all left out, failing", two, "", "exit 2", "", nil},

		{"another failure", two, passA + passB + failSetup, "exit 1", "a=passed b=passed", []string{`"pkg.setup" failed, which is none of the tests: no database`}},
		{"another failure, status 0", one, passA + failSetup, "exit 0", "a=passed", []string{`"pkg.setup" failed, which is none of the tests: no database`}},
		{"another failure and one is left out", two, passA + failSetup, "exit 1", "", nil},
		{"another failure, a failure, and one is left out", two, failA + failSetup, "exit 1", "a=failed", nil},
		{"others pass", two, passA + passB + `<testcase name="c"/>`, "exit 0", "a=passed b=passed", nil},

		{"broken beside all", two, passA + passB, `echo "<testsuite" >"$(dirname "$SHARD_JUNIT")/x.xml"`, "a=passed b=passed",
			[]string{"a JUnit file cannot be read: x.xml: JUnit report: XML syntax error on line 2: unexpected EOF"}},
		{"broken beside a part", two, passA, `echo "<testsuite" >"$(dirname "$SHARD_JUNIT")/x.xml"`, "", nil},
		{"an absolute file", []string{"tests/a.php"}, `<testcase name="x" file="` + here + `/tests/a.php"/>`, "exit 0", "tests/a.php=passed", nil},
		{"empty file", two, passA, `: >"$SHARD_JUNIT"`, "", nil},
		{"files below", two, passA, `mkdir -p "${SHARD_JUNIT%/*}/deep/er"; echo '<testsuite><testcase name="b"/></testsuite>' >"${SHARD_JUNIT%/*}/deep/er/TEST-b.XML"`,
			"a=passed b=passed", nil},
		{"other files do not count", two, passA, `cp "$SHARD_JUNIT" "$SHARD_JUNIT.bak"; echo '<testsuite><testcase name="b"/></testsuite>' >"${SHARD_JUNIT%/*}/b.txt"`, "a=passed", nil},
		{"links do not count", two, passA, `mv "$SHARD_JUNIT" "$KEEP/x.xml"; ln -s "$KEEP/x.xml" "$SHARD_JUNIT"; ln -s "$KEEP" "${SHARD_JUNIT%/*}/dir"`, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("KEEP", t.TempDir())
			got := runCommand(t, script(t, `report "$1"; `+tt.end, tt.report), tt.ids...)
			if s := got.statuses(tt.ids); s != tt.want {
				t.Errorf("%q, want %q", s, tt.want)
			}
			if diff := cmp.Diff(tt.problems, got.messages()); diff != "" {
				t.Error(diff)
			}
			for _, p := range got.problems {
				if p.Scope != "sh" {
					t.Errorf("%+v", p)
				}
			}
			if diff := cmp.Diff(tt.ids, got.starts); diff != "" {
				t.Error("starts (-want +got):\n" + diff)
			}
		})
	}
}

// A test that is alone always gets an outcome, which says what happened.
func TestCommandAlone(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		want         batch.Outcome
	}{
		{"no report", "echo hello", batch.Outcome{Status: batch.Unexecuted, Output: "hello\n",
			Message: "the test was not executed: the command ended with exit status 0 and wrote no JUnit file to {junit}, {junit_dir} or $SHARD_JUNIT"}},
		{"not found by the shell", "no-such-command-here 2>/dev/null", batch.Outcome{Status: batch.Unexecuted,
			Message: "the test was not executed: the command ended with exit status 127 (as shells report a command that they did not find) and " +
				"wrote no JUnit file to {junit}, {junit_dir} or $SHARD_JUNIT"}},
		{"no cases", "report ''", batch.Outcome{Status: batch.Unexecuted,
			Message: "the test was not executed: the command ended with exit status 0 and its JUnit names no case"}},
		{"other cases", `report '<testcase classname="x" name="A"/><testcase name="B"/><testcase name="C"/><testcase name="D"/>'; exit 4`,
			batch.Outcome{Status: batch.Unexecuted, Message: `the test was not executed: the command ended with exit status 4 and its JUnit names only other ` +
				`cases (4: "x.A", "B", "C", …); a test is found by a case's name, classname.name, classname::name, classname or file`}},
		{"cut off", `report '<testcase name="a"/'`, batch.Outcome{Status: batch.Unexecuted,
			Message: "the test was not executed: the command ended with exit status 0 and its JUnit file cannot be read: junit.xml: " +
				"JUnit report: XML syntax error on line 1: expected /> in element"}},
		{"crashed", "echo hello; echo dying >&2; kill -ABRT $$", batch.Outcome{Status: batch.Crashed, Output: "hello\ndying\n",
			Message: "the command was killed by SIGABRT, aborted"}},
		{"crashed after a part of the report", `echo dying >&2; report '<testcase name="other"/>'; kill -KILL $$`, batch.Outcome{Status: batch.Crashed, Output: "dying\n",
			Message: "the command was killed by SIGKILL, often because the machine ran out of memory"}},
		{"crashed below a shell", "sh -c 'kill -SEGV $$' 2>/dev/null; exit $?", batch.Outcome{Status: batch.Crashed,
			Message: "the command ended with exit status 139 (as shells report a command that was killed by SIGSEGV, segmentation fault)"}},
		{"cannot be loaded", `echo hello; report '<testcase classname="pkg" name="mod" file="mod.py" line="3"><error message="SyntaxError: x">trace</error></testcase>'; exit 2`,
			batch.Outcome{Status: batch.Failed, Output: "trace\n", File: "mod.py", Line: 3,
				Message: `the test was not executed, but "pkg.mod" failed: SyntaxError: x`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := runCommand(t, script(t, "ulimit -c 0; "+tt.script), "a")
			o := got.outcomes["a"]
			if o.Seconds <= 0 {
				t.Errorf("%v seconds", o.Seconds)
			}
			o.Seconds = 0
			if diff := cmp.Diff(tt.want, o); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"a"}, got.starts); diff != "" || len(got.problems) > 0 {
				t.Errorf("%s, %v", diff, got.problems)
			}
		})
	}
}

func TestCommandOutcome(t *testing.T) {
	for _, tt := range []struct {
		name, id, script string
		want             batch.Outcome
	}{
		{"passed", "a", `echo noise; report '<testcase classname="k" name="a" file="f.py" line="7" time="1.5"><system-out>much</system-out></testcase>'`,
			batch.Outcome{Status: batch.Passed, Seconds: 1.5, Cases: []batch.Case{
				{Classname: "k", Name: "a", Status: batch.Passed, Seconds: 1.5, File: "f.py", Line: 7}}}},
		{"failed with details", "k::a", `echo noise; report '<testcase classname="k" name="a" file="f.py" line="7" time="1.5"><failure message="one
two">trace</failure><system-out>out</system-out><system-err>err</system-err></testcase>'`,
			batch.Outcome{Status: batch.Failed, Seconds: 1.5, Message: "one two", File: "f.py", Line: 7, Output: "trace\nout\nerr\n", Cases: []batch.Case{
				{Classname: "k", Name: "a", Status: batch.Failed, Seconds: 1.5, Message: "one two", File: "f.py", Line: 7}}}},
		{"failed without details", "a", `echo noise; echo noise >&2; report '<testcase name="a"><failure/></testcase>'`,
			batch.Outcome{Status: batch.Failed, Message: "failed without a message", Output: "noise\nnoise\n", Cases: []batch.Case{
				{Name: "a", Status: batch.Failed, Message: "failed without a message"}}}},
		{"errored", "a", `report '<testcase name="a"><error type="E">line 1</error></testcase>'`,
			batch.Outcome{Status: batch.Failed, Message: "line 1", Output: "line 1\n", Cases: []batch.Case{
				{Name: "a", Status: batch.Failed, Message: "line 1"}}}},
		{"skipped", "a", `report '<testcase name="a"><skipped message="not here"/></testcase>'`,
			batch.Outcome{Status: batch.Skipped, Message: "not here", Cases: []batch.Case{
				{Name: "a", Status: batch.Skipped, Message: "not here"}}}},
		{"all cases of a class", "k", `report '<testcase classname="k" name="x" time="1"/><testcase classname="k" name="y" time="2"><failure message="m1">t1</failure></testcase>
			<testcase classname="k" name="z" time="3"><skipped/></testcase><testcase classname="k" name="w"><error message="m2">t2</error></testcase>'`,
			batch.Outcome{Status: batch.Failed, Seconds: 6, Message: "m1 (and 1 more)", Output: "--- k.y\nt1\n\n--- k.w\nt2\n\n", Cases: []batch.Case{
				{Classname: "k", Name: "x", Status: batch.Passed, Seconds: 1},
				{Classname: "k", Name: "y", Status: batch.Failed, Seconds: 2, Message: "m1", Output: "t1\n"},
				{Classname: "k", Name: "z", Status: batch.Skipped, Seconds: 3},
				{Classname: "k", Name: "w", Status: batch.Failed, Message: "m2", Output: "t2\n"}}}},
		{"some cases skipped", "f", `report '<testcase file="f" name="x"><skipped/></testcase><testcase file="f" name="y"/>'`,
			batch.Outcome{Status: batch.Passed, Cases: []batch.Case{
				{Name: "x", File: "f", Status: batch.Skipped}, {Name: "y", File: "f", Status: batch.Passed}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, runCommand(t, script(t, tt.script), tt.id).outcomes[tt.id]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// However much the command prints and reports, what is told is bounded.
func TestCommandFlood(t *testing.T) {
	t.Run("output", func(t *testing.T) {
		got := runCommand(t, script(t, `head -c 50000000 /dev/zero | tr '\0' 'x'; echo; echo last; report "$1"; exit 3`, passA), "a")
		if len(got.problems) != 1 || len(got.problems[0].Details) > 5<<10 || !strings.HasSuffix(got.problems[0].Details, "x\nlast") {
			t.Errorf("%.200v", got.problems)
		}
		got = runCommand(t, script(t, "head -c 50000000 /dev/zero; echo dying >&2; kill -KILL $$"), "a")
		if o := got.outcomes["a"]; o.Status != batch.Crashed || len(o.Output) > 3*outputEnds || !strings.HasSuffix(o.Output, "\x00dying\n") {
			t.Errorf("%s, %d bytes of output that end with %q", o.Status, len(o.Output), o.Output[max(len(o.Output)-10, 0):])
		}
		got = runCommand(t, script(t, `head -c 50000000 /dev/zero; report '<testcase name="a"><failure/></testcase>'`), "a")
		if n := len(got.outcomes["a"].Output); n < 2*outputEnds || n > 3*outputEnds {
			t.Errorf("%d bytes of output", n)
		}
	})
	t.Run("cases", func(t *testing.T) {
		got := runCommand(t, script(t, `report "$(for i in $(seq 1000); do printf '<testcase classname="k" name="%s"><failure>' $i; printf '%02000d' $i; printf '</failure></testcase>'; done)"`), "k")
		o, n := got.outcomes["k"], 0
		for _, c := range o.Cases {
			n += len(c.Output)
		}
		if len(o.Cases) != 1000 || n > maxCaseOutput || len(o.Output) > 3*outputEnds {
			t.Errorf("%d cases with %d bytes, %d bytes of output", len(o.Cases), n, len(o.Output))
		}
	})
	t.Run("strangers", func(t *testing.T) {
		got := runCommand(t, script(t, `report "`+strings.ReplaceAll(passA, `"`, `\"`)+`$(for i in $(seq 1000); do printf '<testcase name="%s"><failure/></testcase>' x$i; done)"`), "a")
		if n := len(got.problems); n != 21 || got.problems[20].Message != "980 more cases failed that are none of the tests" {
			t.Errorf("%d problems, the last %+v", n, got.problems[n-1])
		}
	})
}

func TestLastLines(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"\n\n", ""},
		{"a", "a"},
		{"\na\n\nb\n\n", "\na\n\nb"},
		{strings.Repeat("x\n", 19) + "y\n", strings.Repeat("x\n", 19) + "y"},
		{"gone\n" + strings.Repeat("x\n", 20), strings.Repeat("x\n", 19) + "x"},
		{strings.Repeat("é", 5000), strings.Repeat("é", 2048)},
		{strings.Repeat("é", 5000) + "x", strings.Repeat("é", 2047) + "x"},
	} {
		if got := lastLines(tt.in); got != tt.want {
			t.Errorf("%.60q: %.60q, want %.60q", tt.in, got, tt.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{" a\n\t b ", "a b"},
		{strings.Repeat("é", 251), strings.Repeat("é", 250) + "…"},
		{"x" + strings.Repeat("é", 250), "x" + strings.Repeat("é", 249) + "…"},
		{fmt.Sprintf("%500d", 1), "1"},
	} {
		if got := oneLine(tt.in); got != tt.want {
			t.Errorf("%.60q: %.60q, want %.60q", tt.in, got, tt.want)
		}
	}
}

// TestCommandAgain says that somebody is told why tests run again, with what the command printed.
func TestCommandAgain(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"nothing to tell", `report '` + passA + passB + `'`, ""},
		{"killed", "echo hello; report '" + passA + "'; kill -KILL $$",
			"sh: the command was killed by SIGKILL, often because the machine ran out of memory in a batch of 2; not known to have run, and to run again, each alone: 2. The last that it printed:\nhello"},
		{"no report", "echo cannot connect >&2; exit 2", "sh: the command ended with exit status 2 in a batch of 2; not known to have run, and to run again, each alone: 2. The last that it printed:\ncannot connect"},
		{"one is left out", "report '" + passA + "'", "sh: the command ended with exit status 0 in a batch of 2; not known to have run, and to run again, each alone: 1. The last that it printed:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			command, said := script(t, c.script), ""
			command.say = func(text string) { said += text }
			runCommand(t, command, "a", "b")
			if diff := cmp.Diff(c.want, said); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	alone := script(t, "exit 2")
	alone.say = func(text string) { t.Errorf("a test that is alone has it in its outcome: %s", text) }
	runCommand(t, alone, "a")
}
