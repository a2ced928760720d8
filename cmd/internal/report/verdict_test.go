package report

import (
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

var over = batch.Markers{Sealed: true, Done: true}

// run is the history of a run that is done, with a finish for each of "test status decision".
func run(finishes ...string) *History {
	h := NewHistory()
	h.Add(batch.Event{Type: batch.Opened, Time: testEpoch})
	for _, f := range finishes {
		w := strings.Fields(f)
		h.Add(batch.Event{Type: batch.Finish, Test: w[0], Outcome: batch.Outcome{Status: batch.Status(w[1])},
			Decision: batch.Decision(w[2]), Worker: "w", Batch: 1, Time: testEpoch})
	}
	h.Add(batch.Event{Type: batch.Done, Time: testEpoch})
	return h
}

func with(h *History, e batch.Event) *History {
	h.Add(e)
	return h
}

// quarantined is run with a test in quarantine.
func quarantined(test string, finishes ...string) *History {
	h := run(finishes...)
	h.Add(batch.Event{Type: batch.Quarantined, Tests: []string{test}, Quarantine: batch.Quarantine{Owner: "anna"}})
	return h
}

type results = map[string]batch.Status

// TestExit has one line for each way in which a run might turn green wrongly.
func TestExit(t *testing.T) {
	ab := func() *History { return run("a passed final", "b passed final") }
	good := results{"a": "passed", "b": "passed"}
	for name, c := range map[string]struct {
		h    *History
		e    Ending
		want int
	}{
		"failed in quarantine":                  {quarantined("b", "a passed final", "b failed final"), Ending{Tests: 2, Results: results{"a": "passed", "b": "failed"}, Markers: over}, 0},
		"crashed in quarantine":                 {quarantined("b", "b crashed final"), Ending{Tests: 1, Results: results{"b": "crashed"}, Markers: over}, 0},
		"another is in quarantine":              {quarantined("a", "a passed final", "b failed final"), Ending{Tests: 2, Results: results{"a": "passed", "b": "failed"}, Markers: over}, 1},
		"in quarantine and in Redis only":       {quarantined("b", "b passed final"), Ending{Tests: 1, Results: results{"b": "failed"}, Markers: over}, 1},
		"lost in quarantine":                    {quarantined("b", "b unexecuted final"), Ending{Tests: 1, Results: results{"b": "lost"}, Markers: over}, 3},
		"missing in quarantine":                 {quarantined("b", "b failed requeued"), Ending{Tests: 1, Missing: []string{"b"}, Markers: over}, 3},
		"unproven in quarantine":                {quarantined("b"), Ending{Tests: 1, Results: results{"b": "passed"}, Markers: over}, 1},
		"quarantine of what is not in the list": {quarantined("c", "b passed final"), Ending{Tests: 1, Results: results{"b": "passed"}, Markers: over}, 0},
		"enough failures, all in quarantine":    {quarantined("b", "b failed final"), Ending{Tests: 2, Results: results{"b": "failed"}, Missing: []string{"a"}, Markers: batch.Markers{Sealed: true, Aborted: true}, EnoughFailures: true}, 3},
		"quarantine of a lost journal":          {with(with(quarantined("b"), batch.Event{Type: batch.Opened}), batch.Event{Type: batch.Finish, Test: "b", Outcome: batch.Outcome{Status: "failed"}, Decision: "final"}), Ending{Tests: 1, Results: results{"b": "failed"}, Markers: over}, 1},
		"all passed":                            {ab(), Ending{Tests: 2, Results: good, Markers: over}, 0},
		"one skipped":                           {run("a passed final", "b skipped final"), Ending{Tests: 2, Results: results{"a": "passed", "b": "skipped"}, Markers: over}, 0},
		"flaky":                                 {run("a failed requeued", "a passed final"), Ending{Tests: 1, Results: results{"a": "passed"}, Markers: over}, 0},
		"a late failure beside a pass":          {run("a passed final", "a failed late"), Ending{Tests: 1, Results: results{"a": "passed"}, Markers: over}, 0},
		"nothing known":                         {NewHistory(), Ending{}, 3},
		"not done":                              {ab(), Ending{Tests: 2, Results: good, Markers: batch.Markers{Sealed: true}}, 3},
		"done and not sealed":                   {ab(), Ending{Tests: 2, Results: good, Markers: batch.Markers{Done: true}}, 3},
		"aborted":                               {ab(), Ending{Tests: 2, Results: good, Markers: batch.Markers{Sealed: true, Aborted: true}}, 3},
		"aborted and done":                      {ab(), Ending{Tests: 2, Results: good, Markers: batch.Markers{Sealed: true, Done: true, Aborted: true}}, 3},
		"aborted says the journal only":         {with(ab(), batch.Event{Type: batch.Aborted}), Ending{Tests: 2, Results: good, Markers: over}, 3},
		"a result is missing":                   {ab(), Ending{Tests: 2, Results: results{"a": "passed"}, Missing: []string{"b"}, Markers: over}, 3},
		"missing and with a result":             {ab(), Ending{Tests: 2, Results: good, Missing: []string{"b"}, Markers: over}, 3},
		"more tests than results":               {ab(), Ending{Tests: 3, Results: good, Markers: over}, 3},
		"fewer tests than results":              {ab(), Ending{Tests: 1, Results: good, Markers: over}, 3},
		"no tests, and results":                 {ab(), Ending{Results: good, Markers: over, AllowEmpty: true}, 3},
		"no tests, and a journal with some":     {ab(), Ending{Markers: over, AllowEmpty: true}, 3},
		"a test that only the journal knows":    {run("a passed final", "c passed final"), Ending{Tests: 1, Results: results{"a": "passed"}, Markers: over}, 3},
		"results and no journal":                {run(), Ending{Tests: 2, Results: good, Markers: over}, 1},
		"a journal that ends too early":         {with(NewHistory(), batch.Event{Type: batch.Opened}), Ending{Markers: over, AllowEmpty: true}, 1},
		"a result that no finish gave":          {run("a passed final", "b passed late"), Ending{Tests: 2, Results: good, Markers: over}, 1},
		"passed in Redis only":                  {run("a passed final", "b failed final"), Ending{Tests: 2, Results: good, Markers: over}, 1},
		"passed in Redis, skipped in journal":   {run("a passed final", "b skipped final"), Ending{Tests: 2, Results: good, Markers: over}, 1},
		"passed in Redis, lost in journal":      {with(ab(), batch.Event{Type: batch.Resulted, Test: "b", Outcome: batch.Outcome{Status: "lost"}}), Ending{Tests: 2, Results: good, Markers: over}, 1},
		"an unknown result":                     {run("a green final"), Ending{Tests: 1, Results: results{"a": "green"}, Markers: over}, 1},
		"an empty result":                       {run("a passed final"), Ending{Tests: 1, Results: results{"a": ""}, Markers: over}, 3},
		"unexecuted is no result":               {run("a unexecuted final"), Ending{Tests: 1, Results: results{"a": "unexecuted"}, Markers: over}, 1},
		"failed":                                {run("a passed final", "b failed final"), Ending{Tests: 2, Results: results{"a": "passed", "b": "failed"}, Markers: over}, 1},
		"crashed":                               {run("a crashed final"), Ending{Tests: 1, Results: results{"a": "crashed"}, Markers: over}, 1},
		"timed out":                             {run("a timeout final"), Ending{Tests: 1, Results: results{"a": "timeout"}, Markers: over}, 1},
		"lost":                                  {run("a unexecuted final"), Ending{Tests: 1, Results: results{"a": "lost"}, Markers: over}, 3},
		"lost beats failed":                     {run("a unexecuted final", "b failed final"), Ending{Tests: 2, Results: results{"a": "lost", "b": "failed"}, Markers: over}, 3},
		"unroutable":                            {with(run("a passed final"), batch.Event{Type: batch.Resulted, Test: "b", Gate: "g", Outcome: batch.Outcome{Status: "unroutable"}}), Ending{Tests: 2, Results: results{"a": "passed", "b": "unroutable"}, Markers: over}, 3},
		"unroutable beats failed":               {run("a failed final"), Ending{Tests: 2, Results: results{"a": "failed", "b": "unroutable"}, Markers: over}, 3},
		"unroutable in Redis only":              {ab(), Ending{Tests: 2, Results: results{"a": "passed", "b": "unroutable"}, Markers: over}, 3},
		"unroutable in the journal only":        {with(ab(), batch.Event{Type: batch.Resulted, Test: "b", Gate: "g", Outcome: batch.Outcome{Status: "unroutable"}}), Ending{Tests: 2, Results: good, Markers: over}, 1},
		"unroutable, and passed late":           {run("a unroutable final", "a passed late"), Ending{Tests: 1, Results: results{"a": "unroutable"}, Markers: over}, 3},
		"failed in Redis, passed in journal":    {run("a passed final"), Ending{Tests: 1, Results: results{"a": "failed"}, Markers: over}, 1},
		"failed and skipped then":               {run("a failed requeued", "a skipped final"), Ending{Tests: 1, Results: results{"a": "skipped"}, Markers: over}, 1},
		"skipped, and failed late":              {run("a skipped final", "a failed late"), Ending{Tests: 1, Results: results{"a": "skipped"}, Markers: over}, 1},
		"a problem":                             {with(ab(), batch.Event{Type: batch.ProblemFound}), Ending{Tests: 2, Results: good, Markers: over}, 1},
		"a problem and no tests":                {with(run(), batch.Event{Type: batch.ProblemFound}), Ending{Markers: over, AllowEmpty: true}, 1},
		"a problem before the data was lost":    {with(with(NewHistory(), batch.Event{Type: batch.ProblemFound}), batch.Event{Type: batch.Opened}), Ending{Markers: over, AllowEmpty: true}, 1},
		"no tests":                              {run(), Ending{Markers: over}, 4},
		"no tests, allowed":                     {run(), Ending{Markers: over, AllowEmpty: true}, 0},
		"no tests, allowed and not done":        {run(), Ending{Markers: batch.Markers{Sealed: true}, AllowEmpty: true}, 3},
		"no tests, allowed and aborted":         {run(), Ending{Markers: batch.Markers{Aborted: true}, AllowEmpty: true}, 3},
		"a pass that data loss made forgotten":  {with(with(ab(), batch.Event{Type: batch.Opened}), batch.Event{Type: batch.Done}), Ending{Tests: 2, Results: good, Markers: over}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			v := Judge(c.h, c.e)
			if v.Exit != c.want {
				t.Errorf("exit status %d, want %d: %s", v.Exit, c.want, v.Sentence())
			}
			assertAgree(t, v, JUnit(v))
		})
	}
}

