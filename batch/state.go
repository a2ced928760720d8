package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// State is a run at one moment, in numbers.
type State struct {
	RunID   string
	Markers Markers
	// Tests that the run holds so far; all of them once Markers.Sealed.
	Tests int
	// Results is how many tests have a final result; Queued and Requeued how many wait for any worker. Others wait behind
	// Gates. The rest is held by workers.
	Results, Queued, Requeued int
	// Gates of the run, in the order of their hashes.
	Gates []GateState
	// Workers that joined and have not left, by id.
	Workers []WorkerState
	// Abortion of a run that was aborted.
	Abortion Abortion
}

// WorkerState is a live worker as Redis knows it.
type WorkerState struct {
	ID string `json:"-"`
	// Beat counts its signs of life.
	Beat int64 `json:"beat"`
	// Batch is the number of its last batch, Open whether that is not settled yet, Alone whether it came from the requeue.
	Batch int  `json:"batch"`
	Open  bool `json:"open"`
	Alone bool `json:"alone"`
	// Gate is the hash of the gate of its batch, empty for none.
	Gate string `json:"gate"`
	// Leaving: it was stopped, and claims nothing more.
	Leaving bool `json:"leaving"`
	// Finished counts the tests that it brought to an end.
	Finished int `json:"finished"`
	// Passed and Refused are the hashes of gates that it qualifies for, and of those whose last word to it was no.
	Passed, Refused []string `json:"-"`
	// Running are the tests that it announced and that have not finished.
	Running []string `json:"-"`
	// Client is the name of its connections; see Queue.Clients.
	Client string `json:"client"`
	// Info is what it runs on.
	Info string `json:"info"`
	// Held is how many tests its set holds.
	Held int `json:"-"`
}

// Workers returns the workers that joined and have not left, by id.
func (q *Queue) Workers(ctx context.Context) ([]WorkerState, error) {
	raw, err := q.rdb.HGetAll(ctx, q.keys.Workers()).Result()
	if err != nil {
		return nil, err
	}
	return parseWorkers(raw)
}

func parseWorkers(raw map[string]string) ([]WorkerState, error) {
	var workers []WorkerState
	for _, id := range slices.Sorted(maps.Keys(raw)) {
		var w struct {
			WorkerState
			Running string `json:"running"`
			Passed  string `json:"passed"`
			Refused string `json:"refused"`
		}
		if err := json.Unmarshal([]byte(raw[id]), &w); err != nil {
			return nil, fmt.Errorf("worker %s: %w", id, err)
		}
		w.ID = id
		w.WorkerState.Running, w.WorkerState.Passed, w.WorkerState.Refused = lines(w.Running), lines(w.Passed), lines(w.Refused)
		workers = append(workers, w.WorkerState)
	}
	return workers, nil
}

// State returns how the run stands. Its parts are read together, except for the counts of WorkerState and GateState.
func (q *Queue) State(ctx context.Context) (State, error) {
	pipe := q.rdb.TxPipeline()
	run := pipe.HGetAll(ctx, q.keys.Run())
	control := pipe.SMembers(ctx, q.keys.Control())
	tests := pipe.HLen(ctx, q.keys.Tests())
	results := pipe.HLen(ctx, q.keys.Results())
	queued := pipe.LLen(ctx, q.keys.Queue())
	requeued := pipe.LLen(ctx, q.keys.Requeue())
	raw := pipe.HGetAll(ctx, q.keys.Workers())
	gates := pipe.HGetAll(ctx, q.keys.Gates())
	if _, err := pipe.Exec(ctx); err != nil {
		return State{}, err
	}
	if epoch := run.Val()["epoch"]; epoch == "" {
		return State{}, &Error{Code: Gone, RunID: q.runID, Detail: "Redis holds no run of this id"}
	} else if epoch != q.epoch {
		return State{}, &Error{Code: OtherEpoch, RunID: q.runID, Detail: "this run was opened anew"}
	}
	s := State{
		RunID: q.runID, Markers: parseMarkers(control.Val()), Tests: int(tests.Val()), Results: int(results.Val()),
		Queued: int(queued.Val()), Requeued: int(requeued.Val()),
		Abortion: Abortion{
			Why: run.Val()["abort_reason"], Who: run.Val()["abort_by"], EnoughFailures: run.Val()["abort_failures"] == "1",
		},
	}
	if total := run.Val()["total"]; total != "" && total != strconv.Itoa(s.Tests) {
		return State{}, &Error{Code: Gone, RunID: q.runID, Detail: "the sealed list of " + total + " tests is not whole any more"}
	}
	var err error
	if s.Workers, err = parseWorkers(raw.Val()); err != nil {
		return State{}, err
	}
	if s.Gates, err = parseGates(gates.Val(), s.Workers); err != nil {
		return State{}, err
	}
	return s, q.countMore(ctx, &s)
}

