package main

import (
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// TestDoctorRedis: a line for each thing, and the exit status of the worst.
func TestDoctorRedis(t *testing.T) {
	t.Parallel()
	const all = "default on >hunter2 ~* &* +@all"
	for name, test := range map[string]struct {
		args   []string
		user   string // in the words of ACL SETUSER
		status int
		says   []string
	}{
		"as it should be": {nil, all, 0, []string{"ok    version", "ok    eviction", "ok    memory", "ok    latency", "ok    clients", "ok    scripts", "ok    rights"}},
		"evicts":          {[]string{"--maxmemory", "512mb", "--maxmemory-policy", "allkeys-lru"}, all, 0, []string{"warn  eviction     maxmemory-policy is allkeys-lru", "set it to noeviction"}},
		"full":            {[]string{"--maxmemory", "1"}, all, 3, []string{"fail  memory", "make it larger"}},
		"no rights":       {nil, "default on >hunter2 ~* +@connection +@transaction", 3, []string{"warn  memory       INFO is refused", "fail  scripts", "fail  rights", "+hset ", "+evalsha "}},
		"no such keys":    {nil, "default on >hunter2 ~cache:* +@all", 3, []string{"fail  rights", "grant ~{shard:*"}},
		"not even PING":   {nil, "default on >hunter2 ~* +@all -ping", 2, []string{"refuses us", "NOPERM", "the user's rights (shardctl doctor --acl"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			users := write(t, t.TempDir(), "users.acl", "user "+test.user+"\n")
			server := batchtest.StartReal(t, append(test.args, "--aclfile", users)...)
			r := shardctl(t, "doctor", "--redis-url", "redis://:hunter2@"+server.Addr+"/0").expect(t, test.status, test.says...)
			silentAbout(t, r, "hunter2")
			if test.status == 3 != strings.Contains(r.out, "fail  ") {
				t.Errorf("exit status %d:\n%s", r.status, r.out)
			}
		})
	}
}

// TestDoctorFarRedis: a Redis that is far away serves, and slowly.
func TestDoctorFarRedis(t *testing.T) {
	t.Parallel()
	p := newProxy(t, batchtest.StartReal(t).Addr)
	p.delay.Store(int64(30 * time.Millisecond))
	shardctl(t, "doctor", "--redis-url", "redis://"+p.addr).expect(t, 0, "warn  latency", "use a Redis near to the workers")
}

// TestEvictionWarning: who opens a run says once that Redis may drop data of it, if Redis tells.
func TestEvictionWarning(t *testing.T) {
	t.Parallel()
	acl := strings.Replace(shardctl(t, "doctor", "--acl").out, "PASSWORD", "x", 1)
	users := write(t, t.TempDir(), "users.acl", "user default on nopass ~* +@all\n"+acl)
	addr := batchtest.StartReal(t, "--maxmemory", "512mb", "--maxmemory-policy", "allkeys-lfu", "--aclfile", users).Addr
	w := newWorld(t)
	for name, test := range map[string]struct {
		user  string
		warns int
	}{"told": {"", 1}, "not told": {"shardctl:x@", 0}} {
		for program, args := range map[string][]string{
			"run":     {"shardctl", "run", "--workers", "1", "--tests", list(t, "a"), "--", "true"},
			"enqueue": {"shardctl", "enqueue", "--tests", list(t, "a", "b"), "--seal"},
			"elected": {"shardworker", "--elect", "--tests", list(t, "a"), "--", "true"},
		} {
			t.Run(program+", "+name, func(t *testing.T) {
				t.Parallel()
				where := []string{"--redis-url", "redis://" + test.user + addr, "--run-id", program + name[:3]}
				at := 1
				if args[0] == "shardctl" {
					at = 2
				}
				r := w.run(args[0], append(append(append([]string{}, args[1:at]...), where...), args[at:]...)...)
				if n := strings.Count(r.err, "warn: maxmemory-policy is allkeys-lfu: when its 512 MiB are full Redis drops data of runs; set it to noeviction"); n != test.warns {
					t.Errorf("warned %d times, want %d:\n%s%s", n, test.warns, r.out, r.err)
				}
			})
		}
	}
}
