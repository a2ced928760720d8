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
					return encoder.Encode(newStatusJSON(state))
				}
				return printState(streams.Out, state)
			})
		},
	}
}

// statusJSON is what status --json prints.
type statusJSON struct {
	Run         string         `json:"run"`
	Sealed      bool           `json:"sealed"`
	Done        bool           `json:"done"`
	Aborted     bool           `json:"aborted"`
	AbortReason string         `json:"abort_reason,omitempty"`
	AbortBy     string         `json:"abort_by,omitempty"`
	Tests       int            `json:"tests"`
	Results     int            `json:"results"`
	Queued      int            `json:"queued"`
	Requeued    int            `json:"requeued"`
	Workers     []statusWorker `json:"workers"`
}

// statusWorker is a worker in statusJSON.
type statusWorker struct {
	ID       string   `json:"id"`
	Info     string   `json:"info"`
	Finished int      `json:"finished"`
	Batch    int      `json:"batch"`
	Open     bool     `json:"open"`
	Alone    bool     `json:"alone"`
	Held     int      `json:"held"`
	Running  []string `json:"running"`
}

func newStatusJSON(s batch.State) statusJSON {
	j := statusJSON{
		Run: s.RunID, Sealed: s.Markers.Sealed, Done: s.Markers.Done, Aborted: s.Markers.Aborted, AbortReason: s.Abortion.Why,
		AbortBy: s.Abortion.Who, Tests: s.Tests, Results: s.Results, Queued: s.Queued, Requeued: s.Requeued, Workers: []statusWorker{},
	}
	for _, w := range s.Workers {
		j.Workers = append(j.Workers, statusWorker{
			ID: w.ID, Info: w.Info, Finished: w.Finished, Batch: w.Batch, Open: w.Open, Alone: w.Alone, Held: w.Held,
			Running: append([]string{}, w.Running...),
		})
	}
	return j
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
		case worker.Leaving:
			fmt.Fprintf(&b, ", leaving, with %d tests", worker.Held)
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
		return fmt.Sprintf("aborted by %s: %s", s.Abortion.Who, s.Abortion.Why)
	case !s.Markers.Sealed:
		return "the list is open"
	}
	return "under way"
}
