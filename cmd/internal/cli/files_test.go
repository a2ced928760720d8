package cli_test

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/shardctl/shardctl/cmd/internal/cli"
)

// A report for a pipe, a terminal or /dev/stdout goes there, and no file takes its place.
func TestWriteToPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := cli.Writable(pipe); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, err := os.ReadFile(pipe)
		if err != nil {
			text = []byte(err.Error())
		}
		read <- string(text)
	}()
	err := cli.WriteTo(io.Discard, pipe, func(w io.Writer) error { _, err := io.WriteString(w, "report"); return err })
	if got := <-read; err != nil || got != "report" {
		t.Errorf("%q, error %v", got, err)
	}
	if !cli.IsDevice(pipe) {
		t.Error("a file has taken the place of the pipe")
	}
}
