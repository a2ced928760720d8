package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// runnersTable is the environment variable that makes TestRunnersTable run, which takes minutes. `make bench-runners` sets it.
const runnersTable = "SHARDCTL_RUNNERS_TABLE"

// runnersRow is a suite, and how to run it without this program.
type runnersRow struct {
	suite string
	// dir makes the folder of the suite. It skips the test if something is not installed.
	dir func(t *testing.T) string
	// runner is what shardctl gets before --workers, args what comes after --.
	runner, args []string
	// plain runs the suite with its runner alone, peer with the runner's own means for n processes; nil: it has none but its threads.
	plain []string
	peer  func(n string) []string
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
	xdist := func(n string) []string { return slices.Concat(pytest, []string{"-n", n}, pytestQuiet) }
	preset := []string{"--runner", "pytest", "--runner-command", strings.Join(pytest, " ")}
	goFlags := []string{"-short", "-vet=off"}
	table := fmt.Sprintf("<!-- made by `make bench-runners` on %d CPUs -->\n\n| suite | alone | peer, 2 | 2 workers, first run | 2 workers, again | a process for each batch | peer, 4 | 4 workers |\n"+
		"| --- | --- | --- | --- | --- | --- | --- | --- |\n", runtime.NumCPU())
	for _, row := range []runnersRow{
		{suite: "pytest, 2,000 tests that do nothing", dir: noOpTests, runner: preset, args: pytestQuiet, plain: slices.Concat(pytest, pytestQuiet), peer: xdist},
		{suite: "pytest, networkx", dir: networkx, runner: preset, args: pytestQuiet, plain: slices.Concat(pytest, pytestQuiet), peer: xdist},
		{suite: "go, a part of the standard library", dir: (*testing.T).TempDir, runner: append([]string{"--runner", "go"}, gostd...), args: goFlags,
			plain: slices.Concat([]string{"go", "test", "-count=1"}, goFlags, gostd)},
	} {
		t.Run(row.suite, func(t *testing.T) {
			w := newWorld(t, "GOFLAGS=")
			w.dir = row.dir(t)
			var plain time.Duration
			cells := []string{row.suite}
			cell := func(took time.Duration) {
				if plain == 0 {
					plain = took
				}
				cells = append(cells, fmt.Sprintf("%.1f s (%.0f %%)", took.Seconds(), 100*took.Seconds()/plain.Seconds()))
			}
			took := func(words []string) {
				t.Helper()
				cmd := exec.Command(words[0], words[1:]...)
				cmd.Dir, cmd.Env = w.dir, w.env
				since := time.Now()
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%q: %v\n%s", words, err, out)
				}
				cell(time.Since(since))
			}
			peer := func(n string) {
				if row.peer == nil {
					cells = append(cells, "-")
					return
				}
				took(row.peer(n))
			}
			timings := filepath.Join(t.TempDir(), "timings.json")
			ours := func(workers string, more ...string) {
				t.Helper()
				args := slices.Concat([]string{"run", "--workers", workers, "--timings", timings}, more, row.runner, []string{"--"}, row.args)
				since := time.Now()
				w.long("shardctl", args...).expect(t, 0, "PASSED")
				cell(time.Since(since))
			}
			took(row.plain)
			peer("2")
			ours("2")
			ours("2")
			if row.peer == nil {
				cells = append(cells, "-")
			} else {
				ours("2", "--persistent=off")
			}
			peer("4")
			ours("4")
			table += "| " + strings.Join(cells, " | ") + " |\n"
		})
	}
	fmt.Print(table)
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
