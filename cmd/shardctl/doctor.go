package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

// aclName keeps names out that would be further rules, patterns, or need quotes.
var aclName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)

func doctorCommand() cli.Command {
	var (
		acl     bool
		where   cli.Where
		user    string
		timings string
		project cli.Project
	)
	return cli.Command{
		Name: "doctor", Usage: "--redis-url URL | --acl [--run-id ID [--timings-name NAME]] [--user NAME] | --runner NAME [PATTERN…] [-- OPTION…]",
		Short: "check a Redis or a test runner, or print the user that a run needs",
		Long: `
Checks whether a Redis can serve runs: version, latency, eviction, memory, persistence, scripts, the user's rights. Each line
begins with ok, warn (runs work, but slower or less safe) or fail, and says what to change. Nothing is written to Redis.
Exit status: 0 no fail, 2 bad usage or credentials, 3 a fail, or Redis is out of reach.

With --runner it lists the tests of the project, runs some of them, in a batch, alone and (if the runner is kept) one batch
after the other, and holds what it tells against docs/runner-protocol.md. --runner socket -- COMMAND… does so with a plugin
of your own.

With --acl it prints a Redis user who may do all that a run needs and reaches no other keys, as a line of the server's ACL
file. With --run-id that is one run alone; for --timings redis such a user needs --timings-name, too. Put a password in the
place of PASSWORD. In a server that runs:

  shardctl doctor --acl | sed "s/^user/ACL SETUSER/; s/PASSWORD/$password/" | redis-cli

Two of its commands tell more than the run: scan the names of all keys, client|list who is connected. Without scan no run
can be cleaned, nor be brought back after Redis lost its data. client|list may be taken away: then a killed worker is
noticed when its lease ends, and not within some seconds.`,
		Flags: func(flags *pflag.FlagSet) {
			where.RegisterURL(flags)
			flags.StringVar(&where.RunID, "run-id", "", "`ID` of the only run that the user may take part in (default: all runs)")
			flags.StringVar(&timings, "timings-name", "", "`NAME` of the only durations that the user of --acl may keep (default: with --run-id none, otherwise all)")
			flags.BoolVar(&acl, "acl", false, "print the user")
			project.Register(flags)
			flags.StringVar(&user, "user", "shardctl", "`NAME` of the user that --acl prints")
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			if project.Runner != "" {
				return examineRunner(ctx, streams, &project, args)
			}
			if err := args.None(); err != nil {
				return err
			}
			if !acl {
				return examine(ctx, streams, &where)
			}
			return printUser(streams, user, where.RunID, timings)
		},
	}
}

// printUser prints the user of one run, or of all if runID is empty; timings is the name of the only durations that are meant.
func printUser(streams cli.Streams, user, runID, timings string) error {
	for flag, name := range map[string]string{"user": user, "timings-name": cmp.Or(timings, "any")} {
		if !aclName.MatchString(name) {
			return cli.Usagef("--%s %.140q is not allowed: use 1 to 128 of the characters A-Z a-z 0-9 . _ : / -", flag, name)
		}
	}
	patterns := []string{batch.AllRuns}
	if runID != "" {
		keys, err := batch.NewKeys(runID)
		if err != nil {
			return cli.Usagef("--run-id: %w", err)
		}
		patterns = []string{keys.Pattern()}
	}
	switch {
	case timings != "":
		patterns = append(patterns, batch.TimingsKey(timings))
	case runID == "":
		patterns = append(patterns, batch.TimingsPattern)
	}
	_, err := fmt.Fprintf(streams.Out, "user %s on >PASSWORD %s\n", user, strings.Join(batch.Rights(patterns...), " "))
	return err
}
