package batch

import (
	"fmt"
	"regexp"
)

// Keys names everything that Redis holds of one run. All names begin with the primary queue's, whose braces are the
// Cluster hash tag: one run lies in one slot, and under one ACL pattern.
type Keys struct{ queue string }

var validRunID = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)

// NewKeys returns the keys of a run, or an error if the id has a character outside [A-Za-z0-9._:/-] or is not 1 to 128 long.
func NewKeys(runID string) (Keys, error) {
	if !validRunID.MatchString(runID) {
		return Keys{}, fmt.Errorf("run id %.140q is not allowed: use 1 to 128 of the characters A-Z a-z 0-9 . _ : / -", runID)
	}
	return Keys{queue: "{shard:" + runID + "}"}, nil
}

// Queue is the primary queue, a LIST of test ids.
func (k Keys) Queue() string { return k.queue }

// Requeue is the LIST of tests that run alone.
func (k Keys) Requeue() string { return k.queue + "_requeue" }

// Control is the SET of markers: sealed, and one of done and aborted.
func (k Keys) Control() string { return k.queue + "_control" }

// Worker is the SET of tests that one worker holds.
func (k Keys) Worker(id string) string { return k.queue + "_worker_" + id }

// Workers is the HASH of live workers.
func (k Keys) Workers() string { return k.queue + "_workers" }

// Run is the HASH of the run's own facts: birth, epoch, manifest, total, options.
func (k Keys) Run() string { return k.queue + "_run" }

// Tests is the HASH from test id to its spec.
func (k Keys) Tests() string { return k.queue + "_tests" }

// Expected is the HASH from test id to expected microseconds; of unknown duration: none.
func (k Keys) Expected() string { return k.queue + "_expected" }

// Tries is the HASH from test id to what became of its claims.
func (k Keys) Tries() string { return k.queue + "_tries" }

// Results is the HASH from test id to its final status.
func (k Keys) Results() string { return k.queue + "_results" }

// Events is the journal, a STREAM.
func (k Keys) Events() string { return k.queue + "_events" }

// Wake is the STREAM of one entry that moves when somebody should look again.
func (k Keys) Wake() string { return k.queue + "_wake" }

// Gates is the HASH from a gate's hash to its spec.
func (k Keys) Gates() string { return k.queue + "_gates" }

// GateQueue and GateRequeue are the LISTs of the tests behind one gate, by its hash.
func (k Keys) GateQueue(hash string) string   { return k.queue + "_gate_" + hash }
func (k Keys) GateRequeue(hash string) string { return k.GateQueue(hash) + "_requeue" }

// Leader is the HASH of who leads the controllers. It is none of the run's own keys: it is there before the run is opened.
func (k Keys) Leader() string { return k.queue + "_leader" }

// Prefix is what the name of every key of the run begins with.
func (k Keys) Prefix() string { return k.queue }

// Pattern matches every key of the run and no other, where Redis takes patterns: its braces are none, and a run id has no
// character that is one.
func (k Keys) Pattern() string { return k.queue + "*" }

// AllRuns is the pattern of the keys of all runs.
const AllRuns = "{shard:*"

// fixed lists the keys that every script declares, in the order that prelude.lua names them.
func (k Keys) fixed() []string {
	return []string{
		k.Run(), k.Control(), k.Tests(), k.Queue(), k.Requeue(), k.Workers(),
		k.Expected(), k.Tries(), k.Results(), k.Events(), k.Wake(), k.Gates(),
	}
}
