package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// commandsWithRedis are calls of every command that needs a Redis.
func commandsWithRedis(t *testing.T) map[string][]string {
	tests := list(t, "a")
	return map[string][]string{
		"run":     {"run", "--run-id", "r", "--tests", tests, "--", "true"},
		"enqueue": {"enqueue", "--run-id", "r", "--tests", tests},
		"wait":    {"wait", "--run-id", "r"},
		"status":  {"status", "--run-id", "r"},
		"abort":   {"abort", "--run-id", "r"},
		"clean":   {"clean", "--run-id", "r"},
		"doctor":  {"doctor", "--run-id", "r"},
	}
}

// redisURL is args with --redis-url, before a template if there is one.
func redisURL(args []string, url string) []string {
	return append([]string{args[0], "--redis-url", url}, args[1:]...)
}

// Nothing listens at the address: the command tries for a while, and gives up with exit status 3.
func TestRedisOutOfReach(t *testing.T) {
	t.Parallel()
	url := "redis://anna:hunter2@" + closedPort(t)
	for name, args := range commandsWithRedis(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call{patience: 300 * time.Millisecond}.run(t, redisURL(args, url)...)
			r.expect(t, 3, "warn: Redis at", "trying for 300ms", "connection refused", "cannot be reached", "is it running", "anna")
			silentAbout(t, r, "hunter2")
		})
	}
}

// A server that comes up while a command still tries is fine.
func TestRedisThatIsLate(t *testing.T) {
	t.Parallel()
	addr := closedPort(t)
	status := call{patience: patience}.start(t, "status", "--redis-url", "redis://"+addr, "--run-id", "r")
	status.says("does not answer")
	server := miniredis.NewMiniRedis()
	must(t, server.StartAddr(addr))
	defer server.Close()
	status.wait().expect(t, 3, "Redis holds no run of this id")
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	server := batchtest.StartReal(t, "--requirepass", "correct-horse")
	for name, args := range commandsWithRedis(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := shardctl(t, redisURL(args, "redis://:hunter2@"+server.Addr)...).expect(t, 2, "refuses us", "WRONGPASS", "password")
			silentAbout(t, r, "hunter2")
			r = shardctl(t, redisURL(args, "redis://"+server.Addr)...).expect(t, 2, "refuses us", "NOAUTH", "password")
			silentAbout(t, r, "correct-horse")
		})
	}
	r := shardctl(t, "status", "--redis-url", "redis://:correct-horse@"+server.Addr, "--run-id", "r").expect(t, 3, "no run of this id")
	silentAbout(t, r, "correct-horse")
}

// A URL that cannot be used is a usage error, and whatever may be a password in it is not shown.
func TestBadRedisURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ url, says string }{
		{"hunter2", "(not a URL)"},
		{"hunter2.example.com:hunter2", "(not a URL)"},
		{"anna:hunter2@127.0.0.1:6379", "…@127.0.0.1:6379"},
		{":hunter2@127.0.0.1:6379", "…@127.0.0.1:6379"},
		{"redis:anna:hunter2@127.0.0.1", "…@127.0.0.1"},
		{"redis://:hunter2", "(not a URL)"},
		{"redis://anna:hunter2", "(not a URL)"},
		{"redis://anna:x/hunter2@127.0.0.1:6379/0", "write % as %25, / as %2F"},
		{"redis://anna:1234/hunter2@127.0.0.1:6379/0", "write % as %25, / as %2F"},
		{"redis://anna:x?hunter2@127.0.0.1:6379", "? as %3F"},
		{"redis://anna:1?hunter2@127.0.0.1:6379", "? as %3F"},
		{"redis://anna:x#hunter2@127.0.0.1:6379", "# as %23"},
		{"redis://anna:1#hunter2@127.0.0.1:6379", "# as %23"},
		{"redis://anna:%hunter2@127.0.0.1:6379", "% as %25"},
		{"redis://anna:x\nhunter2@127.0.0.1:6379", "cannot be read"},
		{"redis://anna:hunter2@127.0.0.1:6379/first", `redis://anna:xxxxx@127.0.0.1:6379/first: redis: invalid database number: "first"`},
		{"redis://anna:hunter2@127.0.0.1:port", "…@127.0.0.1:port"},
		{"redis://127.0.0.1:6379?password=hunter2", "unexpected option: password"},
		{"http://anna:hunter2@127.0.0.1:6379", "invalid URL scheme: http"},
		{"", "no Redis"},
	} {
		t.Run(test.url, func(t *testing.T) {
			t.Parallel()
			args := []string{"status", "--run-id", "r"}
			byFlag := shardctl(t, append(args, "--redis-url", test.url)...).expect(t, 2, test.says, "redis://")
			silentAbout(t, byFlag, "hunter2")
			for _, name := range []string{"SHARD_REDIS_URL", "REDIS_URL"} {
				equal(t, byFlag, call{env: map[string]string{name: test.url}}.run(t, args...))
			}
		})
	}
}

func silentAbout(t *testing.T, r result, secret string) {
	t.Helper()
	if strings.Contains(r.out+r.err, secret) {
		t.Errorf("the password is in the output:\n%s%s", r.out, r.err)
	}
}
