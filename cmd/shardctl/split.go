package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/plan"
)

func splitCommand() cli.Command {
	var (
		project cli.Project
		source  control.List
		timings control.Timings
		shard   cli.Shard
		asJSON  bool
	)
	return cli.Command{
		Name: "split", Usage: "--shard 2/8 (--tests FILE | --runner go [PATTERN…])",
		Short: "print one shard of the tests, for CI without a Redis",
		Long: `
Prints the tests of one of several shards, which take about as long as each other, one a line. The shards together are the
list if all jobs have the same list and the same --timings FILE: hand both to them, and let ` + "`shardctl merge --expect`" + ` prove
it at the end. The line "split DIGEST of …" on standard error has the same digest in all jobs that split alike. Names alone
lose the gates and groups that a list brings; --json keeps them.`,
		Flags: func(flags *pflag.FlagSet) {
			shard.Register(flags)
			shard.Shorten(flags)
			flags.BoolVar(&asJSON, "json", false, "print JSON lines")
			project.Register(flags)
			source.Register(flags)
			timings.RegisterFile(flags)
			flags.Lookup("timings").Usage = "`FILE` with durations of tests, the same in all jobs"
			flags.Lookup("timings").DefValue = ""
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			cli.Secret(streams.LookupEnv)
			index, total, err := shard.Resolve(streams.LookupEnv)
			if err != nil {
				return err
			}
			if err := project.Enter(); err != nil {
				return err
			}
			tests, err := listTests(ctx, streams, &project, &source, args)
			if err != nil {
				return err
			}
			log := cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)
			if err := timings.Fill(tests); err != nil {
				return err
			}
			part := plan.Split(tests, index, total)
			fmt.Fprintln(streams.Err, plan.DescribeSplit(tests, part, index, total))
			if len(part) == 0 {
				log.Warn("this shard has no tests, as there are fewer tests, or groups, than shards: see that its job runs none (shardctl run --allow-empty does so)")
			}
			return printTests(streams.Out, part, asJSON)
		},
	}
}
