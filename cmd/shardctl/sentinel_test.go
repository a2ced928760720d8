package main

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
)

const (
	masterName = "mymaster"
	// The passwords of Redis and of its sentinels, as they are and as a URL has them.
	redisPassword, redisPasswordInURL       = "hunter2/x", "hunter2%2Fx"
	sentinelPassword, sentinelPasswordInURL = "hunter3&x", "hunter3%26x"
)

// guardedRedis is a master with a replica, and three sentinels who make the replica the master when that is gone.
type guardedRedis struct {
	t               *testing.T
	master, replica *redisServer
	sentinels       []*batchtest.Server
}

func newGuardedRedis(t *testing.T) *guardedRedis {
	t.Helper()
	secrets := []string{"--requirepass", redisPassword, "--masterauth", redisPassword, "--repl-diskless-sync-delay", "0"}
	g := &guardedRedis{t: t, master: newServer(t, secrets...), replica: newServer(t, secrets...)}
	host, port, err := net.SplitHostPort(g.master.addr)
	must(t, err)
	must(t, g.client(g.replica).Do(t.Context(), "REPLICAOF", host, port).Err())
	until(t, "the replica", func() bool { return strings.Contains(g.info(g.replica), "master_link_status:up") })
	for range 3 {
		g.sentinels = append(g.sentinels, batchtest.StartSentinel(t, masterName, g.master.addr, 2,
			"requirepass "+sentinelPassword, "sentinel sentinel-pass "+sentinelPassword, "sentinel auth-pass NAME "+redisPassword,
			"sentinel down-after-milliseconds NAME 1000", "sentinel failover-timeout NAME 3000"))
	}
	for _, sentinel := range g.sentinels {
		client := redis.NewSentinelClient(&redis.Options{Addr: sentinel.Addr, Password: sentinelPassword})
		defer client.Close()
		until(t, "the sentinels to know each other and the replica", func() bool {
			known, err := client.Master(t.Context(), masterName).Result()
			return err == nil && known["num-other-sentinels"] == "2" && known["num-slaves"] == "1"
		})
	}
	return g
}

// url is what commands are given.
func (g *guardedRedis) url() string {
	var addrs []string
	for _, sentinel := range g.sentinels {
		addrs = append(addrs, sentinel.Addr)
	}
	return fmt.Sprintf("redis+sentinel://:%s@%s/%s/0?sentinel_password=%s", redisPasswordInURL, strings.Join(addrs, ","), masterName, sentinelPasswordInURL)
}

// client connects past the sentinels.
func (g *guardedRedis) client(s *redisServer) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: s.addr, Password: redisPassword})
	g.t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func (g *guardedRedis) info(s *redisServer) string {
	g.t.Helper()
	info, err := g.client(s).Info(g.t.Context(), "replication").Result()
	must(g.t, err)
	return info
}

// TestSentinelFailover kills the master in mid-run when its replica is behind, so that results are lost that Redis had acknowledged.
// Only the sentinels tell where Redis is now. All tests run, and each has one result.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	tests := number("sleep", 300)
	for name, elect := range map[string]bool{"with a controller": false, "with an elected leader": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuardedRedis(t)
			s := (&redisServer{t: t, addr: g.master.addr}).stage(t)
			s.rdb = g.client(g.master)
			s.cluster = s.in("SHARD_REDIS_URL="+g.url(), "SHARD_RUN_ID=r", "SLEEP=0.02")
			var judges, workers []*process
			supervising := []string{"--lease", "5s", "--tests", list(t, tests...), "--junit", s.report}
			if !elect {
				judges = append(judges, s.start("shardctl", append([]string{"run", "--workers", "0"}, supervising...)...))
				attach(t, s.rdb, "r")
			}
			for _, name := range []string{"w1", "w2", "w3"} {
				args := []string{"--name", name, "--batch-size", "8"}
				if elect {
					args = append(append(args, "--elect"), supervising...)
				}
				workers = append(workers, s.start("shardworker", with(s.template(), args...)...))
			}
			until(t, "the first results", func() bool { return len(s.results()) >= 60 })

			replica := g.client(g.replica)
			must(t, replica.Do(t.Context(), "REPLICAOF", "NO", "ONE").Err()) // as a slow network would, it brings it no more news
			kept, err := replica.HLen(t.Context(), s.keys().Results()).Result()
			must(t, err)
			until(t, "results that the replica does not know", func() bool { return len(s.results()) >= int(kept)+20 })
			lost := len(s.results()) - int(kept)
			g.master.kill()

			var ended []result
			if elect {
				judges = workers
			}
			for _, p := range judges {
				ended = append(ended, p.wait().expect(t, 0, "all 300 tests passed"))
			}
			for _, w := range workers {
				ended = append(ended, w.wait().expect(t, 0))
			}
			allPassed(t, s.report, tests...)
			s.executed(tests...)
			s.rdb = replica
			s.dump()
			s.settled()
			ended = append(ended, s.world.run("shardctl", "status").expect(t, 0, "run r: done"))
			s.empty()
			for _, r := range ended {
				silentAbout(t, r, "hunter")
			}
			t.Logf("the failover took back %d results or more; %d tests ran again", lost, len(s.lines("begun"))-len(tests))
		})
	}
}

