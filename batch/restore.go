package batch

import (
	"context"
	"encoding/json"
	"fmt"
)

// restoreChunk is how many events one script call restores, more or less.
const restoreChunk = 500

// restoreWidth is how many arguments tell of one event; see restore.lua.
const restoreWidth = 11

// Restore brings back results that Redis lost, or brings those that hold from a former run (Event.Former): events are entries of the run's
// former journal, or of that run's, those of one test together and in order. Tests that have a result, or are not in the run, stay as they are. It returns how many results came back.
func (q *Queue) Restore(ctx context.Context, tests [][]Event) (int, error) {
	restored := 0
	for len(tests) > 0 {
		var args []any
		n := 0
		for ; n < len(tests) && len(args) < restoreWidth*restoreChunk; n++ {
			for _, e := range tests[n] {
				data, err := json.Marshal(e.Outcome)
				if err != nil {
					return restored, fmt.Errorf("encode the outcome of test %q: %w", e.Test, err)
				}
				text := e.Text
				if e.Type == Resulted {
					text = e.Outcome.Message
				}
				args = append(args, string(e.Type), e.Test, e.Worker, e.Batch, string(e.Outcome.Status), string(e.Decision),
					string(data), e.Outcome.Output, e.Gate, text, e.Former)
			}
		}
		tests = tests[n:]
		count, err := q.run(ctx, restoreScript, nil, args...).Int()
		if err != nil {
			return restored, err
		}
		restored += count
	}
	return restored, nil
}

// Lacking returns which of these tests are in the run and have no result.
func (q *Queue) Lacking(ctx context.Context, ids []string) ([]string, error) {
	var lacking []string
	for len(ids) > 0 {
		chunk := ids[:min(len(ids), enqueueChunk)]
		ids = ids[len(chunk):]
		pipe := q.rdb.Pipeline()
		specs, results := pipe.HMGet(ctx, q.keys.Tests(), chunk...), pipe.HMGet(ctx, q.keys.Results(), chunk...)
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
		for i, id := range chunk {
			if specs.Val()[i] != nil && results.Val()[i] == nil {
				lacking = append(lacking, id)
			}
		}
	}
	return lacking, nil
}
