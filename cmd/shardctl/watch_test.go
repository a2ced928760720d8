package main

import (
	"testing"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// status --watch shows a run that others attend, to its end, and takes no part in it.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	url := "redis://" + batchtest.Embedded(t).Options().Addr
	where := []string{"--redis-url", url, "--run-id", "r"}
	barrier := t.TempDir()
	template := fake(t, "-stdin", "-junit", "{junit}", "-barrier", barrier)
	run := call{}.start(t, with(template, append([]string{"run", "--workers", "1", "--batch-size", "1", "--tests", list(t, "one", "block")}, where...)...)...)
	run.says("joined")
	watch := call{}.start(t, append([]string{"status", "--watch"}, where...)...)
	watch.says("joined")
	write(t, barrier, "open", "")
	run.wait().expect(t, 0)
	watch.wait().expect(t, 0, "done    every test has a result", "run r: done", "tests: 2, with a result: 2")
	shardctl(t, append([]string{"status", "--watch"}, where...)...).expect(t, 0, "joined", "run r: done")
	shardctl(t, append([]string{"status", "--watch", "--progress", "none"}, where...)...).expect(t, 0, "run r: done")
	shardctl(t, append([]string{"status", "--watch", "--json"}, where...)...).expect(t, 2, "--json and --watch exclude each other")
	shardctl(t, append([]string{"status", "--watch", "--progress", "much"}, where...)...).expect(t, 2, `--progress "much"`)
	shardctl(t, "status", "--watch", "--redis-url", url, "--run-id", "other").expect(t, 3, "Redis holds no run of this id")
}
