package report

import (
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// A run that was stopped because a test failed is failed, not incomplete; but only if a test did fail.
func TestEnoughFailures(t *testing.T) {
	for status, want := range map[batch.Status]int{batch.Failed: ExitFailed, batch.Crashed: ExitFailed, batch.Passed: ExitIncomplete} {
		h := NewHistory()
		h.Add(batch.Event{Type: batch.Finish, Test: "a", Worker: "w", Outcome: batch.Outcome{Status: status}, Decision: batch.Final})
		h.Add(batch.Event{Type: batch.Aborted, Text: "--fail-fast"})
		v := Judge(h, Ending{
			Tests: 2, Results: map[string]batch.Status{"a": status}, Missing: []string{"b"},
			Markers: batch.Markers{Sealed: true, Aborted: true}, EnoughFailures: true,
		})
		if v.Exit != want || v.Counts[Aborted] != 1 {
			t.Errorf("%s: exit %d, want %d; counts %v", status, v.Exit, want, v.Counts)
		}
	}
}