// countMore fills in what is counted under keys that the first look brought up.
func (q *Queue) countMore(ctx context.Context, s *State) error {
	pipe := q.rdb.TxPipeline()
	counts := map[*int]*redis.IntCmd{}
	for i, w := range s.Workers {
		counts[&s.Workers[i].Held] = pipe.SCard(ctx, q.keys.Worker(w.ID))
	}
	for i, g := range s.Gates {
		counts[&s.Gates[i].Queued] = pipe.LLen(ctx, q.keys.GateQueue(g.Hash()))
		counts[&s.Gates[i].Requeued] = pipe.LLen(ctx, q.keys.GateRequeue(g.Hash()))
	}
	if len(counts) == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	for count, cmd := range counts {
		*count = int(cmd.Val())
	}
	return err
}

func parseGates(raw map[string]string, workers []WorkerState) ([]GateState, error) {
	var gates []GateState
	for _, hash := range slices.Sorted(maps.Keys(raw)) {
		var record struct {
			Gate
			Gone string `json:"gone"`
		}
		if err := json.Unmarshal([]byte(raw[hash]), &record); err != nil {
			return nil, fmt.Errorf("gate %s: %w", hash, err)
		}
		g := GateState{Gate: record.Gate, Gone: lines(record.Gone)}
		for _, w := range workers {
			if slices.Contains(w.Passed, hash) {
				g.Passed = append(g.Passed, w.ID)
			} else if slices.Contains(w.Refused, hash) {
				g.Refused = append(g.Refused, w.ID)
			}
		}
		gates = append(gates, g)
	}
	return gates, nil
}

// Age returns how long ago the run was opened, by Redis's clock, in whole milliseconds. A run that was opened again because its
// data was lost counts from then; 0 if the journal does not tell.
func (q *Queue) Age(ctx context.Context) (time.Duration, error) {
	ms, err := ageScript.Run(ctx, q.rdb, []string{q.keys.Events()}).Int64()
	return time.Duration(ms) * time.Millisecond, err
}

// Waiting returns how many tests the primary queue holds: neither those behind gates nor those in a requeue.
func (q *Queue) Waiting(ctx context.Context) (int, error) {
	n, err := q.rdb.LLen(ctx, q.keys.Queue()).Result()
	return int(n), err
}

// Results returns the final status of every test that has one.
func (q *Queue) Results(ctx context.Context) (map[string]Status, error) {
	results := map[string]Status{}
	err := q.scan(ctx, q.keys.Results(), func(id, status string) { results[id] = Status(status) })
	return results, err
}

// Expected returns how many seconds the tests are expected to take of which the list said so.
func (q *Queue) Expected(ctx context.Context) (map[string]float64, error) {
	expected := map[string]float64{}
	var bad error
	err := q.scan(ctx, q.keys.Expected(), func(id, micros string) {
		n, err := strconv.ParseFloat(micros, 64)
		expected[id] = n / 1e6
		bad = errors.Join(bad, err)
	})
	return expected, errors.Join(err, bad)
}

// Tests returns the ids of all tests of the run, sorted.
func (q *Queue) Tests(ctx context.Context) ([]string, error) {
	ids := map[string]bool{}
	err := q.scan(ctx, q.keys.Tests(), func(id, _ string) { ids[id] = true })
	return slices.Sorted(maps.Keys(ids)), err
}

// scan reads a hash in pieces. A field may come more than once.
func (q *Queue) scan(ctx context.Context, key string, each func(field, value string)) error {
	iter := q.rdb.HScan(ctx, key, 0, "", 1000).Iterator()
	for iter.Next(ctx) {
		field := iter.Val()
		if !iter.Next(ctx) {
			break
		}
		each(field, iter.Val())
	}
	return iter.Err()
}
