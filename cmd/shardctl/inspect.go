package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

func inspectCommand() cli.Command {
	var where cli.Where
	return cli.Command{
		Name: "inspect", Usage: "--redis-url URL --run-id ID",
		Short: "show every key of a run, and what may be wrong with it",
		Long: `
Prints each key that Redis holds of the run, with its type, its size, what it holds and the redis-cli line that shows it. Then
it goes through the symptoms that keep runs from ending, and says which of them this run has and what to do. Each of these lines
begins with ok, warn or fail. It changes nothing, and looks for some seconds if workers are here, to see whether they live.

Exit status: 0 no fail, 2 bad usage or credentials, 3 a fail, no such run, or Redis is out of reach.`,
		Flags: where.Register,
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			return onRun(ctx, streams, args, &where, func(rdb redis.UniversalClient) error {
				keys, err := batch.ReadKeys(ctx, rdb, where.RunID)
				if err != nil {
					return err
				}
				if len(keys) == 0 {
					return noSuchRun(ctx, rdb, where.RunID)
				}
				if err := printKeys(streams.Out, where, keys); err != nil {
					return err
				}
				findings, err := diagnose(ctx, rdb, where.RunID)
				if err != nil {
					return err
				}
				fmt.Fprintln(streams.Out, "\nChecklist")
				return printFindings(streams.Out, findings)
			})
		},
	}
}

// noSuchRun is the error for a run of which Redis holds nothing. Most often its id is not what the other jobs have.
func noSuchRun(ctx context.Context, rdb redis.UniversalClient, runID string) error {
	err := &batch.Error{Code: batch.Gone, RunID: runID, Detail: "Redis holds no key of it"}
	runs, errRuns := batch.Runs(ctx, rdb)
	if errRuns != nil {
		return errors.Join(err, errRuns)
	}
	if len(runs) == 0 {
		return fmt.Errorf("%w, nor of any other run: is --redis-url (with its database) that of the other jobs? Runs disappear a day after their last sign of life", err)
	}
	const most = 10
	nearest := cli.Nearest(runID, runs)
	more := ""
	if len(nearest) > most {
		more = fmt.Sprintf(" and %d more", len(nearest)-most)
	}
	return fmt.Errorf("%w; it has these runs, those of like names first: %s%s", err, strings.Join(nearest[:min(len(nearest), most)], ", "), more)
}

func printKeys(w io.Writer, where cli.Where, keys []batch.StoredKey) error {
	redisCLI, note := cli.RedisCLI(where.RedisURL)
	var b strings.Builder
	fmt.Fprintf(&b, "Keys of run %s at %s\n", where.RunID, cli.Redact(where.RedisURL))
	if note != "" {
		fmt.Fprintf(&b, "For redis-cli: %s\n", note)
	}
	for _, key := range keys {
		switch {
		case key.Kind.Type == "":
			fmt.Fprintf(&b, "\n%s: %v\n", foreign(key.Name), key.Err)
			continue
		case key.Err != nil:
			fmt.Fprintf(&b, "\n%s  %s, of unknown size: %s\n", foreign(key.Name), key.Kind.Type, foreign(key.Err.Error()))
		default:
			fmt.Fprintf(&b, "\n%s  %s of %d\n", foreign(key.Name), key.Kind.Type, key.Size)
		}
		fmt.Fprintf(&b, "  %s\n  %s %s\n", key.Kind.Holds, redisCLI, key.Kind.Show(foreign(key.Name)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// diagnose looks at a run twice, a beat apart, and returns what the checklist says of it.
func diagnose(ctx context.Context, rdb redis.UniversalClient, runID string) ([]batch.Finding, error) {
	q, err := batch.Attach(ctx, rdb, runID)
	var refused *batch.Error
	if errors.As(err, &refused) {
		return damaged(refused), nil
	}
	if err != nil {
		return nil, err
	}
	var l look
	if l.before, err = q.State(ctx); err == nil && !l.before.Markers.Over() {
		l.watched = 2 * batch.BeatInterval(q.Options().Lease)
		select {
		case <-time.After(l.watched):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	l.lease = q.Options().Lease
	if err == nil {
		l.now, err = q.State(ctx)
	}
	if err == nil {
		l.recent, err = q.Recent(ctx, recentEvents)
	}
	if err == nil {
		l.clock, err = clockOf(ctx, q)
	}
	if errors.As(err, &refused) {
		return damaged(refused), nil
	}
	if err != nil {
		return nil, err
	}
	findings := l.findings()
	examined, err := batch.Examine(ctx, rdb, runID)
	for _, f := range examined {
		switch f.Subject {
		case "role", "eviction", "memory", "rights":
			findings = append(findings, f)
		}
	}
	return findings, err
}

// recentEvents is how far back the journal is read for what goes on now.
const recentEvents = 5000

// clockOf returns the time by Redis's own clock, by which the journal's entries are dated.
func clockOf(ctx context.Context, q *batch.Queue) (time.Time, error) {
	age, err := q.Age(ctx)
	if err != nil {
		return time.Time{}, err
	}
	first, err := q.Events(ctx, batch.JournalStart, 1, -1)
	if err != nil || len(first) == 0 {
		return time.Time{}, err
	}
	return first[0].Time.Add(age), nil
}
