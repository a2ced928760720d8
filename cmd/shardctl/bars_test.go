package main

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// On a terminal a run draws bars, and leaves what failed, what its log said, and the verdict.
func TestBars(t *testing.T) {
	t.Parallel()
	must(t, buildPrograms())
	for _, columns := range []uint16{40, 120} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "CI=", "TERM=xterm")
			barrier := t.TempDir()
			failing := write(t, t.TempDir(), "failing", "bad\n")
			template := fake(t, "-stdin", "-junit", "{junit}", "-barrier", barrier, "-failing", failing)
			tests := list(t, "bad", "good", "block this test, whose name is longer than a narrow terminal", "good", `{"test": "slow", "seconds": 1}`)
			cmd := exec.Command(filepath.Join(programsDir, "shardctl"),
				with(template, "run", "--workers", "2", "--batch-size", "1", "--tests", tests, "--timings", "off")...)
			cmd.Dir, cmd.Env = w.dir, w.env
			terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: columns, Rows: 24})
			must(t, err)
			t.Cleanup(func() { _ = cmd.Process.Kill(); _, _ = cmd.Process.Wait(); _ = terminal.Close() })
			var out buffer
			ended := make(chan struct{})
			go func() {
				_, _ = io.Copy(&out, terminal) // ends with the last process that has the terminal
				close(ended)
			}()
			says := func(text string) {
				t.Helper()
				until(t, fmt.Sprintf("the terminal shows %q", text), func() bool { return strings.Contains(out.String(), text) })
			}
			says("FAIL    bad failed on local")
			says("[=")
			says("  local1")
			says("idle")
			if columns < 80 {
				says("3/4, 1 failed")
				says("…")
			} else {
				says("3 of 4 tests, 1 failed")
				says("block this test, whose name is longer than a narrow terminal")
			}
			write(t, barrier, "open", "")
			<-ended
			err = cmd.Wait()
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus).ExitStatus(); status != 1 {
				t.Errorf("exit status %d, %v", status, err)
			}
			const erase = "\x1b[J"
			text := out.String()
			end := text[strings.LastIndex(text, erase)+len(erase):]
			if strings.Contains(end, "[=") || !strings.Contains(end, "FAILED: 1 of 4 tests failed, 3 passed") {
				t.Errorf("in the end there is %q", end)
			}
			if !strings.Contains(text, "shardctl: warn: a test is listed more than once") {
				t.Errorf("the log is lost: %q", text)
			}
		})
	}
}
