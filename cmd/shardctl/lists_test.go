package main

import (
	"path/filepath"
	"testing"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// A list command may leave something running that holds its output; a byte order mark is no part of the first name.
func TestListCommandWithBackgroundChild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("shardctl", with(fake(t, "-junit", "{junit}", "-stdin"), "run", "--workers", "1", "--list-command", `sleep 600 & printf '\357\273\277a\n b\n'; echo $! >pid`)...).
		expect(t, 0, "all 2 tests passed", `begins or ends with blanks, which belong to it test=" b"`)
	w.run("shardctl", "list", "--list-command", `kill "$(cat pid)"; echo a`).expect(t, 0, "a\n")
}

// The same names with other flags are another run.
func TestSameListWithOtherFlags(t *testing.T) {
	t.Parallel()
	url := "redis://" + batchtest.Real(t).Options().Addr
	tests := list(t, "a", "b")
	run := func(flags ...string) result {
		return shardctl(t, with(fake(t, flags...), "run", "--redis-url", url, "--run-id", "r", "--workers", "0", "--run-timeout", "1ms", "--tests", tests)...)
	}
	run("-stdin").expect(t, 3, "aborted")
	shardctl(t, "clean", "--redis-url", url, "--run-id", "r").expect(t, 0)
	c := call{}.start(t, with(fake(t, "-stdin"), "run", "--redis-url", url, "--run-id", "r", "--workers", "0", "--tests", tests)...)
	c.says("run r: 2 tests")
	run("-stdin", "-mode", "fail").expect(t, 2, "another runner, flags or system")
	shardctl(t, "abort", "--redis-url", url, "--run-id", "r").expect(t, 0)
	c.wait().expect(t, 3, "aborted")
}

// Where a report cannot be written, the run does not begin.
func TestUnwritableReport(t *testing.T) {
	t.Parallel()
	shardctl(t, with(fake(t, "-junit", "{junit}", "-stdin"), "run", "--workers", "1", "--tests", list(t, "a"), "--junit", t.TempDir())...).
		expect(t, 2, "--junit", "is a folder")
	shardctl(t, with(fake(t, "-junit", "{junit}", "-stdin"), "run", "--workers", "1", "--tests", list(t, "a"),
		"--junit", filepath.Join(list(t, "a"), "x.xml"))...).expect(t, 2, "--junit", "not a directory")
}