// TestGreen compares Judge with a rule that is written another way, for every combination of what Redis and the journal may
// say of two tests.
func TestGreen(t *testing.T) {
	statuses := []batch.Status{"", batch.Passed, batch.Skipped, batch.Failed, batch.Crashed, batch.Timeout, batch.Lost, batch.Unroutable, "green"}
	for _, inRedis := range statuses {
		for _, inJournal := range statuses {
			for _, decision := range []batch.Decision{batch.Final, batch.Requeued, batch.Late} {
				for bits := range 1 << 7 {
					bit := func(i int) bool { return bits>>i&1 == 1 }
					h := run("good passed final")
					if inJournal != "" {
						h = run("good passed final", "it "+string(inJournal)+" "+string(decision))
					}
					e := Ending{Tests: 2, Results: results{"good": batch.Passed, "it": inRedis}, AllowEmpty: bit(6),
						Markers: batch.Markers{Sealed: bit(0), Done: bit(1), Aborted: bit(2)}}
					if inRedis == "" {
						delete(e.Results, "it")
						e.Missing = []string{"it"}
					}
					if bit(3) {
						e.Tests = 1
					}
					if bit(4) {
						h.Add(batch.Event{Type: batch.ProblemFound})
					}
					h.done = !bit(5)
					green := e.Markers == over && e.Tests == 2 && len(h.Problems()) == 0 && h.done &&
						(inRedis == batch.Passed || inRedis == batch.Skipped) && inJournal == inRedis && decision == batch.Final
					v := Judge(h, e)
					if (v.Exit == ExitPassed) != green {
						t.Fatalf("exit status %d, want green: %v: Redis %q, journal %q %s, ending %+v: %s",
							v.Exit, green, inRedis, inJournal, decision, e, v.Sentence())
					}
				}
			}
		}
	}
}

