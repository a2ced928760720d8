package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

func statusCommand() cli.Command {
	var (
		where         cli.Where
		asJSON, watch bool
		output        control.Output
	)
	return cli.Command{
		Name: "status", Usage: "--redis-url URL --run-id ID [--json | --watch]",
		Short: "print how a run stands",
		Long: `
Prints what Redis holds of the run now: tests, results, queues, gates and workers. It changes nothing. Exit status 0
whatever the tests say, 3 if there is no such run. With --watch it shows first how the run goes on, as shardctl run does,
until it is over.

A test has a result, is queued, waits to run alone (requeued), waits behind a gate in one of these two ways, or is held
by a worker. Of a gate it tells which of the workers that are here qualify, were refused or were not asked yet, and
which left because they qualified for nothing that was left.`,
		Flags: func(flags *pflag.FlagSet) {
			where.Register(flags)
			flags.BoolVar(&asJSON, "json", false, "print JSON")
			flags.BoolVar(&watch, "watch", false, "show how the run goes on until it is over, without a hand in it; then print how it stands")
			output.RegisterProgress(flags)
		},
		Run: func(ctx context.Context, streams cli.Streams, args cli.Args) error {
			if err := output.ValidateProgress(); err != nil {
				return err
			}
			if asJSON && watch {
				return cli.Usagef("--json and --watch exclude each other: --json prints how the run stands once")
			}
			return onRun(ctx, streams, args, &where, func(rdb redis.UniversalClient) error {
				q, err := batch.Attach(ctx, rdb, where.RunID)
				if err != nil {
					return err
				}
				if watch {
					if q, err = output.Watch(ctx, q, streams, cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)); err != nil {
						return err
					}
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
	Gates       []statusGate   `json:"gates"`
	Workers     []statusWorker `json:"workers"`
}

// statusGate is a gate in statusJSON. Its tests are not among those that statusJSON counts as queued and requeued.
type statusGate struct {
	Gate     string   `json:"gate"`
	Hash     string   `json:"hash"`
	Queued   int      `json:"queued"`
	Requeued int      `json:"requeued"`
	Passed   []string `json:"passed"`
	Refused  []string `json:"refused"`
	Gone     []string `json:"gone"`
	NotAsked []string `json:"not_asked"`
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
		AbortBy: s.Abortion.Who, Tests: s.Tests, Results: s.Results, Queued: s.Queued, Requeued: s.Requeued,
		Gates: []statusGate{}, Workers: []statusWorker{},
	}
	for _, g := range s.Gates {
		j.Gates = append(j.Gates, statusGate{
			Gate: g.String(), Hash: g.Hash(), Queued: g.Queued, Requeued: g.Requeued, Passed: append([]string{}, g.Passed...),
			Refused: append([]string{}, g.Refused...), Gone: append([]string{}, g.Gone...),
			NotAsked: append([]string{}, report.NotAsked(g, s.Workers)...),
		})
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
	fmt.Fprintf(&b, "tests: %d, with a result: %d, queued: %d, to run alone: %d", s.Tests, s.Results, s.Queued, s.Requeued)
	if len(s.Gates) > 0 {
		behind := 0
		for _, g := range s.Gates {
			behind += g.Queued + g.Requeued
		}
		fmt.Fprintf(&b, ", behind gates: %d", behind)
	}
	fmt.Fprintf(&b, ", held by workers: %d\n", held)
	for _, g := range s.Gates {
		b.WriteString(gateLine(g, s.Workers))
	}
	if len(s.Workers) == 0 && !s.Markers.Over() {
		fmt.Fprintf(&b, "no worker is here\n")
	}
	for _, worker := range s.Workers {
		fmt.Fprintf(&b, "worker %s (%s): %d tests done", foreign(worker.ID), foreign(worker.Info), worker.Finished)
		switch {
		case worker.Leaving:
			fmt.Fprintf(&b, ", leaving, with %d tests", worker.Held)
		case len(worker.Running) > 0:
			fmt.Fprintf(&b, ", running %s", report.Names(worker.Running, len(worker.Running)))
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

// gateLine tells of one gate.
func gateLine(g batch.GateState, workers []batch.WorkerState) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): queued: %d, to run alone: %d", report.GateName(g.String()), g.Hash(), g.Queued, g.Requeued)
	for _, some := range []struct {
		are string
		ids []string
	}{
		{"qualify", g.Passed}, {"refused", g.Refused}, {"left unqualified", g.Gone}, {"not asked yet", report.NotAsked(g, workers)},
	} {
		if len(some.ids) > 0 {
			fmt.Fprintf(&b, "; %s: %s", some.are, report.Names(some.ids, 10))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// foreign makes text that came through Redis a part of a line.
func foreign(s string) string { return report.OneLine(s, 300) }

func phase(s batch.State) string {
	switch {
	case s.Markers.Done:
		return "done"
	case s.Markers.Aborted:
		return fmt.Sprintf("aborted by %s: %s", foreign(s.Abortion.Who), foreign(s.Abortion.Why))
	case !s.Markers.Sealed:
		return "the list is open"
	}
	return "under way"
}
