package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// TestLastWord: what a worker said last of a gate counts, and nothing that a journal told which is gone.
func TestLastWord(t *testing.T) {
	h := NewHistory()
	for _, e := range []batch.Event{
		{Type: batch.Refused, Worker: "w0", Gate: "g", Text: "before the data was lost"},
		{Type: batch.Opened},
		{Type: batch.Refused, Worker: "w1", Gate: "g", Text: "exit status 1"},
		{Type: batch.Refused, Worker: "w2", Gate: "g", Text: "exit status 1"},
		{Type: batch.Refused, Worker: "w3", Gate: "g", Text: "exit status 2"},
		{Type: batch.Qualified, Worker: "w4", Gate: "g"},
		{Type: batch.Qualified, Worker: "w1", Gate: "g"},
		{Type: batch.Refused, Worker: "w4", Gate: "g", Text: "exit status 1"},
		{Type: batch.Resulted, Test: "a", Gate: "g", Outcome: batch.Outcome{Status: batch.Unroutable}},
		{Type: batch.Qualified, Worker: "w2", Gate: "g"},
	} {
		h.Add(e)
	}
	want := []string{"passed by w1 (no longer here)", "passed by w2 (too late)", "refused by w3 (exit status 2)", "refused by w4 (exit status 1)"}
	if diff := cmp.Diff(want, h.Test("a").Gate.words(maxReason)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestManyGates: hundreds of gates, answers and tests end in a text that can be read, the first of each in full.
func TestManyGates(t *testing.T) {
	for name, c := range map[string]struct {
		gates, each int
		says        []string
	}{
		"many gates": {40, 3, []string{"and 60 more behind 20 other gates", "\n  - 111 tests are behind 37 other gates, for which no live worker qualified\n"}},
		"many tests": {1, 300, []string{"\n  - and 180 more; with --junit"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, e := NewHistory(), Ending{Tests: c.gates * c.each, Results: results{}, Markers: over}
			for i := range c.gates {
				gate := fmt.Sprintf("gate %02d %s", i, strings.Repeat("long\n", 100))
				for w := range 300 {
					h.Add(batch.Event{Type: batch.Refused, Worker: fmt.Sprintf("w%d", w), Gate: gate, Text: fmt.Sprintf("exit status %d", w%30)})
				}
				for k := range c.each {
					id := fmt.Sprintf("%02d/%03d", i, k)
					e.Results[id] = batch.Unroutable
					h.Add(batch.Event{Type: batch.Resulted, Test: id, Gate: gate, Outcome: batch.Outcome{Status: batch.Unroutable}})
				}
			}
			h.Add(batch.Event{Type: batch.Done})
			v := Judge(h, e)
			var b strings.Builder
			if err := WriteVerdict(&b, v, TextOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, text := range c.says {
				if !strings.Contains(b.String(), text) {
					t.Errorf("it does not say %q", text)
				}
			}
			if n := strings.Count(b.String(), "\n"); n > 400 || v.Exit != ExitIncomplete || slices.ContainsFunc(v.Incomplete, func(s string) bool { return strings.Contains(s, "\n") }) {
				t.Errorf("%d lines, exit status %d, incomplete %q", n, v.Exit, v.Incomplete)
			}
			if t.Failed() {
				t.Log(b.String())
			}
			assertAgree(t, v, JUnit(v))
		})
	}
}

// TestUnroutableIsNoFailure: a gate that nobody passes does not make a failed run of one that --fail-fast stopped.
func TestUnroutableIsNoFailure(t *testing.T) {
	h := NewHistory()
	h.Add(batch.Event{Type: batch.Resulted, Test: "a", Gate: "g", Outcome: batch.Outcome{Status: batch.Unroutable}})
	v := Judge(h, Ending{Tests: 1, Results: results{"a": batch.Unroutable}, Markers: batch.Markers{Sealed: true, Aborted: true}, EnoughFailures: true})
	if v.Exit != ExitIncomplete {
		t.Errorf("exit status %d: %s", v.Exit, v.Sentence())
	}
}

func TestNotAsked(t *testing.T) {
	g := batch.GateState{Passed: []string{"w1"}, Refused: []string{"w2"}, Gone: []string{"w0"}}
	workers := []batch.WorkerState{{ID: "w1"}, {ID: "w2"}, {ID: "w3"}, {ID: "w4", Leaving: true}}
	if diff := cmp.Diff([]string{"w3"}, NotAsked(g, workers)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
