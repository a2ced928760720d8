package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/cmd/internal/runner/runnertest"
	"github.com/shardctl/shardctl/junit"
)

// debianPython is the interpreter that has the packages python3-pytest and python3-networkx.
const debianPython = "/usr/bin/python3"

// pytestQuiet keeps pytest from leaving files, and makes it brief.
var pytestQuiet = []string{"-q", "-p", "no:cacheprovider"}

// TestNetworkx runs tests that nobody here wrote with pytest alone and with shardctl, in both modes: the same tests with the
// same statuses.
func TestNetworkx(t *testing.T) {
	t.Parallel()
	samePytest(t, 1, installed(t, "networkx"), "networkx/utils", "networkx/algorithms/assortativity", "networkx/classes/tests/test_graph.py")
}

// TestPythonSuites does so with two whole suites, twice.
func TestPythonSuites(t *testing.T) {
	needSuites(t)
	t.Run("networkx", func(t *testing.T) { samePytest(t, 2, installed(t, "networkx"), "networkx") })
	t.Run("sympy", func(t *testing.T) {
		samePytest(t, 2, installed(t, "sympy"), "sympy/core", "sympy/sets", "sympy/logic", "sympy/combinatorics", "sympy/ntheory", "sympy/geometry")
	})
}

// samePytest compares what pytest reports of patterns in dir with what shardctl does, in each mode as often as rounds says. From the second
// time on it knows the durations.
func samePytest(t *testing.T, rounds int, dir string, patterns ...string) {
	w := newWorld(t)
	w.dir = dir
	report := filepath.Join(t.TempDir(), "plain.xml")
	cmd := exec.Command(debianPython, slices.Concat([]string{"-m", "pytest", "--junit-xml", report}, pytestQuiet, patterns)...)
	cmd.Dir, cmd.Env = dir, w.env
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("pytest: %v\n%s", err, out)
	}
	want := countStatuses(t, report)
	timings := filepath.Join(t.TempDir(), "timings.json")
	for round := range rounds {
		for _, persistent := range []string{"on", "off"} {
			report := filepath.Join(t.TempDir(), persistent+".xml")
			args := []string{"run", "--workers", "2", "--runner", "pytest", "--runner-command", debianPython + " -m pytest", "--persistent=" + persistent,
				"--timings", timings, "--junit", report}
			w.long("shardctl", slices.Concat(args, patterns, []string{"--"}, pytestQuiet)...).expect(t, cmd.ProcessState.ExitCode())
			if diff := cmp.Diff(want, countStatuses(t, report)); diff != "" {
				t.Errorf("persistent=%s, round %d: -pytest +shardctl\n%s", persistent, round+1, diff)
			}
		}
	}
	if len(want) < 100 {
		t.Errorf("only %d tests", len(want))
	}
	t.Logf("%d different cases, the same %d times", len(want), 2*rounds)
	w.empty()
}

// long is run for what takes longer than a test may wait for others.
func (w *world) long(name string, args ...string) result {
	w.t.Helper()
	p := w.start(name, args...)
	<-p.ended
	return p.wait()
}

// countStatuses counts the cases of a JUnit file by class, name and status. The case of a module that is skipped has no class;
// shardctl puts the name of the run in its place.
func countStatuses(t *testing.T, file string) map[string]int {
	t.Helper()
	report, err := junit.ReadFile(file)
	must(t, err)
	all := map[string]int{}
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			class := c.Classname
			if strings.HasPrefix(class, "local-") {
				class = ""
			}
			all[class+"::"+c.Name+" "+string(c.Status)]++
		}
	}
	return all
}

// installed returns a folder with a Python package of Debian that has its tests in itself.
func installed(t *testing.T, pkg string) string {
	t.Helper()
	needPython(t, "pytest", pkg)
	from := filepath.Join("/usr/lib/python3/dist-packages", pkg)
	if _, err := os.Stat(from); err != nil {
		t.Skipf("%s is not installed as a Debian package", pkg)
	}
	dir := t.TempDir()
	must(t, os.CopyFS(filepath.Join(dir, pkg), os.DirFS(from)))
	return dir
}

// needSuites skips the test unless the environment asks for whole suites, which take minutes. `make suites` does.
func needSuites(t *testing.T) {
	t.Helper()
	if os.Getenv("SHARDCTL_SUITES") == "" {
		t.Skip("it takes minutes: `make suites`, or set SHARDCTL_SUITES=1")
	}
}

// needPython skips the test if Debian's Python lacks modules, unless the environment says that pytest must not be passed over.
func needPython(t *testing.T, modules ...string) {
	t.Helper()
	out, err := exec.Command(debianPython, "-c", "import "+strings.Join(modules, ", ")).CombinedOutput()
	if err == nil {
		return
	}
	if required := strings.Fields(os.Getenv(runnertest.Required)); slices.Contains(required, "pytest") || slices.Contains(required, "all") {
		t.Fatalf("%v: %s", err, out)
	}
	t.Skipf("%s lacks one of %q: %s", debianPython, modules, out)
}
