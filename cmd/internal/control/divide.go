package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/plan"
	"github.com/shardctl/shardctl/cmd/internal/quarantine"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// Division says how files of a list that take much longer than the rest are replaced by their tests. The zero value divides none.
//
// Jobs of one run have to come to the same list although the durations that they know may differ. So a run that is there already, or
// whose results are to hold, decides which files are divided.
type Division struct {
	// Runner that has listed the tests, and List that it was asked by.
	Runner runner.Runner
	List   *List
	// RunID is the run's, empty: it has none; Rerun says which former attempts there are.
	RunID string
	Rerun Rerun
}

// divide returns the list with the tests of slow files in their places. What cannot be divided stays whole. The error is that of ctx, or
// says why the list cannot be the one that another run decided.
func (t *Timings) divide(ctx context.Context, rdb redis.UniversalClient, d Division, tests []batch.Test, workers int, known plan.Timings, log *slog.Logger) ([]batch.Test, error) {
	t.divided = map[string][]string{}
	splitter, ok := d.Runner.(runner.Splitter)
	if !ok || !d.List.divisible() {
		return tests, nil
	}
	files := plan.Slow(tests, workers, known.Costs)
	of, former, err := d.former(ctx, rdb)
	if err != nil {
		return nil, err
	}
	if of != "" {
		if files = missing(tests, former); len(tests)-len(files) == len(former) { // it divided none
			return tests, nil
		}
	}
	if len(files) == 0 {
		return tests, nil
	}
	parts, err := splitter.Split(ctx, batch.Batch{Tests: files}.IDs())
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && of != "":
		return nil, cli.Usagef("run %s has files whose tests are listed one by one: %w", of, err)
	case err != nil:
		log.Warn("slow files are not split into their tests", "error", err)
		return tests, nil
	}
	var all []batch.Test
	for _, file := range tests {
		own := parts[file.ID]
		if len(own) == 0 || of == "" && len(own) == 1 || of != "" && len(missing(own, former)) == len(own) {
			all = append(all, file)
			continue
		}
		if err := d.List.pass(file, own); err != nil {
			return nil, err
		}
		known.Share(file.Seconds, own)
		all = append(all, own...)
		t.divided[file.ID] = batch.Batch{Tests: own}.IDs()
		if of != "" {
			log.Info(fmt.Sprintf("%s: its %d tests are listed one by one, as in run %s", file.ID, len(own), of))
		} else {
			took := time.Duration(file.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
			log.Info(fmt.Sprintf("%s takes %v: its %d tests are listed one by one", file.ID, took, len(own)))
		}
	}
	return all, nil
}

// missing are the tests that a list does not have.
func missing(tests []batch.Test, list map[string]bool) []batch.Test {
	return slices.DeleteFunc(slices.Clone(tests), func(t batch.Test) bool { return list[t.ID] })
}

// former returns the list of the run that decides, and its id, which is empty if there is no such run. It waits for a Redis that is away.
func (d Division) former(ctx context.Context, rdb redis.UniversalClient) (of string, listed map[string]bool, err error) {
	for began := time.Now(); ; {
		of, listed, err = d.look(ctx, rdb)
		if err == nil || !batch.Transient(err) || time.Since(began) > outage {
			return of, listed, err
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return "", nil, context.Cause(ctx)
		}
	}
}

// look is one try of former.
func (d Division) look(ctx context.Context, rdb redis.UniversalClient) (of string, listed map[string]bool, err error) {
	if d.RunID == "" || rdb == nil {
		return "", nil, nil
	}
	runs := []string{d.RunID}
	if d.Rerun.which == rerunFailed {
		runs = append(runs, d.Rerun.former...)
	}
	for _, of := range runs {
		q, err := batch.Attach(ctx, rdb, of)
		if errors.Is(err, batch.Gone) || errors.Is(err, batch.OtherSchema) { // another version's: nothing of it holds
			continue
		}
		if err != nil {
			return "", nil, err
		}
		ids, err := q.Tests(ctx)
		if err != nil || len(ids) == 0 { // opened just now
			return "", nil, err
		}
		listed = make(map[string]bool, len(ids))
		for _, id := range ids {
			listed[id] = true
		}
		return of, listed, nil
	}
	return "", nil, nil
}

// divisible tells whether files of the list may be divided: it is the runner's own, and the user does not keep tests together.
func (l *List) divisible() bool {
	return l != nil && l.tests == "" && l.listCommand == "" && (l.group == "" || l.group == "none")
}

// pass gives the tests of a file the gate and the quarantine that are theirs by name, or else the file's.
func (l *List) pass(file batch.Test, tests []batch.Test) error {
	gates, err := l.rules()
	if err != nil {
		return err
	}
	config, err := cli.LoadConfig()
	if err != nil {
		return err
	}
	quarantines := quarantine.NewRules(config.Quarantine, time.Now())
	for i := range tests {
		test := &tests[i]
		if test.Gate = gates.Gate(test.ID, ""); test.Gate.None() {
			test.Gate = file.Gate
		}
		if test.Quarantine = quarantines.Of(test.ID); test.Quarantine.None() {
			test.Quarantine = file.Quarantine
		}
	}
	return nil
}

// addWhole adds how long divided files took: the sum of their tests, so that the next run knows whether they are still slow. Files of which
// a test did not pass in this very run are left out, as those are that fail whole: they would be taken for fast.
func (t *Timings) addWhole(m plan.Measured, tests []report.Judged) {
	skipped := map[string]bool{}
	for _, test := range tests {
		skipped[test.ID] = test.Status == batch.Skipped
	}
	for file, ids := range t.divided {
		seconds, all := 0.0, true
		for _, id := range ids {
			seconds += m.Seconds[id]
			all = all && (m.Seconds[id] > 0 || skipped[id])
		}
		if all && seconds > 0 {
			m.Seconds[file] = seconds
		}
	}
}
