package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneProcess says that the process that lists is the first worker's, from the import of its first module on.
func TestOneProcess(t *testing.T) {
	t.Parallel()
	needPython(t, "pytest")
	w := newWorld(t)
	w.dir = t.TempDir()
	module := "import os\nME = [os.environ[name] for name in ('SHARD_RUN_ID', 'SHARD_WORKER_ID', 'SHARD_WORKER_INDEX')]\n" +
		"open('log.txt', 'a').write('loaded\\n')\n" +
		"def test_1(): assert ME == [os.environ[name] for name in ('SHARD_RUN_ID', 'SHARD_WORKER_ID', 'SHARD_WORKER_INDEX')]\n"
	must(t, os.WriteFile(filepath.Join(w.dir, "test_a.py"), []byte(module), 0o644))
	w.run("shardctl", "run", "--workers", "1", "--runner", "pytest", "--runner-command", debianPython+" -m pytest").expect(t, 0, "PASSED: 1 of 1 test passed")
	log, err := os.ReadFile(filepath.Join(w.dir, "log.txt"))
	must(t, err)
	if n := strings.Count(string(log), "loaded"); n != 1 {
		t.Errorf("the module was loaded by %d processes", n)
	}
	w.empty()
}
