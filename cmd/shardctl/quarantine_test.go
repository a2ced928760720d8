package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/junit"
)

// A test in quarantine runs, and fails no run until its last day is over; everybody tells the same verdict, also who knows nothing of
// .shard.yml.
func TestQuarantine(t *testing.T) {
	tests := list(t, "good", "known bad", "old bad")
	failing := write(t, t.TempDir(), "failing", "known bad\nold bad\n")
	template := fake(t, "-stdin", "-junit", "{junit}", "-failing", failing)
	t.Chdir(t.TempDir())
	configure := func(oldUntil string) {
		must(t, os.WriteFile(".shard.yml", []byte(`quarantine:
- {test: known *, owner: anna, reason: "waits for #7", until: 2999-12-31}
- {test: old *, owner: ben, reason: slow, until: `+oldUntil+`}
- {test: no such test, owner: carl, reason: typo, until: 2999-12-31}
`), 0o644))
	}

	configure("2999-12-31")
	url := "redis://" + batchtest.Embedded(t).Options().Addr
	report := filepath.Join(t.TempDir(), "junit.xml")
	green := []string{"PASSED: 1 of 3 tests passed, 2 quarantined failures", "In quarantine, which keeps failures from failing the run: 2, of which failed: 2",
		"in quarantine until 2999-12-31, see anna: waits for #7"}
	shardctl(t, with(template, "run", "--redis-url", url, "--run-id", "r", "--workers", "2", "--tests", tests, "--junit", report, "--fail-fast")...).
		expect(t, 0, append(green, `.shard.yml:4: the quarantine of "no such test" (carl) fits no test of this list`)...)
	for id, status := range statuses(t, report) {
		if want := map[bool]junit.Status{true: junit.Passed, false: junit.Skipped}[strings.HasSuffix(id, "good")]; status != want {
			t.Errorf("%s is %s in the JUnit report", id, status)
		}
	}
	must(t, os.Remove(".shard.yml"))
	shardctl(t, "wait", "--redis-url", url, "--run-id", "r").expect(t, 0, green...)
	shardctl(t, "report", "--redis-url", url, "--run-id", "r").expect(t, 0, green...)

	configure("2001-12-31")
	shardctl(t, with(template, "run", "--workers", "2", "--tests", tests)...).expect(t, 1, "FAILED: 1 of 3 tests failed, 1 passed, 1 quarantined failure",
		`.shard.yml:3: the quarantine of "old *" (ben) ended with 2001-12-31: its failures fail the run again; mend what it fits, 1 test,`)

	must(t, os.WriteFile(".shard.yml", []byte("quarantine:\n- test: a\n  until: soon\n"), 0o644))
	shardctl(t, with(template, "run", "--workers", "2", "--tests", tests)...).expect(t, 2, `.shard.yml:3: the until of an entry of quarantine is "soon": write the last day as 2006-01-02`)
}
