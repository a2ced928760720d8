package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

// aclUserName keeps names out that would be further rules, or need quotes.
var aclUserName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)

func doctorCommand() cli.Command {
	var (
		acl         bool
		runID, user string
	)
	return cli.Command{
		Name: "doctor", Usage: "--acl [--run-id ID] [--user NAME]",
		Short: "print the Redis user that a run needs",
		Long: `
With --acl it prints a Redis user who may do all that a run needs and reaches no other keys, as a line of the server's ACL
file. Put a password in the place of PASSWORD. In a server that runs:

  shardctl doctor --acl | sed "s/^user/ACL SETUSER/; s/PASSWORD/$password/" | redis-cli

Two of its commands tell more than the run: scan the names of all keys, client|list who is connected. Without scan no run
can be cleaned, nor be brought back after Redis lost its data. client|list may be taken away: then a killed worker is
noticed when its lease ends, and not within some seconds.`,
		Flags: func(flags *pflag.FlagSet) {
			flags.BoolVar(&acl, "acl", false, "print the user")
			flags.StringVar(&runID, "run-id", "", "`ID` of the only run that the user may take part in (default: all runs)")
			flags.StringVar(&user, "user", "shardctl", "`NAME` of the user")
		},
		Run: func(_ context.Context, streams cli.Streams, args cli.Args) error {
			switch {
			case args.None() != nil:
				return args.None()
			case !acl:
				return cli.Usagef("nothing to do: give --acl")
			case !aclUserName.MatchString(user):
				return cli.Usagef("--user %.140q is not allowed: use 1 to 128 of the characters A-Z a-z 0-9 . _ : / -", user)
			}
			pattern := batch.AllRuns
			if runID != "" {
				keys, err := batch.NewKeys(runID)
				if err != nil {
					return cli.Usagef("--run-id: %w", err)
				}
				pattern = keys.Pattern()
			}
			_, err := fmt.Fprintf(streams.Out, "user %s on >PASSWORD %s\n", user, strings.Join(batch.Rights(pattern), " "))
			return err
		},
	}
}
