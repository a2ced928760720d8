package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/junit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// patience is how long a test waits for what must happen. It is long: the machine may be busy.
const patience = 45 * time.Second

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == fakeRunnerWord {
		os.Exit(fakeRunner(os.Args[2:]))
	}
	// The race detector lets every process sleep for a second before it ends.
	err := os.Setenv("GORACE", "atexit_sleep_ms=20 "+os.Getenv("GORACE"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if programsDir, err = os.MkdirTemp("", "shardctl-e2e-*"); err == nil {
		err = ownCache(filepath.Join(programsDir, "cache"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(programsDir)
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// ownCache gives this process, and what it starts, another cache folder: durations of other runs are none of ours. Go's own
// cache, which is big, stays where it is.
func ownCache(folder string) error {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	return errors.Join(os.Setenv("GOCACHE", strings.TrimSpace(string(cache))), os.Setenv("XDG_CACHE_HOME", folder))
}

// programsDir is for what buildPrograms builds. TestMain makes and removes it.
var programsDir string

// buildPrograms builds shardctl and shardworker, once, with the race detector if this test has it.
var buildPrograms = sync.OnceValue(func() error {
	args := []string{"build", "-o", programsDir}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, ".", "../shardworker")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
})

// result is how a command ended.
type result struct {
	status   int
	out, err string
}

// call is a call of a command in this process.
type call struct {
	stdin    string
	env      map[string]string
	patience time.Duration
}

// shardctl calls a command in this process, without an environment.
func shardctl(t *testing.T, args ...string) result { t.Helper(); return call{}.run(t, args...) }

// lookup is its environment. What other tests recorded is none of its business, unless it asks.
func (c call) lookup(name string) (string, bool) {
	value, ok := c.env[name]
	if !ok && name == "SHARD_TIMINGS" {
		return "off", true
	}
	return value, ok
}

func (c call) run(t *testing.T, args ...string) result {
	t.Helper()
	return c.start(t, args...).wait()
}

// running is a command that runs in this process.
type running struct {
	t        *testing.T
	out, err buffer
	status   int
	ended    chan struct{}
}

// start starts a command in this process. It ends with the test.
func (c call) start(t *testing.T, args ...string) *running {
	r := &running{t: t, ended: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(context.Background())
	t.Cleanup(func() { cancel(errors.New("the test is over")); <-r.ended })
	streams := cli.Streams{In: strings.NewReader(c.stdin), Out: &r.out, Err: &r.err, Patience: c.patience}
	p := program()
	go func() {
		defer close(r.ended)
		err := p.Run(ctx, streams, args, c.lookup)
		r.status = p.Report(&r.err, err)
	}()
	return r
}

func (r *running) wait() result {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.t.Fatalf("the command does not end:\n%s%s", &r.out, &r.err)
	}
	return result{r.status, r.out.String(), r.err.String()}
}

// says waits until the command has written a text.
func (r *running) says(text string) {
	r.t.Helper()
	until(r.t, fmt.Sprintf("the command to say %q", text), func() bool {
		return strings.Contains(r.out.String()+r.err.String(), text)
	})
}

// expect checks the exit status, and that each of the texts is in what the command wrote.
func (r result) expect(t *testing.T, status int, texts ...string) result {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d", r.status, status)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	if t.Failed() {
		t.Fatalf("stdout:\n%s\nstderr:\n%s", r.out, r.err)
	}
	return r
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// world is where the processes of one test live. All of them, and what they start, carry a mark in their environment.
type world struct {
	t    *testing.T
	dir  string
	mark string
	env  []string
}

// newWorld makes a world whose processes end with the test. Its environment says nothing about runs, CI systems or servers.
func newWorld(t *testing.T, env ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), mark: "SHARDCTL_TEST_MARK=" + rand.Text()}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "SHARD_") && !strings.HasPrefix(name, "GITHUB_") && name != "REDIS_URL" && !strings.HasPrefix(name, "SUITE_") {
			w.env = append(w.env, variable)
		}
	}
	w.env = append(append(w.env, "TMPDIR="+t.TempDir(), "GOWORK=off", "SHARD_TIMINGS=off", w.mark), env...)
	t.Cleanup(func() {
		for _, pid := range w.processes() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return w
}

// processes are the live processes of the world, where /proc tells.
func (w *world) processes() []int {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, path := range environments {
		env, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(env), "\x00"), w.mark) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// empty waits until no process of the world is left.
func (w *world) empty() {
	w.t.Helper()
	until(w.t, "the end of all processes", func() bool { return len(w.processes()) == 0 })
}

// process is a command of ours that runs in a process of its own.
type process struct {
	t        *testing.T
	name     string
	cmd      *exec.Cmd
	out, err buffer
	ended    chan struct{}
}

// start starts shardctl or shardworker in the world's folder.
func (w *world) start(name string, args ...string) *process {
	w.t.Helper()
	must(w.t, buildPrograms())
	p := &process{t: w.t, name: name, ended: make(chan struct{}), cmd: exec.Command(filepath.Join(programsDir, name), args...)}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = w.dir, w.env, &p.out, &p.err
	p.cmd.WaitDelay = 5 * time.Second // a grandchild may hold the pipes
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(w.t, p.cmd.Start())
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	w.t.Cleanup(func() {
		select {
		case <-p.ended:
		default:
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	})
	return p
}

// run starts a command and waits for its end.
func (w *world) run(name string, args ...string) result {
	w.t.Helper()
	return w.start(name, args...).wait()
}

// wait waits for the end. The status of a process that a signal killed is that of a shell: 128 and the signal.
func (p *process) wait() result {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end:\n%s%s", p.name, &p.out, &p.err)
	}
	status := p.cmd.ProcessState.ExitCode()
	if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	return result{status, p.out.String(), p.err.String()}
}

func (p *process) signal(s syscall.Signal) { p.t.Helper(); must(p.t, p.cmd.Process.Signal(s)) }

// says waits until the process has written a text.
func (p *process) says(text string) {
	p.t.Helper()
	until(p.t, fmt.Sprintf("%s to say %q", p.name, text), func() bool {
		ended := false
		select {
		case <-p.ended:
			ended = true
		default:
		}
		said := strings.Contains(p.out.String()+p.err.String(), text)
		if ended && !said {
			p.t.Fatalf("%s ended without saying %q:\n%s%s", p.name, text, &p.out, &p.err)
		}
		return said
	})
}

// until waits for a condition that others bring about.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file into a folder and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// list writes a list of tests and returns its path.
func list(t *testing.T, tests ...string) string {
	t.Helper()
	return write(t, t.TempDir(), "tests.txt", strings.Join(tests, "\n")+"\n")
}

// statuses reads a JUnit file: each case, "classname::name" or its name alone, with its status. A case that comes twice is
// an error.
func statuses(t *testing.T, file string) map[string]junit.Status {
	t.Helper()
	report, err := junit.ReadFile(file)
	must(t, err)
	all := map[string]junit.Status{}
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			name := c.Name
			if c.Classname != "" {
				name = c.Classname + "::" + c.Name
			}
			if _, twice := all[name]; twice {
				t.Errorf("%s is reported twice", name)
			}
			all[name] = c.Status
		}
	}
	return all
}

// allPassed expects exactly these tests of the fake runner in a JUnit file, all of them passed.
func allPassed(t *testing.T, file string, tests ...string) {
	t.Helper()
	want := map[string]junit.Status{}
	for _, test := range tests {
		want["fake::"+test] = junit.Passed
	}
	equal(t, want, statuses(t, file))
}

// attach attaches to a run on a server.
func attach(t *testing.T, rdb *redis.Client, runID string) *batch.Queue {
	t.Helper()
	var q *batch.Queue
	until(t, "run "+runID, func() (ok bool) {
		var err error
		q, err = batch.Attach(t.Context(), rdb, runID)
		return err == nil
	})
	return q
}

// number makes names of tests: prefix1, prefix2, …
func number(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = prefix + strconv.Itoa(i+1)
	}
	return names
}
