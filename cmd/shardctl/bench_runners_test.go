package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	// plain and peer run the suite alone and with the runner's own means for several processes.
	plain, peer []string
}

// TestRunnersTable prints a table in Markdown: what a suite takes with its own runner, with the runner's own way to use two
// processes, and with two workers. All is measured once, one after the other: read the ratios, on a machine that is quiet.
func TestRunnersTable(t *testing.T) {
	if os.Getenv(runnersTable) == "" {
		t.Skipf("it takes minutes: `make bench-runners`, or set %s=1", runnersTable)
	}
	must(t, buildPrograms()) // not in the time of a row
	pytest := []string{debianPython, "-m", "pytest"}
	table := fmt.Sprintf("<!-- made by `make bench-runners` on %d CPUs -->\n\n| suite | alone | xdist -n 2 | persistent, 2 workers | a process for each batch |\n| --- | --- | --- | --- | --- |\n", runtime.NumCPU())
	for _, row := range []runnersRow{
		{suite: "pytest, 2,000 tests that do nothing", dir: noOpTests, runner: []string{"--runner", "pytest", "--runner-command", strings.Join(pytest, " ")},
			args: pytestQuiet, plain: pytest, peer: append(pytest, "-n", "2")},
		{suite: "pytest, networkx", dir: networkx, runner: []string{"--runner", "pytest", "--runner-command", strings.Join(pytest, " ")},
			args: pytestQuiet, plain: pytest, peer: append(pytest, "-n", "2")},
	} {
		t.Run(row.suite, func(t *testing.T) {
			w := newWorld(t)
			w.dir = row.dir(t)
			took := func(words ...string) time.Duration {
				t.Helper()
				cmd := exec.Command(words[0], words[1:]...)
				cmd.Dir, cmd.Env = w.dir, w.env
				since := time.Now()
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%q: %v\n%s", words, err, out)
				}
				return time.Since(since)
			}
			ours := func(persistent string) time.Duration {
				t.Helper()
				args := append([]string{"run", "--workers", "2", "--persistent=" + persistent}, row.runner...)
				since := time.Now()
				w.long("shardctl", append(append(args, "--"), row.args...)...).expect(t, 0, "PASSED")
				return time.Since(since)
			}
			plain := took(append(row.plain, row.args...)...)
			cells := []string{fmt.Sprintf("%.1f s", plain.Seconds())}
			for _, d := range []time.Duration{took(append(row.peer, row.args...)...), ours("on"), ours("off")} {
				cells = append(cells, fmt.Sprintf("%.1f s (%.0f %%)", d.Seconds(), 100*d.Seconds()/plain.Seconds()))
			}
			table += fmt.Sprintf("| %s | %s |\n", row.suite, strings.Join(cells, " | "))
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
