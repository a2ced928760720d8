package runner

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// exit is how a process ended.
type exit struct {
	// Code is its exit status, -1 if a signal ended it.
	Code int
	// Signal ended it; 0: none did.
	Signal syscall.Signal
	// Cause is the context's cause if the context ended the process (whichever way it then took), nil if it ended by itself.
	Cause error
}

func newExit(status syscall.WaitStatus, cause error) exit {
	if status.Signaled() {
		return exit{Code: -1, Signal: status.Signal(), Cause: cause}
	}
	return exit{Code: status.ExitStatus(), Cause: cause}
}

// killedBy is the signal that ended the process or, by what a shell's exit status says, the command that the shell ran.
// 0: none.
func (e exit) killedBy() syscall.Signal {
	if s := syscall.Signal(e.Code - 128); s > 0 && unix.SignalName(s) != "" {
		return s
	}
	return e.Signal
}

// ownEnd is whether no signal ended the process: except that Python and Ruby end by SIGINT after a test that was interrupted.
func (e exit) ownEnd() bool { return e.Signal == 0 || e.Signal == syscall.SIGINT }

// String says it for a person: "exit status 3", "killed by SIGSEGV, segmentation fault".
func (e exit) String() string {
	switch {
	case e.Signal != 0:
		return "killed by " + e.describe(e.Signal)
	case e.killedBy() != 0:
		return fmt.Sprintf("exit status %d (as shells report a command that was killed by %s)", e.Code, e.describe(e.killedBy()))
	case e.Code == 126:
		return "exit status 126 (as shells report a file that they may not execute)"
	case e.Code == 127:
		return "exit status 127 (as shells report a command that they did not find)"
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// describe names the signal and, if it came from elsewhere, what it usually means.
func (e exit) describe(s syscall.Signal) string {
	name := unix.SignalName(s)
	if name == "" {
		name = fmt.Sprintf("signal %d", int(s))
	}
	if e.Cause == nil && s == syscall.SIGKILL {
		return name + ", often because the machine ran out of memory"
	}
	switch s {
	case syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGPIPE:
		return fmt.Sprintf("%s, %v", name, s)
	}
	return name
}

// unexplained says that tests failed in the process, which is not why it ended like this.
func (e exit) unexplained() string {
	says := e.String() + ", which the tests that failed do not explain: something else went wrong in their process"
	if e.Signal == 0 {
		says += ", or the project chose that status"
	}
	return says
}
