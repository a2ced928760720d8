package runner

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxPipe is the most that a pipe can hold (/proc/sys/fs/pipe-max-size, unless root raised it).
const maxPipe = 1 << 20

// pump copies what a process prints to a writer, through a pipe. The pipes of os/exec end when the last process that
// inherited them ends, be it a forgotten daemon; a pump ends when the process ended that it was made for and what it had
// printed is copied.
type pump struct {
	to   io.Writer
	r, w *os.File
	// copying is held from reading something until it is written.
	copying sync.Mutex
	// done is closed by the copying goroutine; from the start if there is none.
	done chan struct{}
}

// newPump makes a pump to the writer. With nil it does nothing.
func newPump(to io.Writer) (*pump, error) {
	p := &pump{to: to, done: make(chan struct{})}
	if to == nil {
		close(p.done)
		return p, nil
	}
	var err error
	p.r, p.w, err = os.Pipe()
	return p, err
}

// attach lets a stream of a command be the pump's input.
func (p *pump) attach(stream *io.Writer) {
	if p.to != nil {
		*stream = p.w
	}
}

// start begins to copy. The command has inherited the pipe by now.
func (p *pump) start() {
	if p.to != nil {
		p.w.Close()
		go p.copy()
	}
}

// finish tells the pump that the process is gone and returns when all that it printed is copied.
func (p *pump) finish() {
	if p.to != nil {
		_ = p.r.SetReadDeadline(time.Unix(1, 0)) // the next Read, or the one that waits, fails
	}
	<-p.done
}

// close gives the pipe back. It may be called at any time when copy does not run.
func (p *pump) close() {
	if p.to != nil {
		p.r.Close()
		p.w.Close()
	}
}

func (p *pump) copy() {
	defer close(p.done)
	buf := make([]byte, 32<<10)
	for {
		n, err := p.read(buf, true)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			p.drain(buf)
			return
		case err != nil || n == 0:
			return
		}
	}
}

// drain copies what is in the pipe, without waiting for more. The bound is for a daemon that prints without end.
func (p *pump) drain(buf []byte) {
	_ = p.r.SetReadDeadline(time.Time{})
	for total := 0; total <= maxPipe; {
		n, err := p.read(buf, false)
		if err != nil || n == 0 { // nothing more, but a daemon may hold it; or nobody does
			return
		}
		total += n
	}
}

// read copies what is in the pipe, at most what buf holds, and returns how much that was: 0 when nobody holds the other end.
// With wait, it waits for something; without, an empty pipe is the error EAGAIN.
func (p *pump) read(buf []byte, wait bool) (n int, err error) {
	raw, err := p.r.SyscallConn()
	if err != nil {
		return 0, err
	}
	waitErr := raw.Read(func(fd uintptr) bool {
		p.copying.Lock()
		defer p.copying.Unlock()
		n, err = readNow(fd, buf) // the pipe is non-blocking: os.Pipe made it so
		if n > 0 {
			_, _ = p.to.Write(buf[:n]) // what the writer refuses is dropped: the process must not be held up by it
		}
		return !wait || err != syscall.EAGAIN
	})
	if waitErr != nil {
		return 0, waitErr
	}
	return max(n, 0), err
}

// readNow reads from a descriptor that is non-blocking. EAGAIN: there is nothing now.
func readNow(fd uintptr, buf []byte) (n int, err error) {
	for n, err = syscall.Read(int(fd), buf); err == syscall.EINTR; {
		n, err = syscall.Read(int(fd), buf)
	}
	return n, err
}

// caughtUp waits until the writer has got what was printed before; not for long.
func (p *pump) caughtUp() {
	raw, err := p.r.SyscallConn()
	if err != nil {
		return
	}
	for range 200 {
		var left int
		p.copying.Lock()
		err := raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), fionread) })
		p.copying.Unlock()
		if err != nil || left == 0 {
			return
		}
		time.Sleep(500 * time.Microsecond)
	}
}
