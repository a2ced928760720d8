package batchtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
)

// Dump is all that Redis holds of a run, but for its journal.
type Dump struct {
	Run       map[string]string
	Control   []string
	Tests     map[string]string
	Expected  map[string]string
	Queue     []string
	Requeue   []string
	Gates     map[string]string              // specs by hash
	Behind    map[string]map[string][]string // by hash of the gate, "queue" and "requeue": what waits behind it
	Results   map[string]string
	Tries     map[string]Tries
	Workers   map[string]Worker
	Sets      map[string][]string // by worker id
	Strangers []string            // keys of the run that the protocol does not know
}

// Tries is what became of the claims of a test.
type Tries struct {
	Claims   int    `json:"claims"`
	Crashes  int    `json:"crashes"`
	Losses   int    `json:"losses"`
	Failures int    `json:"failures"`
	Worker   string `json:"worker"`
	Held     bool   `json:"held"`
}

// Worker is an entry of Q_workers.
type Worker struct {
	Beat     int64  `json:"beat"`
	Batch    int64  `json:"batch"`
	Report   int64  `json:"report"`
	Finished int    `json:"finished"`
	Running  string `json:"running"`
	Open     bool   `json:"open"`
	Alone    bool   `json:"alone"`
	Leaving  bool   `json:"leaving"`
	Info     string `json:"info"`
	Gate     string `json:"gate"`
	Asked    bool   `json:"asked"`
	Passed   string `json:"passed"`
	Refused  string `json:"refused"`
	Client   string `json:"client"`
}

// Refuses reports whether the worker's last word about a gate was no.
func (w Worker) Refuses(gate string) bool {
	return slices.Contains(strings.Split(w.Refused, "\n"), gate)
}

// gateOf returns the hash of the gate in a test's spec, empty for none.
func gateOf(spec string) string {
	var fields struct{ Gate string }
	if text, ok := strings.CutPrefix(spec, "2 "); ok {
		_ = json.Unmarshal([]byte(text), &fields)
	}
	return fields.Gate
}

// Read dumps a run.
func Read(ctx context.Context, rdb redis.UniversalClient, keys batch.Keys) (Dump, error) {
	d := Dump{
		Tries: map[string]Tries{}, Workers: map[string]Worker{}, Sets: map[string][]string{},
		Behind: map[string]map[string][]string{},
	}
	pipe := rdb.TxPipeline()
	run := pipe.HGetAll(ctx, keys.Run())
	control := pipe.SMembers(ctx, keys.Control())
	tests := pipe.HGetAll(ctx, keys.Tests())
	expected := pipe.HGetAll(ctx, keys.Expected())
	queue := pipe.LRange(ctx, keys.Queue(), 0, -1)
	requeue := pipe.LRange(ctx, keys.Requeue(), 0, -1)
	results := pipe.HGetAll(ctx, keys.Results())
	tries := pipe.HGetAll(ctx, keys.Tries())
	workers := pipe.HGetAll(ctx, keys.Workers())
	gates := pipe.HGetAll(ctx, keys.Gates())
	names := pipe.Keys(ctx, keys.Prefix()+"*")
	if _, err := pipe.Exec(ctx); err != nil {
		return d, err
	}
	d.Run, d.Control, d.Tests, d.Expected = run.Val(), control.Val(), tests.Val(), expected.Val()
	d.Queue, d.Requeue, d.Results, d.Gates = queue.Val(), requeue.Val(), results.Val(), gates.Val()
	slices.Sort(d.Control)
	for id, raw := range tries.Val() {
		var t Tries
		if err := json.Unmarshal([]byte(raw), &t); err != nil {
			return d, err
		}
		d.Tries[id] = t
	}
	for id, raw := range workers.Val() {
		var w Worker
		if err := json.Unmarshal([]byte(raw), &w); err != nil {
			return d, err
		}
		d.Workers[id] = w
	}
	known := []string{
		keys.Run(), keys.Control(), keys.Tests(), keys.Queue(), keys.Requeue(), keys.Results(), keys.Tries(),
		keys.Workers(), keys.Expected(), keys.Events(), keys.Wake(), keys.Gates(), keys.Leader(),
	}
	for gate := range d.Gates {
		for kind, key := range map[string]string{"queue": keys.GateQueue(gate), "requeue": keys.GateRequeue(gate)} {
			known = append(known, key)
			list, err := rdb.LRange(ctx, key, 0, -1).Result()
			if err != nil {
				return d, err
			}
			if len(list) > 0 {
				if d.Behind[gate] == nil {
					d.Behind[gate] = map[string][]string{}
				}
				d.Behind[gate][kind] = list
			}
		}
	}
	for _, name := range names.Val() {
		if id, ok := strings.CutPrefix(name, keys.Worker("")); ok {
			set, err := rdb.SMembers(ctx, name).Result()
			if err != nil {
				return d, err
			}
			slices.Sort(set)
			d.Sets[id] = set
		} else if !slices.Contains(known, name) {
			d.Strangers = append(d.Strangers, name)
		}
	}
	return d, nil
}

