package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/recovery"
)

// Rerun are the flags that say what an attempt starts from.
type Rerun struct {
	which, of string
	// former are the ids of the attempts before this one, the last first.
	former []string
}

const rerunAll, rerunFailed = "all", "failed"

// Register declares the flags.
func (r *Rerun) Register(flags *pflag.FlagSet) {
	flags.StringVar(&r.which, "rerun", rerunAll, "which tests another attempt at the same CI run runs: all, or failed: those that the former attempt did not see pass, while its other results hold")
	flags.StringVar(&r.of, "rerun-of", "", "`ID` of the run that --rerun failed starts from (default: the last attempt that Redis knows, from the CI's own variables)")
}

// Resolve checks the flags, and finds out what the environment says of former attempts.
func (r *Rerun) Resolve(lookupEnv func(string) (string, bool)) error {
	if err := cli.OneOf("rerun", r.which, rerunAll, rerunFailed); err != nil {
		return err
	}
	r.former = cli.FormerRunIDs(lookupEnv)
	if r.of != "" {
		if r.which != rerunFailed {
			return cli.Usagef("--rerun-of is for --rerun failed")
		}
		if _, err := batch.NewKeys(r.of); err != nil {
			return cli.Usagef("--rerun-of: %w", err)
		}
		r.former = []string{r.of}
	}
	return nil
}

// holding returns the events of the tests whose result holds from a former attempt with the same manifest; none, if all tests have to run.
// Why is logged. It is safe to take too few: a test without a result runs.
func (r *Rerun) holding(ctx context.Context, rdb redis.UniversalClient, runID, manifest string, log *slog.Logger) ([][]batch.Event, error) {
	if r.which != rerunFailed {
		return nil, nil
	}
	for _, id := range r.former {
		if id == runID {
			return nil, cli.Usagef("--rerun-of %s is this run itself: a new attempt needs a --run-id of its own", id)
		}
		q, err := batch.Attach(ctx, rdb, id)
		switch {
		case errors.Is(err, batch.Gone):
			continue // that attempt ended before it had a run
		case errors.Is(err, batch.OtherSchema):
			log.Warn("--rerun failed: all tests run, as another version of this program made the former attempt", "former", id)
			return nil, nil
		case err != nil:
			return nil, err
		}
		return holdingOf(ctx, q, manifest, log)
	}
	if len(r.former) > 0 {
		log.Warn("--rerun failed: all tests run, as Redis holds no former attempt any more", "former", r.former[0])
	} else {
		log.Info("--rerun failed: all tests run, as this is the first attempt (or --rerun-of is missing)")
	}
	return nil, nil
}

// holdingOf returns what holds of one former attempt.
func holdingOf(ctx context.Context, q *batch.Queue, manifest string, log *slog.Logger) ([][]batch.Event, error) {
	all := func(why string) ([][]batch.Event, error) {
		log.Warn("--rerun failed: all tests run, as "+why, "former", q.RunID())
		return nil, nil
	}
	if q.Manifest() != manifest {
		return all("the former attempt had another list, other flags of the runner or another system")
	}
	state, err := q.State(ctx)
	if errors.Is(err, batch.Gone) {
		return all("Redis lost data of the former attempt")
	} else if err != nil {
		return nil, err
	}
	results, err := q.Results(ctx)
	if err != nil {
		return nil, err
	}
	var known recovery.Known
	problem := ""
	if err := eachEvent(ctx, q, func(e batch.Event) {
		known.Add(e)
		if e.Type == batch.ProblemFound && problem == "" {
			problem = e.Problem.Scope + ": " + e.Problem.Message
		}
	}); err != nil {
		return nil, err
	}
	if problem != "" {
		return all(fmt.Sprintf("something went wrong outside the tests of the former attempt (%.200s)", problem))
	}
	var hold [][]batch.Event
	for _, events := range known.Finals() {
		i := slices.IndexFunc(events, func(e batch.Event) bool { return e.Decision == batch.Final })
		if i < 0 || !holds(events[i].Outcome.Status) || results[events[i].Test] != events[i].Outcome.Status {
			continue
		}
		for i := range events {
			if events[i].Former == "" {
				events[i].Former = q.RunID()
			}
		}
		hold = append(hold, events)
	}
	if len(hold) == state.Tests {
		return all("none failed in the former attempt")
	}
	log.Info(fmt.Sprintf("--rerun failed: %d of %d results of the former attempt hold; tests that run: %d", len(hold), state.Tests, state.Tests-len(hold)), "former", q.RunID())
	return hold, nil
}

// holds tells whether a result needs no other attempt.
func holds(s batch.Status) bool { return s == batch.Passed || s == batch.Skipped }

// eachEvent reads the journal to its end.
func eachEvent(ctx context.Context, q *batch.Queue, do func(batch.Event)) error {
	const most = 1000
	for cursor := batch.JournalStart; ; {
		events, err := q.Events(ctx, cursor, most, -1)
		if err != nil {
			return err
		}
		for _, e := range events {
			do(e)
			cursor = e.ID
		}
		if len(events) < most {
			return nil
		}
	}
}
