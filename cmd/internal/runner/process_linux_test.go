package runner

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A daemon that is left running on purpose goes on, and run does not wait for it, although it holds the pipe.
func TestProcessDaemon(t *testing.T) {
	noLeaks(t)
	for _, daemon := range []string{"sleep 1000", "yes"} {
		t.Run(daemon, func(t *testing.T) {
			var stderr bytes.Buffer
			p := shell(`env -u SHARD_PROCESS setsid sh -c 'echo $$ >"$READY"; exec `+daemon+`' & read -r pid <"$READY"; echo $pid >&2; exit 4`, "READY="+fifo(t))
			p.Stdout, p.Stderr = newCapture(100), &stderr
			end := mustRun(t, t.Context(), p)
			pid, err := strconv.Atoi(strings.TrimSpace(stderr.String()))
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && daemon != "yes" { // yes meets a closed pipe
				t.Error(err)
			}
			if end.Code != 4 {
				t.Error(end)
			}
		})
	}
}

// The child of a worker that is killed dies with it.
func TestProcessDiesWithItsParent(t *testing.T) {
	const helper = "RUNNER_TEST_HELPER"
	if os.Getenv(helper) != "" { // this is the worker
		_, err := process{Path: "sh", Args: []string{"-c", `exec 9>"$LIFE"; echo ready; exec sleep 1000`}, Stdout: os.Stdout}.run(t.Context())
		t.Fatal(err)
	}
	line, life := newLifeline(t)
	var stderr bytes.Buffer
	worker := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	worker.Env = append(os.Environ(), helper+"=1", life)
	worker.Stdout = &watch{want: "ready\n", then: func() { _ = worker.Process.Kill() }}
	worker.Stderr = &stderr
	err := worker.Run()
	var end *exec.ExitError
	if !errors.As(err, &end) || end.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the worker was not killed: %v\n%s", err, &stderr)
	}
	line.mustBeDead(t)
}

// The kernel kills a child when the thread ends that started it. A goroutine that ends with its thread locked ends it.
func TestProcessOutlivesThreads(t *testing.T) {
	const processes, threads = 20, 100 // more than were idle
	gate, opened, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	var ready, processesEnded sync.WaitGroup
	ready.Add(processes)
	for range processes {
		processesEnded.Go(func() {
			p := shell("echo ready; read -r x; exit 0")
			p.Stdin, p.Stdout = gate, &watch{want: "ready\n", then: ready.Done}
			if end, err := p.run(t.Context()); err != nil || end != (exit{}) {
				t.Errorf("%+v, %v", end, err)
			}
		})
	}
	ready.Wait()
	var started, threadsEnded sync.WaitGroup
	started.Add(threads)
	for range threads {
		threadsEnded.Go(func() {
			runtime.LockOSThread()
			started.Done()
			started.Wait()
		})
	}
	threadsEnded.Wait()
	opened.Close()
	processesEnded.Wait()
}