// TestSkipAfterCrash: what one test did to its batch-mates is not held against those that are skipped.
func TestSkipAfterCrash(t *testing.T) {
	for alone, want := range map[bool]int{true: ExitFailed, false: ExitPassed} {
		h := NewHistory()
		claim := batch.Event{Type: batch.Claimed, Worker: "w", Batch: 1, Tests: []string{"a", "b"}}
		if alone {
			claim.Text, claim.Tests = "alone", claim.Tests[:1]
		}
		h.Add(claim)
		h.Add(batch.Event{Type: batch.Finish, Worker: "w", Batch: 1, Test: "a", Outcome: batch.Outcome{Status: batch.Crashed}, Decision: batch.Requeued})
		h.Add(batch.Event{Type: batch.Settled, Worker: "w", Batch: 1})
		h.Add(batch.Event{Type: batch.Finish, Worker: "w", Batch: 2, Test: "a", Outcome: batch.Outcome{Status: batch.Skipped}, Decision: batch.Final})
		if !alone {
			h.Add(batch.Event{Type: batch.Finish, Worker: "w", Batch: 2, Test: "b", Outcome: batch.Outcome{Status: batch.Passed}, Decision: batch.Final})
		}
		h.Add(batch.Event{Type: batch.Done})
		e := Ending{Tests: 1, Results: results{"a": "skipped"}, Markers: over}
		if !alone {
			e.Tests, e.Results["b"] = 2, "passed"
		}
		if v := Judge(h, e); v.Exit != want {
			t.Errorf("alone %v: exit status %d, want %d: %s", alone, v.Exit, want, v.Sentence())
		}
	}
}

