package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// runnersTable is the environment variable that makes TestRunnersTable run, which takes minutes. `make bench-runners` sets it.
const runnersTable = "SHARDCTL_RUNNERS_TABLE"

// runnersSuite is a suite, and how to run it without this program.
type runnersSuite struct {
	name string
	// dir makes the folder of the suite. It skips the test if something is not installed.
	dir func(t *testing.T) string
	// runner is what shardctl gets before --workers, args what comes after --.
	runner, args []string
	// plain runs the suite with its runner alone, load with the runner's own means for n processes; nil: it has none but its threads.
	// none, added to plain, runs no test, but compiles what the first run would.
	plain, none []string
	load        func(n string) []string
	// lasting is whether the runner is kept from batch to batch.
	lasting bool
}

// TestRunnersTable prints a table in Markdown: what a suite takes with its own runner, with the runner's own way to use several
// processes, and with as many workers, which know no durations in their first run. All is measured once, one after the other:
// read the ratios, on a machine that is quiet.
func TestRunnersTable(t *testing.T) {
	if os.Getenv(runnersTable) == "" {
		t.Skipf("it takes minutes: `make bench-runners`, or set %s=1", runnersTable)
	}
	must(t, buildPrograms()) // not in the time of a row
	pytest := []string{debianPython, "-m", "pytest"}
	plain := slices.Concat(pytest, pytestQuiet)
	xdist := func(n string) []string { return slices.Concat(plain, []string{"-n", n}) }
	preset := []string{"--runner", "pytest", "--runner-command", strings.Join(pytest, " ")}
	inPytest := func(name string, dir func(*testing.T) string) runnersSuite {
		return runnersSuite{name: "pytest, " + name, dir: dir, runner: preset, args: pytestQuiet, plain: plain, none: []string{"--collect-only"}, load: xdist, lasting: true}
	}
	goFlags := []string{"-short", "-vet=off"}
	table := fmt.Sprintf("<!-- made by `make bench-runners` on %d CPUs -->\n\n| suite | alone | workers | xdist `load` | xdist `worksteal` | ours, first run | again | predicted | a process for each batch |\n"+
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n", runtime.NumCPU())
	for _, suite := range []runnersSuite{
		inPytest("2,000 tests that do nothing", noOpTests),
		inPytest("60 tests that sleep, 60 s in all, the longest 6.3 s", sleepingTests),
		inPytest("networkx", func(t *testing.T) string { return installed(t, "networkx") }),
		{name: "go, the standard library", dir: (*testing.T).TempDir, runner: append([]string{"--runner", "go"}, gostdWhole...), args: goFlags,
			plain: slices.Concat([]string{"go", "test", "-count=1"}, goFlags, gostdWhole), none: []string{"-run", "^$"}},
	} {
		t.Run(suite.name, func(t *testing.T) {
			b := &runnersBench{t: t, w: newWorld(t, "GOFLAGS="), suite: suite}
			b.w.dir = suite.dir(t)
			b.took(slices.Insert(slices.Clone(suite.plain), 3, suite.none...))
			alone := b.took(suite.plain)
			for i, n := range []string{"2", "4"} {
				cells := []string{suite.name, b.cell(alone), n}
				if i > 0 {
					cells[0], cells[1] = "", ""
				}
				cells = append(cells, b.row(n)...)
				table += "| " + strings.Join(cells, " | ") + " |\n"
			}
		})
	}
	fmt.Print(table)
}

// runnersBench measures a suite.
type runnersBench struct {
	t     *testing.T
	w     *world
	suite runnersSuite
	alone time.Duration
}

// row measures with n workers.
func (b *runnersBench) row(n string) (cells []string) {
	load, worksteal, fresh := "-", "-", "-"
	if b.suite.load != nil {
		load = b.cell(b.took(b.suite.load(n)))
	}
	if b.suite.load != nil && worksteals() {
		worksteal = b.cell(b.took(append(b.suite.load(n), "--dist", "worksteal")))
	}
	timings := filepath.Join(b.t.TempDir(), "timings.json")
	first, _ := b.ours(n, timings)
	again, predicted := b.ours(n, timings)
	if b.suite.lasting {
		took, _ := b.ours(n, timings, "--persistent=off")
		fresh = b.cell(took)
	}
	return []string{load, worksteal, b.cell(first), b.cell(again), predicted, fresh}
}

// took runs a command, which must end well.
func (b *runnersBench) took(words []string) time.Duration {
	b.t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = b.w.dir, b.w.env
	since := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%q: %v\n%s", words, err, out)
	}
	return time.Since(since)
}

var prediction = regexp.MustCompile(`, (\S+) were predicted from the recorded durations \((\S+)\)`)

// ours runs shardctl, and returns what it says of the time that was predicted for the run itself, without the list.
func (b *runnersBench) ours(n, timings string, more ...string) (took time.Duration, predicted string) {
	b.t.Helper()
	args := slices.Concat([]string{"run", "--workers", n, "--timings", timings}, more, b.suite.runner, []string{"--"}, b.suite.args)
	since := time.Now()
	ended := b.w.long("shardctl", args...)
	took = time.Since(since)
	ended.expect(b.t, 0, "PASSED")
	predicted = "-"
	if found := prediction.FindStringSubmatch(ended.err); found != nil {
		predicted = found[1] + ", it took " + found[2]
	}
	return took, predicted
}

// cell is a time, and what part it is of the first that was asked for.
func (b *runnersBench) cell(took time.Duration) string {
	if b.alone == 0 {
		b.alone = took
		return fmt.Sprintf("%.1f s", took.Seconds())
	}
	return fmt.Sprintf("%.1f s (%.0f %%)", took.Seconds(), 100*took.Seconds()/b.alone.Seconds())
}

// worksteals is whether the installed xdist is of a version, 3.2 at least, that has --dist worksteal.
func worksteals() bool {
	out, err := exec.Command(debianPython, "-m", "pytest", "--help").Output()
	return err == nil && strings.Contains(string(out), "worksteal")
}

// sleepingTests makes a folder with 60 tests in 6 files, as skewed as tests are.
func sleepingTests(t *testing.T) string {
	t.Helper()
	needPython(t, "pytest", "xdist")
	random := rand.New(rand.NewPCG(6, 6))
	var seconds [60]float64
	sum := 0.0
	for i := range seconds {
		seconds[i] = math.Exp(random.NormFloat64())
		sum += seconds[i]
	}
	dir := t.TempDir()
	for file := range 6 {
		text := "import time\n"
		for i := file * 10; i < file*10+10; i++ {
			text += fmt.Sprintf("def test_%d(): time.sleep(%.3f)\n", i, seconds[i]*60/sum)
		}
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("test_%d.py", file)), []byte(text), 0o644))
	}
	return dir
}

// noOpTests makes a folder with 2,000 tests in 20 files.
func noOpTests(t *testing.T) string {
	t.Helper()
	needPython(t, "pytest", "xdist")
	dir := t.TempDir()
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "def test_%d(): pass\n", i)
	}
	for i := range 20 {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("test_%d.py", i)), []byte(text.String()), 0o644))
	}
	return dir
}
