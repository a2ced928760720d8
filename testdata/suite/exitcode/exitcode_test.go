package exitcode

import (
	"fmt"
	"os"
	"testing"

	"example.com/suite/internal/optin"
)

// connections is how many connections the tests hold.
var connections int

// TestMain exits with status 3 if a connection is still open after every test has passed, as leak checkers do.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && connections > 0 {
		fmt.Fprintln(os.Stderr, "leak check: connections still open:", connections)
		code = 3
	}
	os.Exit(code)
}

// connect opens a connection for the time of a test; with SUITE_BAD=exitcode, for longer.
func connect(t *testing.T) {
	connections++
	if !optin.Bad("exitcode") {
		t.Cleanup(func() { connections-- })
	}
}

func larger(t *testing.T, a, b, want int) {
	t.Helper()
	connect(t)
	if got := Larger(a, b); got != want {
		t.Errorf("Larger(%d, %d) = %d, want %d", a, b, got, want)
	}
}

func TestFirstIsLarger(t *testing.T)  { larger(t, 2, 1, 2) }
func TestSecondIsLarger(t *testing.T) { larger(t, 1, 2, 2) }
func TestBothAreEqual(t *testing.T)   { larger(t, 1, 1, 1) }
