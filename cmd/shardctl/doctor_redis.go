package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// examine tells whether a Redis can serve runs: a line for each thing that was looked at.
func examine(ctx context.Context, streams cli.Streams, where *cli.Where) error {
	if err := where.ResolveURL(streams.LookupEnv); err != nil {
		return err
	}
	if where.RunID != "" { // before anything is connected to
		if _, err := batch.NewKeys(where.RunID); err != nil {
			return cli.Usagef("--run-id: %w", err)
		}
	}
	rdb, disconnect, err := where.Connect(ctx, cli.NewLog(streams.Err, "shardctl", slog.LevelInfo), streams.Patience)
	if err != nil {
		return err
	}
	defer disconnect()
	findings, err := batch.Examine(ctx, rdb, where.RunID)
	findings = append([]batch.Finding{{Level: batch.Fine, Subject: "connection", Text: cli.Redact(where.RedisURL) + " answers"}}, findings...)
	verdict := printFindings(streams.Out, findings)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("Redis answers no more: %w", err)
	}
	return verdict
}

// printFindings prints a line for each, and returns the exit status that they come to.
func printFindings(w io.Writer, findings []batch.Finding) error {
	status := cli.StatusPassed
	for _, f := range findings {
		if f.Level == batch.Failing {
			status = cli.StatusIncomplete
		}
		if _, err := fmt.Fprintf(w, "%-4s  %-11s  %s\n", f.Level, f.Subject, report.OneLine(f.Text, 2000)); err != nil {
			return err
		}
	}
	return cli.Exit(status)
}
