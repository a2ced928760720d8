package runner

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// maxPipe is the most that a pipe can hold (/proc/sys/fs/pipe-max-size, unless root raised it).
const maxPipe = 1 << 20

// pump copies what a process prints to a writer, through a pipe. The pipes of os/exec end when the last process that
// inherited them ends, be it a forgotten daemon; a pump ends when the process ended that it was made for and what it had
// printed is copied.
type pump struct {
	to   io.Writer
	r, w *os.File
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
		n, err := p.r.Read(buf)
		p.write(buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			p.drain(buf)
			return
		case err != nil:
			return
		}
	}
}

// drain copies what is in the pipe, without waiting for more. The bound is for a daemon that prints without end.
func (p *pump) drain(buf []byte) {
	_ = p.r.SetReadDeadline(time.Time{})
	raw, err := p.r.SyscallConn()
	if err != nil {
		return
	}
	for total := 0; total <= maxPipe; {
		var n int
		var readErr error
		if err := raw.Read(func(fd uintptr) bool {
			n, readErr = syscall.Read(int(fd), buf) // the pipe is non-blocking: os.Pipe made it so
			return true
		}); err != nil {
			return
		}
		switch {
		case errors.Is(readErr, syscall.EINTR):
		case readErr != nil || n == 0: // EAGAIN: empty, but a daemon holds it; 0: nobody does
			return
		default:
			p.write(buf[:n])
			total += n
		}
	}
}

// write drops what the writer refuses: the process must not be held up by it.
func (p *pump) write(b []byte) {
	if len(b) > 0 {
		_, _ = p.to.Write(b)
	}
}