func TestTimes(t *testing.T) {
	at := func(s int) time.Time { return testEpoch.Add(time.Duration(s) * time.Second) }
	h := NewHistory()
	for _, e := range []batch.Event{
		{Type: batch.Opened, Time: at(0)},
		{Type: batch.Joined, Worker: "w1", Time: at(10)},
		{Type: batch.Claimed, Worker: "w1", Batch: 1, Tests: []string{"a"}, Time: at(10)},
		{Type: batch.Finish, Worker: "w1", Batch: 1, Test: "a", Outcome: batch.Outcome{Status: batch.Passed, Seconds: 30}, Decision: batch.Final, Time: at(40)},
		{Type: batch.Settled, Worker: "w1", Batch: 1, Time: at(40)},
		{Type: batch.Joined, Worker: "w2", Time: at(30)},
		{Type: batch.Claimed, Worker: "w2", Batch: 1, Tests: []string{"b"}, Time: at(40)}, // open at the end
		{Type: batch.Done, Time: at(50)},
		{Type: batch.Left, Worker: "w1", Time: at(90)},
	} {
		h.Add(e)
	}
	v := Judge(h, Ending{})
	// w1 is there for 40 s and busy for 30, w2 for 20 and 10: both times end with the run.
	if v.Wall != 50*time.Second || v.Work != 30*time.Second || v.Idle < 0.333 || v.Idle > 0.334 {
		t.Errorf("wall %v, work %v, idle %v", v.Wall, v.Work, v.Idle)
	}
	if w := h.Workers()[0]; w.Done != 1 || w.Present(h.Ended()) != 40*time.Second || w.Busy(h.Ended()) != 30*time.Second {
		t.Errorf("w1: %+v", w)
	}
}
