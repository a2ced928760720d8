package batch

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxIDBytes is the longest test id that the protocol carries.
const MaxIDBytes = 16 << 10

// Test is one unit of a run's list: what the queue holds and a runner can run by itself. A unit may hold several cases
// (subtests of a Go test, the examples of a spec file); see Case.
type Test struct {
	// ID is the name that a person knows, unique in its run: "import/path::TestName" for Go, "path/test_x.py::test_y" for
	// pytest, whatever the list says for a command template. CheckID says what is allowed.
	ID string
	// Seconds is the expected duration. 0 means unknown.
	Seconds float64
	// Group keeps tests together: those that stand side by side in the list with the same group are claimed together, as long as
	// nothing has to run alone. Empty: none.
	Group string
	// Gate decides which workers may run it. A claim tells it for the batch as a whole.
	Gate Gate
	// Quarantine in which it is. A claim does not tell it.
	Quarantine Quarantine
}

// longest is what a test is expected to take at most, in seconds: who says more than a day speaks of something else.
const longest = 24 * 60 * 60

// Microseconds that it is expected to take, as Redis holds them: 0 if that is not known, at most a day.
func (t Test) Microseconds() int64 {
	if !(t.Seconds > 0) { // NaN too
		return 0
	}
	return max(1, int64(min(t.Seconds, longest)*1e6))
}

// CheckID returns an error that says why id cannot name a test: it is empty, longer than MaxIDBytes, not UTF-8, or holds
// a NUL or a line break (ids travel in line-based lists and in Redis keys that people read).
func CheckID(id string) error {
	switch {
	case id == "":
		return errors.New("a test name is empty")
	case len(id) > MaxIDBytes:
		return fmt.Errorf("test name %.40q… has %d bytes, more than the %d that are allowed", id, len(id), MaxIDBytes)
	case !utf8.ValidString(id):
		return fmt.Errorf("test name %.200q is not valid UTF-8", id)
	case strings.ContainsAny(id, "\x00\n\r"):
		return fmt.Errorf("test name %.200q contains a line break or NUL", id)
	}
	return nil
}

// Batch is what a worker holds after a claim.
type Batch struct {
	// Number counts this worker's claims that got tests, from 1.
	Number int
	// Tests are ordered by ID, so that a claim whose answer was lost and is repeated answers the same.
	Tests []Test
	// Alone says that the one test came from the requeue and must run in a fresh runner process.
	Alone bool
	// Gate is that of all its tests; see Member.Gate.
	Gate Gate
}

// IDs returns the ids of the batch's tests, in their order.
func (b Batch) IDs() []string {
	ids := make([]string, len(b.Tests))
	for i, t := range b.Tests {
		ids[i] = t.ID
	}
	return ids
}
