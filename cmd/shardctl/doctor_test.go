package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// TestDoctorACL: what it prints is one line, for one run or for all. All may keep durations; one run may where it is told whose.
func TestDoctorACL(t *testing.T) {
	t.Parallel()
	all := shardctl(t, "doctor", "--acl").expect(t, 0, "user shardctl on >PASSWORD resetkeys ~{shard:* ~{shard-timings:* resetchannels -@all +client|list ")
	one := shardctl(t, "doctor", "--acl", "--run-id", "repo/1", "--user", "ci").expect(t, 0)
	equal(t, strings.NewReplacer("user shardctl", "user ci", "{shard:* ~{shard-timings:*", "{shard:repo/1}*").Replace(all.out), one.out)
	own := shardctl(t, "doctor", "--acl", "--run-id", "repo/1", "--user", "ci", "--timings-name", "a/b").expect(t, 0)
	equal(t, strings.Replace(one.out, "{shard:repo/1}*", "{shard:repo/1}* ~{shard-timings:a/b}", 1), own.out)
	shardctl(t, "doctor", "--acl", "--timings-name", "a *").expect(t, 2, "--timings-name")
	if strings.Count(all.out, "\n") != 1 {
		t.Errorf("more than one line:\n%s", all.out)
	}
}

// TestRunWithFewRights runs on a server that knows no user but the one that doctor prints, and kills a worker. Without the
// right to see who is connected, its death is noticed by the lease. The password is nowhere.
func TestRunWithFewRights(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		revoked, noticed string
		sentinel         bool
	}{
		"all that doctor prints": {revoked: "", noticed: "its connection is closed"},
		"through a sentinel":     {revoked: "", noticed: "its connection is closed", sentinel: true},
		"no client list":         {revoked: " +client|list", noticed: "no sign of life for 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := shardctl(t, "doctor", "--acl", "--run-id", "r", "--user", "ci").expect(t, 0, test.revoked).out
			user = strings.NewReplacer("PASSWORD", "hunter2", test.revoked+" ", " ").Replace(user)
			server := batchtest.StartReal(t, "--aclfile", write(t, t.TempDir(), "users.acl", "user default off\n"+user))

			url := "redis://ci:hunter2@" + server.Addr + "/1"
			options, err := redis.ParseURL(url)
			must(t, err)
			rdb := redis.NewClient(options)
			defer rdb.Close()
			if test.sentinel {
				url = "redis+sentinel://ci:hunter2@" + batchtest.StartSentinel(t, masterName, server.Addr, 1).Addr + "/" + masterName + "/1"
			}

			w, g, report := newWorld(t, "SHARD_REDIS_URL="+url, "SHARD_RUN_ID=r"), barrier(t.TempDir()), filepath.Join(t.TempDir(), "junit.xml")
			controller := w.start("shardctl", "run", "--lease", "2s", "--workers", "0", "--tests", list(t, "a", "block1"), "--junit", report)
			worker := func(name string) *process {
				return w.start("shardworker", with(fake(t, "-barrier", string(g), "-junit", "{junit}", "-stdin"), "--name", name)...)
			}
			first := worker("w1")
			g.blocked(t, 1)
			q := attach(t, rdb, "r")
			until(t, "the controller to know the worker's connection", func() bool {
				workers, err := q.Workers(t.Context())
				must(t, err)
				return len(workers) == 1 && workers[0].Beat >= 4
			})
			first.signal(syscall.SIGKILL)
			controller.says("LOST    worker w1.")
			second := worker("w2")
			g.open(t)
			results := []result{
				controller.wait().expect(t, 0, "all 2 tests passed", test.noticed),
				second.wait().expect(t, 0),
				first.wait().expect(t, 128+9),
				w.run("shardctl", "status").expect(t, 0, "run r: done"),
				w.run("shardctl", "doctor").expect(t, 0, "answers", "ok    rights"),
				w.run("shardctl", "clean").expect(t, 0, "keys deleted"),
			}
			allPassed(t, report, "a", "block1")
			text, err := os.ReadFile(report)
			must(t, err)
			for _, r := range append(results, result{out: string(text)}) {
				silentAbout(t, r, "hunter2")
			}
		})
	}
}
