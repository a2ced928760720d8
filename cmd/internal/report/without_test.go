package report

import (
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// Of many tests without a result, those whose attempts say something are the first: only some are told in full.
func TestWithoutResultTellsWhyFirst(t *testing.T) {
	h := NewHistory()
	h.Add(batch.Event{Type: batch.Claimed, Worker: "w", Batch: 1, Tests: []string{"z"}, Text: "alone"})
	h.Add(batch.Event{Type: batch.Finish, Worker: "w", Batch: 1, Test: "z", Decision: batch.Requeued, Outcome: batch.Outcome{
		Status: batch.Unexecuted, Message: "exit status 127", Output: "sh: jest: not found\n",
	}})
	v := Judge(h, Ending{Tests: 3, Missing: []string{"a", "b", "z"}, Markers: batch.Markers{Sealed: true, Aborted: true}})
	var text strings.Builder
	if err := WriteVerdict(&text, v, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	const want = `Without a result: 3
  1. z
     was not executed by its runner on w alone: exit status 127
     | sh: jest: not found
  2. a
     no worker ever claimed it
  3. b
     no worker ever claimed it
`
	if !strings.Contains(text.String(), want) {
		t.Errorf("it does not say:\n%s\nbut\n%s", want, &text)
	}
}

// A failure that had a retry left, but not the run, says so; the test's own message stays what a report shows first.
func TestNoRetriesLeft(t *testing.T) {
	h := NewHistory()
	h.Add(batch.Event{Type: batch.Finish, Worker: "w", Test: "a", Decision: batch.Final, Text: "the run has no retries left, of 4",
		Outcome: batch.Outcome{Status: batch.Failed, Message: "1 is not 2"}})
	h.Add(batch.Event{Type: batch.Done})
	v := Judge(h, Ending{Tests: 1, Results: map[string]batch.Status{"a": batch.Failed}, Markers: batch.Markers{Sealed: true, Done: true}})
	if got := historyLines(v.Tests[0].Test); len(got) != 2 || got[1] != "then given up: the run has no retries left, of 4" {
		t.Errorf("history %q", got)
	}
	if c := JUnit(v).Suites[0].Cases[0]; !strings.HasPrefix(c.Message, "1 is not 2") {
		t.Errorf("the report says %q", c.Message)
	}
}
