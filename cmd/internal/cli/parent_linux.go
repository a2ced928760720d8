package cli

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// DieWithParent asks the kernel to send this process a SIGTERM when its parent ends: a shell in front of it that is stopped
// passes no signal on. It fails if the parent has ended already.
func DieWithParent() error {
	parent := os.Getppid()
	set := make(chan error)
	go func() {
		// The request is the thread's, and is forgotten with it: this goroutine keeps its thread for ever.
		runtime.LockOSThread()
		set <- unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0, 0, 0)
		select {}
	}()
	if err := <-set; err != nil {
		return fmt.Errorf("--die-with-parent: %w", err)
	}
	if os.Getppid() != parent {
		return fmt.Errorf("--die-with-parent: the parent has ended")
	}
	return nil
}
