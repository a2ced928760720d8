// Package batchtest gives tests a Redis server, and a dump of a run with the invariants that hold for it.
package batchtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Each runs a test on every kind of server that the protocol must work on: the embedded one and a real redis-server.
func Each(t *testing.T, test func(t *testing.T, rdb *redis.Client)) {
	t.Run("embedded", func(t *testing.T) { test(t, Embedded(t)) })
	t.Run("real", func(t *testing.T) { test(t, Real(t)) })
}

// Embedded starts the embedded server, for the time of the test.
func Embedded(t testing.TB) *redis.Client {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return client(t, server.Addr())
}

// Real starts a redis-server of the system, on a free port of the loopback interface and without files, for the time of
// the test.
func Real(t testing.TB) *redis.Client {
	return client(t, StartReal(t).Addr)
}

// startPatience is how long a server may take to accept connections.
const startPatience = 20 * time.Second

// serverVariable names another server to test on: an older or newer redis-server, or a valkey-server.
const serverVariable = "SHARD_TEST_REDIS"

// Server is a running redis-server.
type Server struct {
	Addr string
	stop func()
}

// Stop kills the server and waits for its end. What it held is lost.
func (s *Server) Stop() { s.stop() }

// StartReal is Real for tests that need the address, or arguments of redis-server's own (but for --port).
func StartReal(t testing.TB, args ...string) *Server {
	return start(t, func(port string) []string {
		return append([]string{
			"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
			"--logfile", filepath.Join(t.TempDir(), "redis.log"),
		}, args...)
	})
}

// StartSentinel starts a Redis Sentinel that watches over a master under a name, for the time of the test. lines are what else
// its configuration says; in them NAME stands for the master's name.
func StartSentinel(t testing.TB, name, master string, quorum int, lines ...string) *Server {
	host, masterPort, err := net.SplitHostPort(master)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, func(port string) []string {
		config := filepath.Join(t.TempDir(), "sentinel.conf") // which it writes anew when something happens
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\nlogfile %q\nsentinel monitor NAME %s %s %d\n%s\n", port,
			config+".log", host, masterPort, quorum, strings.Join(lines, "\n"))
		if err := os.WriteFile(config, []byte(strings.ReplaceAll(text, "NAME", name)), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{config, "--sentinel"}
	})
}

// start starts a redis-server with the arguments for a free port, for the time of the test.
func start(t testing.TB, args func(port string) []string) *Server {
	program := "redis-server"
	if other := os.Getenv(serverVariable); other != "" {
		program = other
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is not installed: `make test` installs redis-server, or see https://redis.io/docs/install; %s names another", program, serverVariable)
	}
	// Somebody else may take the port between the look and the start: then the server ends, and another is tried.
	for range 5 {
		addr := freeAddr(t)
		_, port, _ := net.SplitHostPort(addr)
		cmd := exec.Command(path, args(port)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if err := answers(addr, ended); err != nil {
			t.Logf("redis-server at %s: %v", addr, err)
			_ = cmd.Process.Kill()
			continue
		}
		server := &Server{Addr: addr, stop: sync.OnceFunc(func() {
			_ = cmd.Process.Kill()
			<-ended
		})}
		t.Cleanup(server.stop)
		return server
	}
	t.Fatal("redis-server does not start")
	return nil
}

// answers waits until a connection to addr is accepted, or the server has ended or takes too long.
func answers(addr string, ended <-chan error) error {
	deadline := time.After(startPatience)
	retry := time.NewTicker(2 * time.Millisecond)
	defer retry.Stop()
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			return fmt.Errorf("ended: %w", err)
		case <-deadline:
			return fmt.Errorf("no answer within %v", startPatience)
		case <-retry.C:
		}
	}
}

func freeAddr(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func client(t testing.TB, addr string) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = rdb.Close() })
	if err := rdb.Ping(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
	return rdb
}
