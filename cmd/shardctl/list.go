package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

func listCommand() cli.Command {
	var (
		project cli.Project
		asJSON  bool
		source  control.List
	)
	return cli.Command{
		Name: "list", Usage: "--runner go [PATTERN…] [-- FLAG…]",
		Short: "print the tests that a runner finds, one a line",
		Long: `
Prints what shardctl run would run: names that --tests takes again, or, with --json, JSON lines.`,
		Flags: func(flags *pflag.FlagSet) {
			project.Register(flags)
			flags.BoolVar(&asJSON, "json", false, "print JSON lines")
			source.Register(flags)
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			cli.Secret(streams.LookupEnv) // nobody here needs it, least of all what is started
			if err := project.Enter(); err != nil {
				return err
			}
			tests, err := listTests(ctx, streams, &project, &source, args)
			if err != nil {
				return err
			}
			return printTests(streams.Out, tests, asJSON)
		},
	}
}

// printTests prints a list as --tests takes it again.
func printTests(out io.Writer, tests []batch.Test, asJSON bool) (err error) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, t := range tests {
		if asJSON {
			err = encoder.Encode(control.Listed{Test: t.ID, Seconds: t.Seconds, Gate: t.Gate.String(), Group: t.Group})
		} else {
			_, err = fmt.Fprintln(out, t.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
