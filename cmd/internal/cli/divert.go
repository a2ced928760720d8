package cli

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// Divert is a writer whose output can go elsewhere for a time: while progress bars stand at the end of a terminal, lines must be
// printed by whoever draws them. It is safe for concurrent use.
type Divert struct {
	mu sync.Mutex
	w  io.Writer
}

// Write writes to where the output goes now.
func (d *Divert) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.w.Write(p)
}

// To lets the output go to w, until the function that it returns is called.
func (d *Divert) To(w io.Writer) (back func()) {
	set := func(w io.Writer) (former io.Writer) {
		d.mu.Lock()
		defer d.mu.Unlock()
		former, d.w = d.w, w
		return former
	}
	former := set(w)
	return func() { set(former) }
}

// divertible makes a terminal one whose output can be diverted; everything else stays what it is, which child processes may get.
func divertible(file *os.File) io.Writer {
	if Terminal(file) == nil {
		return file
	}
	return &Divert{w: file}
}

// Terminal returns the terminal that a writer is, nil if it is none.
func Terminal(w io.Writer) *os.File {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}
