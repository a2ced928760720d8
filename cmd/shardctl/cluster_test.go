package main

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// startCluster starts a Redis Cluster of three masters and returns their addresses.
func startCluster(t *testing.T, args ...string) []string {
	t.Helper()
	var addrs []string
	var nodes []*redis.Client
	var buses []string
	for range 3 {
		_, bus, err := net.SplitHostPort(closedPort(t))
		must(t, err)
		server := batchtest.StartReal(t, append([]string{"--cluster-enabled", "yes", "--cluster-port", bus}, args...)...)
		node := redis.NewClient(&redis.Options{Addr: server.Addr, Password: redisPassword})
		t.Cleanup(func() { _ = node.Close() })
		addrs, nodes, buses = append(addrs, server.Addr), append(nodes, node), append(buses, bus)
	}
	for i, node := range nodes {
		must(t, node.ClusterAddSlotsRange(t.Context(), i*5461, min((i+1)*5461-1, 16383)).Err())
		if i == 2 {
			must(t, node.ClusterAddSlotsRange(t.Context(), 16383, 16383).Err())
		}
	}
	for i, addr := range addrs[1:] {
		host, port, err := net.SplitHostPort(addr)
		must(t, err)
		must(t, nodes[0].Do(t.Context(), "CLUSTER", "MEET", host, port, buses[i+1]).Err())
	}
	for _, node := range nodes {
		until(t, "the Cluster", func() bool {
			info, err := node.ClusterInfo(t.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	return addrs
}

// TestCluster runs all that a run does on a Redis Cluster, of which the URL names two servers: with a controller, workers of which one is
// killed, and the commands that look at the run and clean it.
func TestCluster(t *testing.T) {
	t.Parallel()
	addrs := startCluster(t, "--requirepass", redisPassword, "--masterauth", redisPassword)
	url := "redis://:" + redisPasswordInURL + "@" + strings.Join(addrs[:2], ",")
	where := func(command string, args ...string) []string {
		return append([]string{command, "--redis-url", url, "--run-id", "r"}, args...)
	}
	var ended []result
	ended = append(ended, shardctl(t, "doctor", "--redis-url", url).expect(t, 0, "ok    connection", "ok    scripts", "ok    rights", "ok    clients"))
	tests := append(number("block", 1), number("t", 40)...)
	g := barrier(t.TempDir())
	template := fake(t, "-barrier", string(g), "-junit", "{junit}", "-stdin")
	controller := call{}.start(t, where("run", "--workers", "0", "--tests", list(t, tests...))...)
	w := newWorld(t)
	doomed := w.start("shardworker", with(template, where("", "--name", "doomed", "--batch-size", "5")[1:]...)...)
	g.blocked(t, 1)
	ended = append(ended, shardctl(t, where("status")...).expect(t, 0, "tests: 41", "held by workers: 5"))
	killed := time.Now()
	doomed.signal(syscall.SIGKILL)
	controller.says("doomed")
	g.open(t)
	helper := w.start("shardworker", with(template, where("", "--name", "helper")[1:]...)...)
	ended = append(ended, controller.wait().expect(t, 0, "all 41 tests passed", "Workers lost: 1"), helper.wait().expect(t, 0))
	t.Logf("the run ended %v after a worker was killed", time.Since(killed).Round(time.Millisecond))
	ended = append(ended,
		shardctl(t, where("inspect")...).expect(t, 0, "redis-cli -c -h 127.0.0.1", "HGETALL '{shard:r}_run'", "the run is done"),
		shardctl(t, "inspect", "--redis-url", url, "--run-id", "q").expect(t, 3, "like names first: r"),
		shardctl(t, where("clean")...).expect(t, 0, "keys deleted"),
		shardctl(t, where("status")...).expect(t, 3, "no run of this id"),
		shardctl(t, with(template, where("run", "--workers", "2", "--tests", list(t, "a", "b", "c"))...)...).expect(t, 0, "all 3 tests passed"),
		shardctl(t, "status", "--run-id", "r", "--redis-url", url+"/1").expect(t, 2, `a Cluster has no database "1"`),
		shardctl(t, "status", "--run-id", "r", "--redis-url", url+"?read_only=true").expect(t, 2, "unexpected option: read_only"),
		shardctl(t, "status", "--run-id", "r", "--redis-url", strings.Replace(url, "hunter2", "hunter3", 1)).expect(t, 2, "refuses us", "user and password"),
	)
	for _, r := range ended {
		silentAbout(t, r, "hunter")
	}
}
