package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

func statusCommand() cli.Command {
	var (
		where  cli.Where
		asJSON bool
	)
	return cli.Command{
		Name: "status", Usage: "--redis-url URL --run-id ID [--json]",
		Short: "print how a run stands",
		Long: `
Prints what Redis holds of the run now: tests, results, queues and workers. It changes nothing. Exit status 0 whatever
the tests say, 3 if there is no such run.`,
		Flags: func(flags *pflag.FlagSet) {
			where.Register(flags)
			flags.BoolVar(&asJSON, "json", false, "print JSON")
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			return onRun(ctx, streams, args, &where, func(rdb *redis.Client) error {
				q, err := batch.Attach(ctx, rdb, where.RunID)
				if err != nil {
					return err
				}
				state, err := q.State(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					encoder := json.NewEncoder(streams.Out)
					encoder.SetIndent("", "  ")
					return encoder.Encode(state)
				}
				return printState(streams.Out, state)
			})
		},
	}
}

func printState(w io.Writer, s batch.State) error {
	var b strings.Builder
	fmt.Fprintf(&b, "run %s: %s\n", s.RunID, phase(s))
	held := 0
	for _, worker := range s.Workers {
		held += worker.Held
	}
	fmt.Fprintf(&b, "tests: %d, with a result: %d, queued: %d, to run alone: %d, held by workers: %d\n",
		s.Tests, s.Results, s.Queued, s.Requeued, held)
	if len(s.Workers) == 0 && !s.Markers.Over() {
		fmt.Fprintf(&b, "no worker is here\n")
	}
	for _, worker := range s.Workers {
		fmt.Fprintf(&b, "worker %s (%s): %d tests done", worker.ID, worker.Info, worker.Finished)
		switch {
		case len(worker.Running) > 0:
			fmt.Fprintf(&b, ", running %s", strings.Join(worker.Running, ", "))
		case worker.Open:
			fmt.Fprintf(&b, ", holding %d in batch %d", worker.Held, worker.Batch)
		default:
			b.WriteString(", idle")
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func phase(s batch.State) string {
	switch {
	case s.Markers.Done:
		return "done"
	case s.Markers.Aborted:
		return fmt.Sprintf("aborted by %s: %s", s.AbortBy, s.AbortReason)
	case !s.Markers.Sealed:
		return "the list is open"
	}
	return "under way"
}
