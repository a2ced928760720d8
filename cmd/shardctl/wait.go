package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

func waitCommand() cli.Command {
	var (
		where   cli.Where
		wait    time.Duration
		limits  control.Limits
		output  control.Output
		timings control.Timings
	)
	return cli.Command{
		Name: "wait", Usage: "--redis-url URL --run-id ID [--junit FILE]",
		Short: "supervise a run that others opened, and exit with its verdict",
		Long: `
Attaches to the run, shows its progress, notices workers that died and has their tests run again, and ends with the
verdict. Any number of these may attend one run, beside or instead of ` + "`shardctl run`" + `.`,
		Flags: func(flags *pflag.FlagSet) {
			where.Register(flags)
			flags.DurationVar(&wait, "wait", 5*time.Minute, "how long to wait for the run to be opened")
			limits.Register(flags)
			output.Register(flags)
			timings.Register(flags)
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			if err := errors.Join(limits.Validate(), output.Validate()); err != nil {
				return err
			}
			log := cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)
			return onRun(ctx, streams, args, &where, func(rdb redis.UniversalClient) error {
				q, err := cli.Await(ctx, rdb, where.RunID, wait, log)
				if err != nil {
					return err
				}
				if state, err := q.State(ctx); err == nil && state.Markers.Over() {
					log.Warn("this run was over before this command came; what follows is its verdict", "run", where.RunID)
				}
				return (&control.Attendance{Queue: q, Limits: limits, Output: output, Streams: streams, Log: log, Timings: &timings, Redis: rdb}).Attend(ctx)
			})
		},
	}
}
