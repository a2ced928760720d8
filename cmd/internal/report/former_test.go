package report

import (
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// A result that holds from a former attempt counts, and is told as such; its time and its worker are not this run's.
func TestFormer(t *testing.T) {
	h := NewHistory()
	at := time.UnixMilli(1_700_000_000_000)
	outcome := func(seconds float64) batch.Outcome { return batch.Outcome{Status: batch.Passed, Seconds: seconds} }
	for _, e := range []batch.Event{
		{Type: batch.Opened},
		{Type: batch.Finish, Test: "a", Worker: "old", Batch: 1, Decision: batch.Requeued, Outcome: batch.Outcome{Status: batch.Failed}, Former: "ci/1"},
		{Type: batch.Finish, Test: "a", Worker: "old", Batch: 2, Decision: batch.Final, Outcome: outcome(100), Former: "ci/1"},
		{Type: batch.Joined, Worker: "new"},
		{Type: batch.Claimed, Worker: "new", Batch: 1, Tests: []string{"b"}},
		{Type: batch.Finish, Test: "b", Worker: "new", Batch: 1, Decision: batch.Final, Outcome: outcome(1)},
		{Type: batch.Done},
	} {
		at = at.Add(time.Second)
		e.Time = at
		h.Add(e)
	}
	v := Judge(h, Ending{RunID: "ci/2", Tests: 2, Results: map[string]batch.Status{"a": "passed", "b": "passed"}, Markers: batch.Markers{Sealed: true, Done: true}})
	if v.Exit != 0 || v.Work != time.Second || len(h.Workers()) != 1 || len(v.Flaky()) != 1 {
		t.Errorf("exit %d, work %v, %d workers, %d flaky", v.Exit, v.Work, len(h.Workers()), len(v.Flaky()))
	}
	var text strings.Builder
	if err := WriteVerdict(&text, v, TextOptions{}); err != nil || !strings.Contains(text.String(), "From a former attempt, run ci/1: 1 result, which hold") {
		t.Errorf("%v\n%s", err, &text)
	}
	marked := 0
	for _, suite := range JUnit(v).Suites {
		for _, c := range suite.Cases {
			if c.Stdout == formerWords("ci/1") && c.Name == "a" {
				marked++
			} else if c.Stdout != "" {
				t.Errorf("%s: %q", c.Name, c.Stdout)
			}
		}
	}
	if marked != 1 {
		t.Errorf("%d cases are marked", marked)
	}
}
