package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// newToxiproxy starts a proxy for a Redis, on a port that it keeps when it is stopped and started again.
func newToxiproxy(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "redis", "127.0.0.1:0", upstream)
	must(t, p.Start())
	t.Cleanup(p.Stop)
	return p
}

// fault is a kind of harm to controllers, the network or Redis. Only one of them happens at a time.
type fault struct {
	kind string
	// low and high are the least and the most milliseconds that it lasts.
	low, high int
	// do begins it. end ends it; if it is nil nothing is to be ended, or nothing could be done.
	do func(c *chaos) (end func(), what string)
}

var chaosFaults = []fault{
	{"controller killed", 0, 1, (*chaos).killController},
	{"FLUSHALL", 0, 1, func(c *chaos) (func(), string) { return c.ask("FLUSHALL") }},
	{"SCRIPT FLUSH", 0, 1, func(c *chaos) (func(), string) { return c.ask("SCRIPT", "FLUSH") }},
	{"key evicted", 0, 1, (*chaos).evict},
	{"Redis full", 200, 1000, (*chaos).fill},
	{"Redis restarted", 50, 1000, func(c *chaos) (func(), string) { return c.restart(false) }},
	{"Redis restarted empty", 50, 1000, func(c *chaos) (func(), string) { return c.restart(true) }},
	{"failover", 20, 300, (*chaos).failOver},
	{"network cut", 1000, 3000, (*chaos).cut},
	{"requests lost", 200, 2000, func(c *chaos) (func(), string) { return c.poison("timeout", "upstream", "{}") }},
	{"replies lost", 200, 2000, func(c *chaos) (func(), string) { return c.poison("timeout", "downstream", "{}") }},
	{"latency", 500, 2000, (*chaos).slowDown},
}

// next makes an appointment for the next fault, and that for the one after it.
func (c *chaos) next() {
	c.later(c.between(100, 600), func() {
		if c.calm() {
			return
		}
		f := chaosFaults[c.random.IntN(len(chaosFaults))]
		lasts := c.between(f.low, f.high)
		end, what := f.do(c)
		if what == "" {
			c.next()
			return
		}
		c.counted(f.kind, "%s", what)
		if end == nil {
			c.next()
			return
		}
		c.later(lasts, func() {
			end()
			c.note("%s: over after %v", f.kind, lasts)
			c.next()
		})
	})
}

// living are the jobs that run as workers.
func (c *chaos) living() []*job {
	return slices.DeleteFunc(slices.Clone(c.jobs), func(j *job) bool { return j.process == nil || j.name == controllerName })
}

// kill kills a job's process.
func (c *chaos) kill(j *job) { c.signalled(j.process, syscall.SIGKILL) }

// signalled sends a signal to a process that may have ended.
func (c *chaos) signalled(p *process, s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); !errors.Is(err, os.ErrProcessDone) {
		must(c.t, err)
	}
}

func (c *chaos) killWorker() {
	if workers := c.living(); len(workers) > 0 {
		j := workers[c.random.IntN(len(workers))]
		c.counted("worker killed", "%s", j.name)
		c.kill(j)
	}
}

// stopWorker stops a worker for longer than the lease.
func (c *chaos) stopWorker() {
	workers := c.living()
	if len(workers) == 0 {
		return
	}
	j := workers[c.random.IntN(len(workers))]
	p := j.process
	lasts := chaosLease + c.between(100, 1000)
	c.counted("worker stopped", "%s for %v", j.name, lasts)
	c.signalled(p, syscall.SIGSTOP)
	c.later(lasts, func() { c.signalled(p, syscall.SIGCONT) })
}

// killController kills the controller, or who leads.
func (c *chaos) killController() (func(), string) {
	name := controllerName
	if c.elect {
		rdb := c.client(c.master)
		defer rdb.Close()
		owner, _ := rdb.HGet(c.t.Context(), c.keys().Leader(), "owner").Result()
		name, _, _ = strings.Cut(owner, ".")
	}
	for _, j := range c.jobs {
		if j.name == name && j.process != nil {
			c.kill(j)
			return nil, name
		}
	}
	return nil, ""
}

