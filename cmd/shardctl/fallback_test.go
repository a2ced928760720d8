package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
)

// Without a Redis each job runs its shard, and the merge proves that the shards are the list. A run that is run again does not
// fall back: its first attempt may have been on Redis.
func TestFallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "SHARD_REDIS_URL=redis://127.0.0.1:1")
	tests := number("test ", 20)
	file := list(t, tests...)
	shard := func(i int, env ...string) (*process, string) {
		junit := filepath.Join(t.TempDir(), "junit.xml")
		p := w.start("shardworker", "--elect", "--run-id", "r", "--fallback", "static", "--shard", fmt.Sprintf("%d/3", i), "--tests", file,
			"--junit", junit, "--", "sh", "-c", passAll)
		return p, junit
	}
	var processes []*process
	merge := []string{"merge", "--expect", file, "--output", filepath.Join(t.TempDir(), "all.xml")}
	for i := 1; i <= 3; i++ {
		p, junit := shard(i)
		processes, merge = append(processes, p), append(merge, junit)
	}
	for _, p := range processes {
		p.wait().expect(t, 0, "PASSED", "static split")
	}
	w.run("shardctl", merge...).expect(t, 0)
	w.run("shardctl", merge[:len(merge)-1]...).expect(t, 3) // a shard that nobody ran

	// Whatever one of the jobs knows of durations, all split alike.
	known := write(t, t.TempDir(), "timings.json", `{"version": 1, "tests": {"test 3": {"seconds": 9}, "test 4": {"seconds": 5}}}`)
	digest := regexp.MustCompile(`split [0-9a-f]+ of 20 tests`)
	ignorant := digest.FindString(processes[0].wait().err)
	informed := w.run("shardworker", "--elect", "--run-id", "k", "--fallback", "static", "--shard", "1/3", "--timings", known, "--tests", file,
		"--", "sh", "-c", passAll).expect(t, 0, ignorant)
	if ignorant == "" {
		t.Errorf("no digest:\n%s", informed.err)
	}

	// Durations that are kept in Redis are out of reach, too: all jobs do without.
	alone := filepath.Join(t.TempDir(), "junit.xml")
	w.start("shardworker", "--elect", "--run-id", "s", "--fallback", "static", "--shard", "1/1", "--timings", "redis", "--tests", file,
		"--junit", alone, "--", "sh", "-c", passAll).wait().expect(t, 0, "PASSED")
	// A shard of no split would be passed over.
	for _, flag := range []string{"--shard=1/3", "--shard-index=0", "--shard-total=3"} {
		w.run("shardworker", "--elect", "--run-id", "s", flag, "--tests", file, "--", "true").expect(t, 2, "--fallback static")
	}
	// Which shard it is has to be known before it matters.
	w.run("shardworker", "--elect", "--run-id", "s", "--fallback", "static", "--tests", file, "--", "true").expect(t, 2, "which shard")

	again := newWorld(t, "SHARD_REDIS_URL=redis://127.0.0.1:1", "GITHUB_REPOSITORY=a/b", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=2")
	again.run("shardworker", "--elect", "--fallback", "static", "--shard", "1/3", "--tests", file, "--", "true").expect(t, 3, "run again")
}

// passAll reports every test that it is given as passed.
const passAll = `{ echo '<testsuite>'; while read -r t; do echo "<testcase name='$t'/>"; done; echo '</testsuite>'; } > "$SHARD_JUNIT"`
