package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// sample is how many tests doctor runs.
const sample = 20

// examineRunner holds the project's test runner against the rules of docs/runner-protocol.md.
func examineRunner(ctx context.Context, streams cli.Streams, how *cli.Project, args cli.Args) error {
	cli.Secret(streams.LookupEnv)
	if err := how.Enter(); err != nil {
		return err
	}
	options := how.RunnerOptions(args.After, cli.NewLog(streams.Err, "shardctl", 0))
	r, err := runner.New(options)
	if err != nil {
		return cli.Usagef("%w", err)
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	broken := 0
	err = runner.Examine(ctx, r, args.Before, sample, func(f runner.Finding) {
		word := "ok"
		if f.Broken {
			word = "fail"
			broken++
		}
		fmt.Fprintf(streams.Out, "%-4s  %-8s %s\n", word, f.Rule, strings.ReplaceAll(f.Text, "\n", "\n      | "))
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return cli.Usagef("%w", err)
	case broken > 0:
		return cli.Exit(cli.StatusIncomplete)
	}
	return nil
}
