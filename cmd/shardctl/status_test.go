package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// stateWithGates is a run of 12 tests, some in each place where a test can be, with hostile text in it.
func stateWithGates() batch.State {
	return batch.State{
		RunID: "r", Markers: batch.Markers{Sealed: true}, Tests: 12, Results: 2, Queued: 1, Requeued: 1,
		Gates: []batch.GateState{
			{Gate: batch.Gate{Name: "gpu", MAC: "mac"}, Queued: 3, Requeued: 1, Passed: []string{"w1"}, Refused: []string{"w2"}, Gone: []string{"w0"}},
			{Gate: batch.Gate{Command: "test -S\n\x1b[2J::error::x"}, Queued: 2},
		},
		Workers: []batch.WorkerState{
			{ID: "w1", Info: "linux\n\x1b[2J", Open: true, Held: 2, Batch: 1},
			{ID: "w2", Info: "linux", Leaving: true},
			{ID: "w3", Info: "linux", Running: []string{"a\n\x1b[2Jb"}},
		},
	}
}

func TestStatusText(t *testing.T) {
	var b strings.Builder
	must(t, printState(&b, stateWithGates()))
	equal(t, `run r: under way
tests: 12, with a result: 2, queued: 1, to run alone: 1, behind gates: 6, held by workers: 2
gate "gpu" (8b5c489c8a0c3371): queued: 3, to run alone: 1; qualify: w1; refused: w2; left unqualified: w0; not asked yet: w3
gate "test -S ::error::x" (5c2e71af1b1a43f2): queued: 2, to run alone: 0; not asked yet: w1, w3
worker w1 (linux): 0 tests done, holding 2 in batch 1
worker w2 (linux): 0 tests done, leaving, with 0 tests
worker w3 (linux): 0 tests done, running a b
`, b.String())
}

// TestStatusJSON: lists are never null, and the label is whole.
func TestStatusJSON(t *testing.T) {
	state := stateWithGates()
	state.Workers = nil
	got, err := json.Marshal(newStatusJSON(state).Gates)
	must(t, err)
	equal(t, `[`+
		`{"gate":"gpu","hash":"8b5c489c8a0c3371","queued":3,"requeued":1,"passed":["w1"],"refused":["w2"],"gone":["w0"],"not_asked":[]},`+
		`{"gate":"test -S\n\u001b[2J::error::x","hash":"5c2e71af1b1a43f2","queued":2,"requeued":0,"passed":[],"refused":[],"gone":[],"not_asked":[]}]`,
		string(got))
}