// TestSentinelTLS: with rediss+sentinel:// the connections to sentinels and Redis are encrypted, and both have to prove who they are.
func TestSentinelTLS(t *testing.T) {
	t.Parallel()
	authority := httptest.NewTLSServer(nil) // for its certificate, which is good for 127.0.0.1
	defer authority.Close()
	encrypted := func(target string) string {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: authority.TLS.Certificates})
		must(t, err)
		return newProxyAt(t, listener, target).addr
	}
	sentinel := batchtest.StartSentinel(t, masterName, encrypted(batchtest.StartReal(t, "--requirepass", redisPassword).Addr), 1)
	addr := encrypted(sentinel.Addr)
	url := fmt.Sprintf("rediss+sentinel://:%s@%s/%s", redisPasswordInURL, addr, masterName)
	certificate := write(t, t.TempDir(), "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate().Raw})))
	doctor := []string{"doctor", "--redis-url"}
	ended := []result{
		newWorld(t, "SSL_CERT_FILE="+certificate).run("shardctl", append(doctor, url)...).expect(t, 0, "ok    connection", "ok    clients", "ok    rights"),
		shardctl(t, append(doctor, url+"?skip_verify=true")...).expect(t, 0, "ok    connection"),
		shardctl(t, append(doctor, url)...).expect(t, 2, "certificate", "skip_verify=true"),
		call{patience: 300 * time.Millisecond}.run(t, append(doctor, strings.Replace(url, "rediss", "redis", 1))...).expect(t, 3, "cannot be reached"),
	}
	for _, r := range ended {
		silentAbout(t, r, "hunter")
	}
}

// TestBadSentinelURL tells what is wrong with the URL of sentinels, or with what it names. Passwords are nowhere.
func TestBadSentinelURL(t *testing.T) {
	t.Parallel()
	master := batchtest.StartReal(t, "--requirepass", redisPassword)
	sentinel := batchtest.StartSentinel(t, masterName, master.Addr, 1, "requirepass "+sentinelPassword, "sentinel auth-pass NAME "+redisPassword)
	const right, form = "?sentinel_password=" + sentinelPasswordInURL, "expected redis://"
	password := ":" + redisPasswordInURL + "@"
	for name, test := range map[string]struct {
		url    string
		status int
		says   []string
	}{
		"as it should be":         {password + sentinel.Addr + "/" + masterName + right, 3, []string{"holds no run of this id"}},
		"no master":               {password + sentinel.Addr + right, 2, []string{"does not name the master", form}},
		"no sentinel":             {password + "/" + masterName + right, 2, []string{"does not name the sentinels", form}},
		"a database that is none": {"127.0.0.1:1/" + masterName + "/first", 2, []string{`invalid database number: "first"`, form}},
		"too much":                {"127.0.0.1:1/" + masterName + "/0/1", 2, []string{"invalid URL path", form}},
		"an unknown option":       {"127.0.0.1:1/" + masterName + "?sentinal_password=hunter3", 2, []string{"unexpected option: sentinal_password", form}},
		"the password in options": {"127.0.0.1:1/" + masterName + "?password=hunter3", 2, []string{"unexpected option: password", form}},
		"& in a password":         {"127.0.0.1:1/" + masterName + "?sentinel_password=x&hunter3", 2, []string{"in a password write & as %26", form}},
		"% in a password":         {"127.0.0.1:1/" + masterName + "?sentinel_password=%hunter3", 2, []string{"in a password write % as %25", form}},
		"@ in a password":         {password + "127.0.0.1:1/" + masterName + "?sentinel_password=hunter3@x", 2, []string{"@ as %40", form}},
		"replicas":                {"127.0.0.1:1/" + masterName + "?replica_only=true", 2, []string{"unexpected option: replica_only", form}},
		"another master's name":   {password + sentinel.Addr + "/yourmaster" + right, 2, []string{"know no master of that name"}},
		"no sentinel's password":  {password + sentinel.Addr + "/" + masterName, 2, []string{"refuses us", "NOAUTH", "sentinel_password"}},
		"other sentinel password": {password + sentinel.Addr + "/" + masterName + "?sentinel_password=hunter4", 2, []string{"refuses us", "WRONGPASS", "sentinel_password"}},
		"other password":          {":hunter4@" + sentinel.Addr + "/" + masterName + right, 2, []string{"refuses us", "WRONGPASS", "user and password"}},
		"no password":             {sentinel.Addr + "/" + masterName + right, 2, []string{"refuses us", "NOAUTH", "user and password"}},
		"nobody is there":         {password + closedPort(t) + "," + closedPort(t) + "/" + masterName + right, 3, []string{"cannot be reached", "connection refused", "is it running"}},
		"one of two sentinels":    {password + closedPort(t) + "," + sentinel.Addr + "/" + masterName + right, 3, []string{"holds no run of this id"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call{patience: 300 * time.Millisecond}.run(t, "status", "--run-id", "r", "--redis-url", "redis+sentinel://"+test.url)
			silentAbout(t, r.expect(t, test.status, test.says...), "hunter")
		})
	}
}
