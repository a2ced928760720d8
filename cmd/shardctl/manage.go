package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

func abortCommand() cli.Command {
	var (
		where  cli.Where
		reason string
	)
	return cli.Command{
		Name: "abort", Usage: "--redis-url URL --run-id ID [--reason TEXT]",
		Short: "stop a run",
		Long: `
Workers stop their runners, give their tests back and leave; what did not run is reported as such, and the verdict of the
run is 3.`,
		Flags: func(flags *pflag.FlagSet) {
			where.Register(flags)
			flags.StringVar(&reason, "reason", "shardctl abort", "why, for the reports: a `TEXT`")
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			return onRun(ctx, streams, args, &where, func(rdb redis.UniversalClient) error {
				q, err := batch.Attach(ctx, rdb, where.RunID)
				if err != nil {
					return err
				}
				progress, err := q.Abort(ctx, batch.Abortion{Why: reason, Who: cli.WhoAmI()})
				if err != nil {
					return err
				}
				if progress == batch.IsDone {
					return cli.Usagef("run %q is complete, there is nothing to stop", where.RunID)
				}
				fmt.Fprintf(streams.Out, "run %s: aborted\n", where.RunID)
				return nil
			})
		},
	}
}

func cleanCommand() cli.Command {
	var (
		where cli.Where
		force bool
	)
	return cli.Command{
		Name: "clean", Usage: "--redis-url URL --run-id ID [--force]",
		Short: "delete what Redis holds of a run",
		Long: `
Deletes the keys of this run and of no other. A run that is under way is refused; abort it first, or use --force, which does
that: a run whose keys merely disappear is brought back by its controller. Runs disappear by themselves a day after their
last sign of life.`,
		Flags: func(flags *pflag.FlagSet) {
			where.Register(flags)
			flags.BoolVar(&force, "force", false, "also a run that is under way: abort it, and give its workers a moment to leave")
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			return onRun(ctx, streams, args, &where, func(rdb redis.UniversalClient) error {
				end := refuseLive
				if force {
					end = abortLive
				}
				if err := end(ctx, rdb, where.RunID); err != nil {
					return err
				}
				n, err := batch.Clean(ctx, rdb, where.RunID)
				if err != nil {
					return err
				}
				fmt.Fprintf(streams.Out, "run %s: %d keys deleted\n", where.RunID, n)
				return nil
			})
		},
	}
}

// refuseLive returns an error if a run is under way: it has workers, or tests without a result and no end marker.
func refuseLive(ctx context.Context, rdb redis.UniversalClient, runID string) error {
	q, err := batch.Attach(ctx, rdb, runID)
	if errors.Is(err, batch.Gone) {
		return nil
	}
	if err != nil {
		return err
	}
	state, err := q.State(ctx)
	if errors.Is(err, batch.Gone) {
		return nil
	}
	if err == nil && !state.Markers.Over() {
		return cli.Usagef("run %q is under way (%d of %d tests have a result, %d workers): abort it first, or use --force",
			runID, state.Results, state.Tests, len(state.Workers))
	}
	return err
}

const (
	// leaveTime is how long the workers of an aborted run may take to leave before its keys are deleted.
	leaveTime = 5 * time.Second
	// noticeTime is how long its controllers have to see that it is over: nobody knows how many there are, and one that finds the keys
	// gone before would bring them back.
	noticeTime = 500 * time.Millisecond
)

// abortLive ends a run that may be under way. What Redis holds of a damaged run is nobody's any more.
func abortLive(ctx context.Context, rdb redis.UniversalClient, runID string) error {
	q, err := batch.Attach(ctx, rdb, runID)
	if err == nil {
		_, err = q.Abort(ctx, batch.Abortion{Why: "shardctl clean --force", Who: cli.WhoAmI()})
	}
	for began := time.Now(); err == nil && time.Since(began) < leaveTime; {
		var workers []batch.WorkerState
		if workers, err = q.Workers(ctx); len(workers) == 0 && time.Since(began) >= noticeTime {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if batch.Transient(err) {
		return err
	}
	return nil
}

// onRun connects to the Redis of a run that must not be embedded.
func onRun(ctx context.Context, streams cli.Streams, args cli.Args, where *cli.Where, do func(redis.UniversalClient) error) error {
	if err := errors.Join(args.None(), where.Resolve(false, streams.LookupEnv)); err != nil {
		return err
	}
	rdb, disconnect, err := where.Connect(ctx, cli.NewLog(streams.Err, "shardctl", slog.LevelInfo), streams.Patience)
	if err != nil {
		return err
	}
	defer disconnect()
	return do(rdb)
}

// version is set by the release build.
var version = ""

func versionCommand() cli.Command {
	return cli.Command{
		Name: "version", Short: "print the version",
		Long: "Prints the version of this program and of the Go that built it.",
		Run: func(_ context.Context, streams cli.Streams, args cli.Args) error {
			if err := args.None(); err != nil {
				return err
			}
			text, goVersion := version, ""
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = info.GoVersion
				if text == "" {
					text = info.Main.Version
				}
			}
			_, err := fmt.Fprintf(streams.Out, "shardctl %s (%s, protocol %d)\n", text, goVersion, batch.Schema)
			return err
		},
	}
}