// Check returns what is wrong with a run, at any moment between two scripts. The numbers are those of the protocol's
// list of invariants.
func (d Dump) Check() error {
	if d.Run["epoch"] == "" {
		return nil // nothing was opened, or all is lost: then nothing may read as success, which scripts see by the epoch
	}
	var wrong []error
	fail := func(invariant int, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("invariant %d: "+format, append([]any{invariant}, args...)...))
	}
	marked := func(name string) bool { return slices.Contains(d.Control, name) }

	// 3: each test is in exactly one of the queues, one worker's set, the results.
	places := map[string][]string{}
	put := func(test, place string) { places[test] = append(places[test], place) }
	list := func(tests []string, gate, place string) {
		for _, id := range tests {
			put(id, place)
			if gateOf(d.Tests[id]) != gate {
				fail(3, "test %s with the spec %s is in the %s", id, d.Tests[id], place)
			}
		}
	}
	list(d.Queue, "", "queue")
	list(d.Requeue, "", "requeue")
	for gate, lists := range d.Behind {
		for kind, tests := range lists {
			list(tests, gate, kind+" of gate "+gate)
		}
	}
	for id := range d.Results {
		put(id, "results")
	}
	for worker, set := range d.Sets {
		list(set, d.Workers[worker].Gate, "set of "+worker)
		for _, id := range set {
			if t := d.Tries[id]; !t.Held || t.Worker != worker {
				fail(3, "test %s is in the set of %s, its tries say %+v", id, worker, t)
			}
		}
		// 4: every owner of a set is in Q_workers.
		w, ok := d.Workers[worker]
		if !ok {
			fail(4, "set of %s, which is no worker", worker)
		}
		if !w.Open {
			fail(4, "worker %s holds %v without an open batch", worker, set)
		}
		if w.Alone && len(set) > 1 {
			fail(5, "worker %s runs alone what are %d tests", worker, len(set))
		}
	}
	for id := range d.Tests {
		if len(places[id]) != 1 {
			fail(3, "test %s is in %d places: %v", id, len(places[id]), places[id])
		}
	}
	for id, where := range places {
		if _, ok := d.Tests[id]; !ok {
			fail(3, "%s in %v is no test of the run", id, where)
		}
	}

	// 5: claims never pass the cap; budgets end in results.
	number := func(name string) int { var n int; fmt.Sscan(d.Run[name], &n); return n }
	retried := 0
	for id, t := range d.Tries {
		if t.Claims > number("max_claims") {
			fail(5, "test %s was claimed %d times", id, t.Claims)
		}
		spent := t.Crashes >= number("max_crashes") || t.Losses >= number("max_losses") || t.Failures > number("retries")
		if _, ended := d.Results[id]; spent && !ended {
			fail(5, "test %s has spent a budget, %+v, and no result", id, t)
		}
		if retried += t.Failures; d.Results[id] == "failed" && t.Failures > 0 {
			retried-- // the last one was final
		}
	}
	if most := number("max_retries_total"); most > 0 && (retried > number("retried") || number("retried") > most) {
		fail(5, "%d retries of %d, counted as %d", retried, most, number("retried"))
	}

	// 9: done is never true with fewer results than tests; done and aborted never both.
	if marked("done") && (len(d.Results) != len(d.Tests) || !marked("sealed")) {
		fail(9, "done with %d results of %d tests, markers %v", len(d.Results), len(d.Tests), d.Control)
	}
	for id, w := range d.Workers {
		if marked("done") && w.Open {
			fail(9, "done while worker %s has batch %d open", id, w.Batch)
		}
	}
	if marked("done") && marked("aborted") {
		fail(9, "done and aborted")
	}
	if marked("sealed") && d.Run["total"] != fmt.Sprint(len(d.Tests)) {
		fail(10, "sealed with %d tests of %s", len(d.Tests), d.Run["total"])
	}
	if number("listed") != len(d.Tests) || number("gates") != len(d.Gates) {
		fail(10, "%d tests and %d gates of %s and %s", len(d.Tests), len(d.Gates), d.Run["listed"], d.Run["gates"])
	}
	for _, name := range d.Strangers {
		fail(3, "unknown key %s", name)
	}
	return errors.Join(wrong...)
}
