package runner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// socket is where the plugin of one process connects to. Only its first connection counts: plugins hide the address from
// what the tests start.
type socket struct {
	dir      string
	listener net.Listener
	take     func(message)
	// wrong is told what is no message of the protocol.
	wrong func(error)
	done  sync.WaitGroup

	mu   sync.Mutex
	conn net.Conn
	// over: the process has ended, and what it said before is all.
	over bool
}

// maxSocketPath is how long the address of a Unix domain socket may be, on the system where that is least (macOS).
const maxSocketPath = 103

// listen makes a socket in a folder of its own. take and wrong are called from one goroutine.
func listen(take func(message), wrong func(error)) (*socket, error) {
	dir, err := os.MkdirTemp("", "shard-")
	if err == nil && len(dir)+len("/s") > maxSocketPath {
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "shard-")
	}
	if err != nil {
		return nil, err
	}
	s := &socket{dir: dir, take: take, wrong: wrong}
	if s.listener, err = net.Listen("unix", s.path()); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("the socket for the test runner: %w", err)
	}
	s.done.Go(s.serve)
	return s, nil
}

func (s *socket) path() string { return filepath.Join(s.dir, "s") }

func (s *socket) serve() {
	conn, err := s.listener.Accept()
	s.listener.Close()
	if err != nil {
		return // closed: nobody came
	}
	defer conn.Close()
	s.mu.Lock()
	s.conn = conn
	if s.over {
		s.bound()
	}
	s.mu.Unlock()
	scanner := bufio.NewScanner(&socketReader{conn: conn.(*net.UnixConn)})
	scanner.Buffer(make([]byte, 0, 64<<10), maxMessage)
	for scanner.Scan() {
		m, err := parseMessage(scanner.Bytes())
		if err != nil {
			s.wrong(err)
			continue
		}
		s.take(m)
	}
	if err := scanner.Err(); err != nil && !s.ended() {
		s.wrong(fmt.Errorf("the connection of its plugin broke: %w", err))
	}
}

func (s *socket) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// send answers the plugin. It fails if the plugin is gone, which the process's end explains better.
func (s *socket) send(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return net.ErrClosed
	}
	_, err = s.conn.Write(append(line, '\n'))
	return err
}

// close takes what the process, which is gone, had said, and removes the socket.
func (s *socket) close() {
	s.mu.Lock()
	s.over = true
	s.bound()
	s.mu.Unlock()
	s.expire()
	s.done.Wait()
	os.RemoveAll(s.dir)
}

// expire ends the wait for a connection, by one that says nothing. One that was made before the process ended stands before it in
// the listener's queue, and counts, however busy this machine is: no deadline could promise that.
func (s *socket) expire() {
	if conn, err := net.Dial("unix", s.path()); err == nil {
		conn.Close()
	}
}

// bound is for something that survived the process and holds its connection: what the process said is in the kernel by now, and the
// reader waits for nothing more.
func (s *socket) bound() {
	if s.conn != nil {
		_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // the next Read, or the one that waits, fails
	}
}

// socketReader reads from a connection until it ends or is bound; then what has arrived, and no more.
type socketReader struct {
	conn *net.UnixConn
	late int // bytes read since it was bound, limited as a survivor may speak without end
}

func (r *socketReader) Read(p []byte) (int, error) {
	n, err := r.conn.Read(p)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	if r.late > maxMessage {
		return 0, io.EOF
	}
	raw, err := r.conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	_ = r.conn.SetReadDeadline(time.Time{})
	defer r.conn.SetReadDeadline(time.Unix(1, 0))
	waitErr := raw.Read(func(fd uintptr) bool {
		n, err = readNow(fd, p)
		return true // without waiting: an empty socket is the end
	})
	switch {
	case waitErr != nil:
		return 0, waitErr
	case err == syscall.EAGAIN || err == nil && n == 0:
		return 0, io.EOF
	}
	r.late += max(n, 0)
	return max(n, 0), err
}
