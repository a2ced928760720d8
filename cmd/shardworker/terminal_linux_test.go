package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a terminal: the side of who sits there, and that of the programs.
func (w *world) terminal() (person, programs *os.File) {
	w.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	w.must(err)
	w.Cleanup(func() { _ = person.Close() })
	w.must(unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	w.must(err)
	programs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	w.must(err)
	w.Cleanup(func() { _ = programs.Close() })
	return person, programs
}

// inTerminal starts a command as a terminal's foreground does, in a session of its own.
func (w *world) inTerminal(programs *os.File, argv ...string) *process {
	w.Helper()
	p := w.startAs(&syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}, programs, argv...)
	w.must(programs.Close())
	return p
}

// Ctrl-C reaches the worker, the shell in front and what the output is piped into, but not the test. Here the pipe's reader is
// gone even before.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	person, programs := w.terminal()
	p := w.inTerminal(programs, behind(`"$@" 2>&1 | read joined; exit 1`, w.goWorker())...)
	w.blocked()
	stopped := time.Now()
	_, err := person.WriteString("\x03")
	w.must(err)
	w.returned("BC", stopped)
	w.touch("open")
	p.exits(130) // the shell's
	w.left(w.tests("BCDEF"), w.tests("A")...)
}

// A second Ctrl-C ends the test too.
func TestCtrlCTwice(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	person, programs := w.terminal()
	p := w.inTerminal(programs, w.goWorker()...)
	w.blocked()
	stopped := time.Now()
	for range 2 {
		_, err := person.WriteString("\x03")
		w.must(err)
		w.returned("BC", stopped)
	}
	p.exits(130)
	w.left(w.tests("ABCDEF"))
}

// A terminal that is closed takes its output along.
func TestHangUp(t *testing.T) {
	t.Parallel()
	w := blocking(t)
	person, programs := w.terminal()
	p := w.inTerminal(programs, w.goWorker()...)
	w.blocked()
	stopped := time.Now()
	w.must(person.Close())
	w.returned("BC", stopped)
	w.touch("open")
	p.exits(129)
	w.left(w.tests("BCDEF"), w.tests("A")...)
}
