package trouble

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"example.com/suite/internal/optin"
)

// Between the bad tests stand good ones, which must not be blamed for what their neighbours do.

func adds(t *testing.T, want int, numbers ...int) {
	t.Helper()
	if got := Sum(numbers...); got != want {
		t.Errorf("Sum(%v) = %d, want %d", numbers, got, want)
	}
}

func TestSumOfNothing(t *testing.T) { adds(t, 0) }

// TestFails (SUITE_BAD=fail) fails.
func TestFails(t *testing.T) {
	want := 42
	if optin.Bad("fail") {
		want = 43
	}
	if got := Sum(40, 2); got != want {
		t.Errorf("Sum(40, 2) = %d, want %d", got, want)
	}
}

func TestSumOfOne(t *testing.T) { adds(t, 7, 7) }

// TestSubtestFails (SUITE_BAD=subfail) fails in the second of its three subtests.
func TestSubtestFails(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if n == 2 && optin.Bad("subfail") {
				t.Errorf("Sum(2, 2) = %d, want 5", Sum(2, 2))
			}
			adds(t, 2*n, n, n)
		})
	}
}

func TestSumOfTwo(t *testing.T) { adds(t, 3, 1, 2) }

// TestFlaky (SUITE_BAD=flaky) fails the first time in a run, and passes from then on.
func TestFlaky(t *testing.T) {
	if optin.Bad("flaky") && firstTime(t) {
		t.Error("connection refused (it will work the next time)")
	}
}

// firstTime tells whether a run calls it for the first time on this machine. A file in the temporary folder remembers for
// all processes of the run. Plain `go test` has one process (and passes the second time with -count=2).
func firstTime(t *testing.T) bool {
	run := os.Getenv("SHARD_RUN_ID")
	if run == "" {
		first := !tried
		tried = true
		return first
	}
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "suite-flaky-"+url.PathEscape(run)), os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	return true
}

var tried bool

func TestSumOfThree(t *testing.T) { adds(t, 6, 1, 2, 3) }

// TestExits0 (SUITE_BAD=exit0) ends the process, which makes `go test` stop with a panic.
func TestExits0(t *testing.T) {
	if optin.Bad("exit0") {
		os.Exit(0)
	}
}

func TestSumOfNegative(t *testing.T) { adds(t, -3, -1, -2) }

// TestExitsQuietly (SUITE_BAD=quietexit) ends the process behind the back of `go test`, which then says "ok" although the
// tests below never ran. Programs that call C libraries know this.
func TestExitsQuietly(t *testing.T) {
	if optin.Bad("quietexit") {
		syscall.Exit(0)
	}
}

func TestSumOfOpposites(t *testing.T) { adds(t, 0, 5, -5) }

// TestPanics (SUITE_BAD=panic) panics.
func TestPanics(t *testing.T) {
	numbers := []int{1, 2, 3}
	last := len(numbers) - 1
	if optin.Bad("panic") {
		last++
	}
	adds(t, 3, numbers[last])
}

func TestSumOfZeros(t *testing.T) { adds(t, 0, 0, 0, 0) }

// TestIsKilled (SUITE_BAD=kill) ends the process as the kernel does when there is no memory left: with SIGKILL.
func TestIsKilled(t *testing.T) {
	if optin.Bad("kill") {
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		self.Kill()
		forever(func() {}) // it may take a moment
	}
}

func TestSumOfMany(t *testing.T) { adds(t, 55, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) }

// TestHangs (SUITE_BAD=hang) never ends, and says nothing.
func TestHangs(t *testing.T) {
	if optin.Bad("hang") {
		forever(func() {})
	}
}

func TestSumOfLarge(t *testing.T) { adds(t, 2_000_000, 1_000_000, 1_000_000) }

// TestHangsAtWork (SUITE_BAD=slowhang) never ends either, but looks busy: it prints a line every 100 ms.
func TestHangsAtWork(t *testing.T) {
	if optin.Bad("slowhang") {
		tries := 0
		forever(func() {
			tries++
			fmt.Println("waiting for the database, try", tries)
		})
	}
}

func TestSumOfMixed(t *testing.T) { adds(t, 4, 10, -7, 1) }

// forever calls f every 100 ms. (The shorter `select {}` is a deadlock that the runtime may notice, and end.)
func forever(f func()) {
	for {
		f()
		time.Sleep(100 * time.Millisecond)
	}
}
