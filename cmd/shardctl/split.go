package main

import (
	"context"
	"crypto/sha256"
	"fmt"

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
	)
	return cli.Command{
		Name: "split", Usage: "--shard 2/8 (--tests FILE | --runner go [PATTERN…])",
		Short: "print one shard of the tests, for CI without a Redis",
		Long: `
Prints the tests of one of several shards, which take about as long as each other, one a line. The shards together are the
list if all jobs have the same list and the same --timings FILE: hand both to them, and let ` + "`shardctl merge --expect`" + ` prove
it at the end. What is told on standard error is the same in all jobs that split alike.`,
		Flags: func(flags *pflag.FlagSet) {
			shard.Register(flags)
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
			if err := timings.Fill(tests); err != nil {
				return err
			}
			digest := sha256.New()
			for _, t := range tests {
				fmt.Fprintf(digest, "%s\n%s\n%v\n", t.ID, t.Group, t.Seconds)
			}
			part := plan.Split(tests, index, total)
			fmt.Fprintf(streams.Err, "split %x of %d tests into %d shards: shard %d has %d\n", digest.Sum(nil)[:6], len(tests), total, index+1, len(part))
			for _, t := range part {
				if _, err := fmt.Fprintln(streams.Out, t.ID); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
