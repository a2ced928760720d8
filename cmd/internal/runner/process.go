package runner

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// process is a command that runs in a process group of its own, so that it can be ended with everything it started.
type process struct {
	// Path is the command: a name that is looked up in PATH, or a path (a relative one is relative to Dir).
	Path string
	// Args are its arguments, without the command itself.
	Args []string
	// Env holds variables ("NAME=value") that it sees beside the environment of this process; they win over it.
	Env []string
	// Dir is its working directory. Empty: that of this process.
	Dir string
	// Stdin is a file because a file needs nobody to feed it. nil: empty.
	Stdin *os.File
	// Stdout and Stderr get what the process prints, each from one goroutine, and nothing after run has returned. They must
	// not block for ever. Stdout nil: dropped. Stderr nil: it goes where stdout goes, in the order in which it was printed.
	Stdout, Stderr io.Writer
	// Side gets, by the same rules, what the process writes to file descriptor 3. nil: it has none.
	Side io.Writer
	// Stop is the first signal when the context ends. 0: SIGTERM.
	Stop syscall.Signal
	// Grace is how long the group may take to end after Stop, before it is killed. 0 or less: killed at once.
	Grace time.Duration
	// Stopping, if not nil, is called once before Stop is sent: what the process leaves on disk is not yet marked by it.
	Stopping func()
	// started, if not nil, is called once the process runs, with the pump of its Stdout.
	started func(stdout *pump)
}

// run starts the process, waits for its end and then kills what it started and left behind, in its group or (see tag) in one
// of its own: a grandchild that still runs, or that holds the pipes open, delays nothing. What is not found cannot delay run
// either. That holds for every end: a daemon that a batch forgot would keep its port, its files and its share of the machine in
// the next one, and fail tests that are not to blame. So a build daemon (Gradle, Bazel) serves one batch only, unless it ran
// before the worker did.
//
// When ctx ends first, the group gets Stop, after Grace (or as soon as nobody in it can print any more) SIGKILL. The exit
// then carries context.Cause(ctx).
//
// The error is context.Cause(ctx) when ctx had ended before the start; any other says why the process could not be started.
func (p process) run(ctx context.Context) (exit, error) {
	if ctx.Err() != nil {
		return exit{}, context.Cause(ctx)
	}
	// The kernel sends the parent-death signal (see sysProcAttr) when the THREAD ends that started the child. While
	// this goroutine holds its thread, the thread does not end.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.Command(p.Path, p.Args...)
	cmd.Dir = p.Dir
	own := newTag()
	cmd.Env = slices.Concat(cmd.Environ(), p.Env, own.env())
	cmd.SysProcAttr = sysProcAttr()
	if p.Stdin != nil {
		cmd.Stdin = p.Stdin
	}
	stdout, err := newPump(p.Stdout)
	if err != nil {
		return exit{}, fmt.Errorf("cannot start %q: %w", p.Path, err)
	}
	defer stdout.close()
	stderr, err := newPump(p.Stderr)
	if err != nil {
		return exit{}, fmt.Errorf("cannot start %q: %w", p.Path, err)
	}
	defer stderr.close()
	side, err := newPump(p.Side)
	if err != nil {
		return exit{}, fmt.Errorf("cannot start %q: %w", p.Path, err)
	}
	defer side.close()
	if p.Side != nil {
		cmd.ExtraFiles = []*os.File{side.w}
	}
	stdout.attach(&cmd.Stdout)
	cmd.Stderr = cmd.Stdout
	stderr.attach(&cmd.Stderr)

	if err := cmd.Start(); err != nil {
		if _, statErr := os.Stat(p.Dir); p.Dir != "" && statErr != nil {
			err = statErr // the kernel's "no such file" would seem to mean the command
		}
		return exit{}, fmt.Errorf("cannot start %q: %w", p.Path, err)
	}
	stdout.start()
	stderr.start()
	side.start()
	if p.started != nil {
		p.started(stdout)
	}

	// The number of the group stays its own as long as the process, even dead, has not been waited for. So the group is
	// signalled only before cmd.Wait; a later signal could hit a stranger that got the number.
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := awaitEnd(cmd.Process.Pid); err != nil {
			_ = cmd.Wait() // a kernel that cannot wait without reaping
		}
	}()
	var cause error
	select {
	case <-ended:
	case <-ctx.Done():
		select {
		case <-ended: // by itself, at the same moment
		default:
			cause = context.Cause(ctx)
			p.stop(cmd.Process.Pid, ended, stdout.done, stderr.done)
		}
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // no such group any more: nothing to do
	<-ended
	own.kill()
	stdout.finish()
	stderr.finish()
	side.finish()
	_ = cmd.Wait() // its error repeats what ProcessState says
	return newExit(cmd.ProcessState.Sys().(syscall.WaitStatus), cause), nil
}

// stop asks group to end. It returns when everything in done is closed or Grace is over. Besides the end of the process done
// holds the ends of its pipes: behind a shell that is gone at once a test runner may still be writing its report.
func (p process) stop(group int, done ...<-chan struct{}) {
	if p.Stopping != nil {
		p.Stopping()
	}
	signal := p.Stop
	if signal == 0 {
		signal = syscall.SIGTERM
	}
	_ = syscall.Kill(-group, signal)
	grace := time.NewTimer(p.Grace)
	defer grace.Stop()
	for _, d := range done {
		select {
		case <-d:
		case <-grace.C:
			return
		}
	}
}