// client is a connection past the proxy.
func (c *chaos) client(s *redisServer) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr})
}

// ask sends a command to the Redis that serves.
func (c *chaos) ask(args ...any) (func(), string) {
	c.command(c.master, args...)
	return nil, strings.TrimSpace(fmt.Sprintln(args...))
}

func (c *chaos) command(s *redisServer, args ...any) {
	c.t.Helper()
	rdb := c.client(s)
	defer rdb.Close()
	must(c.t, rdb.Do(c.t.Context(), args...).Err())
}

// evict deletes one of the keys, but for the journal: if whoever had read it dies as well, the verdict is red, since nothing proves the
// results that are in Redis.
func (c *chaos) evict() (func(), string) {
	rdb := c.client(c.master)
	defer rdb.Close()
	keys, err := rdb.Keys(c.t.Context(), "*").Result()
	must(c.t, err)
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == c.keys().Events() })
	if len(keys) == 0 {
		return nil, ""
	}
	slices.Sort(keys)
	return c.ask("DEL", keys[c.random.IntN(len(keys))])
}

func (c *chaos) fill() (func(), string) {
	c.command(c.master, "CONFIG", "SET", "maxmemory", "1")
	return func() { c.command(c.master, "CONFIG", "SET", "maxmemory", "0") }, "no write is accepted"
}

// restart kills Redis and starts it again, when the fault is over.
func (c *chaos) restart(empty bool) (func(), string) {
	c.master.kill()
	return func() { c.revive(c.master, empty) }, "killed"
}

// revive starts a server that was killed.
func (c *chaos) revive(s *redisServer, empty bool) {
	if empty {
		must(c.t, os.RemoveAll(filepath.Join(s.dir(), "appendonlydir")))
		must(c.t, os.RemoveAll(filepath.Join(s.dir(), "dump.rdb")))
	}
	s.again()
}

// dir is the folder of the server's data.
func (s *redisServer) dir() string { return s.args[slices.Index(s.args, "--dir")+1] }

// follow makes the replica follow the master.
func (c *chaos) follow() {
	host, port, err := net.SplitHostPort(c.master.addr)
	must(c.t, err)
	c.command(c.replica, "REPLICAOF", host, port)
}

// failOver lets the replica fall behind, and at its end kills the master: what was written meanwhile is lost.
func (c *chaos) failOver() (func(), string) {
	rdb := c.client(c.replica)
	defer rdb.Close()
	info, err := rdb.Info(c.t.Context(), "replication").Result()
	must(c.t, err)
	if !strings.Contains(info, "master_link_status:up") {
		return nil, ""
	}
	c.command(c.replica, "REPLICAOF", "NO", "ONE")
	return func() {
		c.master.kill()
		c.master, c.replica = c.replica, c.master
		c.proxy.Stop()
		c.proxy.Upstream = c.master.addr
		c.mend()
		c.revive(c.replica, true)
		c.follow()
	}, "the replica gets no more news"
}

func (c *chaos) cut() (func(), string) {
	c.proxy.Stop()
	return c.mend, "no connection"
}

// mend starts the proxy that was stopped. A process that was being started at the time may hold its port for a moment.
func (c *chaos) mend() {
	c.t.Helper()
	until(c.t, "the port of the proxy", func() bool { return c.proxy.Start() == nil })
}

// poison adds a toxic to the proxy, for as long as the fault lasts.
func (c *chaos) poison(kind, stream, attributes string) (func(), string) {
	toxic, err := c.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type": %q, "stream": %q, "attributes": %s}`, kind, stream, attributes)))
	must(c.t, err)
	return func() {
		if kind == "timeout" { // its removal ends connections, and would leave goroutines to those that still bring something
			c.proxy.Stop()
			defer c.mend()
		}
		must(c.t, c.proxy.Toxics.RemoveToxic(context.Background(), toxic.Name))
	}, kind + " " + stream + " " + attributes
}

func (c *chaos) slowDown() (func(), string) {
	latency := 5 + c.random.IntN(60)
	return c.poison("latency", "downstream", fmt.Sprintf(`{"latency": %d, "jitter": %d}`, latency, latency/2))
}
