// Package blocking has a test that goes on until it is let go, and some behind it that do nothing.
package blocking

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestA says in the folder GATE that it runs, and waits there for a file "open". With STUBBORN set it
// survives every signal that it can.
func TestA(t *testing.T) {
	if os.Getenv("STUBBORN") != "" {
		signal.Ignore(syscall.SIGTERM, syscall.SIGQUIT)
	}
	gate := os.Getenv("GATE")
	if err := os.WriteFile(filepath.Join(gate, "running"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(gate, "open")); err == nil {
			return
		}
	}
	t.Fatal("nobody opened the gate")
}

func TestB(*testing.T) {}
func TestC(*testing.T) {}
func TestD(*testing.T) {}
func TestE(*testing.T) {}
func TestF(*testing.T) {}
