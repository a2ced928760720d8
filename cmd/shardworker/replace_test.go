package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// All machines of a run are replaced, one after the other and several times over, while it goes on: each worker in turn is
// stopped in the midst of a batch, and another takes its place. Every other one ends its batch first, the rest give theirs back
// in the middle. The list grows as it goes, so that the run cannot end before.
func TestRollingReplacement(t *testing.T) {
	t.Parallel()
	const workers, rounds, tests = 3, 10, 2000
	shardctl := filepath.Join(t.TempDir(), "shardctl")
	if out, err := exec.Command("go", "build", "-o", shardctl, "../shardctl").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	w := newWorld(t, batch.Streaming)
	log := filepath.Join(w.gate, "log")
	var fleet []*process
	hired := 0
	hire := func() {
		timeout := []string{"30s", "0"}[hired%2]
		hired++
		fleet = append(fleet, w.start(w.worker("--stop-timeout", timeout, "--batch-size", "10", "--",
			"sh", "testdata/quick.sh", "{tests_file}", "{junit}", log)...))
	}
	began := time.Now()
	control := w.start(shardctl, "wait", "--redis-url", w.url, "--run-id", runID)
	for range workers {
		hire()
	}
	midst := 0
	var longest time.Duration
	for round := range rounds {
		var ids []string
		for i := range tests / rounds {
			ids = append(ids, fmt.Sprintf("test%02d%03d", round, i))
		}
		w.enqueue(ids...)
		victim := fleet[0]
		w.until("the oldest worker to have a batch", func() bool {
			state, err := w.q.State(t.Context())
			w.must(err)
			for _, worker := range state.Workers {
				if worker.Open && strings.Contains(worker.Info, fmt.Sprintf("process %d,", victim.cmd.Process.Pid)) {
					midst++
					return true
				}
			}
			return state.Results == state.Tests
		})
		stopped := time.Now()
		victim.signal(syscall.SIGTERM)
		fleet = fleet[1:]
		hire()
		victim.exits(143)
		longest = max(longest, time.Since(stopped))
	}
	w.must(w.q.Seal(t.Context(), tests))
	control.exits(0)
	for _, p := range fleet {
		p.exits(0)
	}
	took := time.Since(began)

	finishes, handedBack := map[string]int{}, 0
	w.journal("the done marker", func(e batch.Event) bool {
		switch {
		case e.Type == batch.Finish:
			finishes[e.Test]++
			if e.Decision != batch.Final {
				t.Errorf("%s ended for nothing: %s", e.Test, e.Decision)
			}
		case e.Type == batch.Returned, e.Type == batch.Settled && e.Text == string(batch.HandBack):
			handedBack += len(e.Tests)
		case e.Type == batch.Reaped, e.Type == batch.Resulted, e.Type == batch.ProblemFound:
			t.Errorf("%+v", e)
		}
		return e.Type == batch.Done
	})
	total := 0
	for id, n := range finishes {
		if total += n; n != 1 {
			t.Errorf("%s ended %d times", id, n)
		}
	}
	w.equal("finishes", tests, total)
	d := w.dump()
	w.equal("results", tests, len(d.Results))
	w.equal("left in the queues", 0, len(d.Queue)+len(d.Requeue))
	charged := 0
	for id, tries := range d.Tries {
		charged += tries.Crashes + tries.Losses + tries.Failures
		if d.Results[id] != string(batch.Passed) || tries.Claims != 1 || tries.Crashes+tries.Losses+tries.Failures > 0 {
			t.Errorf("%s (%s) was charged: %+v", id, d.Results[id], tries)
		}
	}
	executed, err := os.ReadFile(log)
	w.must(err)
	t.Logf("%d replacements of %d workers (%d in the midst of a batch) in %.1f s: %d tests, %d finishes, %d executions, %d handed back, %d charged; "+
		"a stop took at most %.0f ms", rounds, workers, midst, took.Seconds(), len(d.Results), total, bytes.Count(executed, []byte{'\n'}), handedBack, charged,
		longest.Seconds()*1000)
}
