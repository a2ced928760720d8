package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/plan"
)

func planCommand() cli.Command {
	var o planOptions
	return cli.Command{
		Name: "plan", Usage: "[--workers N] [--target 5m] (--runner go [PATTERN…] | --tests FILE)",
		Short: "predict how long a run takes with 1 to N workers",
		Long: `
Simulates the run with the durations that earlier runs recorded, by the rule by which workers take tests, and tells for each
number of workers when the last one would end, what machine time that costs, and which test keeps it from being faster.`,
		Flags: o.register, Run: o.run,
	}
}

type planOptions struct {
	project cli.Project
	source  control.List
	timings control.Timings
	workers int
	startup time.Duration
	target  time.Duration
	asJSON  bool
	matrix  bool
}

func (o *planOptions) register(flags *pflag.FlagSet) {
	flags.IntVar(&o.workers, "workers", 16, "most workers to try; more than there are tests are never tried")
	flags.DurationVar(&o.target, "target", 0, "print only the least number of workers that end within this time; as long as no duration is known, all of --workers")
	flags.DurationVar(&o.startup, "startup", -1, "what starting the runner costs a batch (default: as it was measured)")
	flags.Lookup("startup").DefValue = ""
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	flags.BoolVar(&o.matrix, "matrix", false, "print the workers of --target, or all of --workers, as JSON for a dynamic matrix: [0,1,2]; as long as no duration is known, all")
	o.project.Register(flags)
	o.source.Register(flags)
	o.timings.RegisterFile(flags)
}

// mostWorkers keeps a slip of the keyboard from taking all memory.
const mostWorkers = 10_000

// predicted is a row of the answer.
type predicted struct {
	Workers int     `json:"workers"`
	Wall    float64 `json:"wall_seconds"`
	Machine float64 `json:"machine_seconds"`
	Idle    float64 `json:"idle_seconds"`
	Startup float64 `json:"startup_seconds"`
	Bound   float64 `json:"bound_seconds"`
	Batches int     `json:"batches"`
}

func (o *planOptions) run(ctx context.Context, streams cli.Streams, args cli.Args) error {
	cli.Secret(streams.LookupEnv)
	if err := errors.Join(cli.AtLeast("workers", o.workers, 1), cli.AtLeast("target", o.target, 0), o.project.Enter()); err != nil {
		return err
	}
	if o.workers > mostWorkers {
		return cli.Usagef("--workers %d: %d is the most that can be simulated", o.workers, mostWorkers)
	}
	log := cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)
	r, err := listingRunner(&o.project, args.After, log)
	if err != nil {
		return err
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	tests, err := o.source.Load(ctx, streams, r, args.Before, log)
	if err != nil {
		return err
	}
	tests, costs, err := o.timings.EstimateDivided(ctx, nil, control.Division{Runner: r, List: &o.source}, tests, o.workers, streams.LookupEnv, log)
	if err != nil {
		return err
	}
	if o.startup >= 0 {
		costs = plan.Costs{First: o.startup.Seconds(), Startup: o.startup.Seconds()}
	}
	tasks, unknown := plan.Tasks(tests)
	most := min(o.workers, max(1, len(tests))) // more would have nothing to do
	if unknown == len(tests) && unknown > 0 {
		if o.asJSON || o.target == 0 && !o.matrix {
			return cli.Usagef("no duration of these %d tests is known: run them once with the same --timings, or give --timings-from a JUnit report", len(tests))
		}
		log.Warn(fmt.Sprintf("no duration of these %d tests is known yet: take %d workers, all that --workers allows", len(tests), most))
		return o.printWorkers(streams.Out, most)
	}
	var rows []predicted
	enough := most
	if o.target > 0 {
		enough = 0
	}
	for workers := 1; workers <= most && !(o.target > 0 && enough > 0); workers++ {
		p := plan.Simulate(tasks, costs.Fleet(workers))
		rows = append(rows, predicted{workers, p.Wall, p.Wall * float64(workers), p.Idle, p.Startup, p.Bound, p.Batches})
		if o.target > 0 && p.Wall <= o.target.Seconds() {
			enough = workers
		}
	}
	var longest batch.Test
	if i := plan.Simulate(tasks, plan.Fleet{Workers: 1}).Longest; i >= 0 {
		longest = batch.Test{ID: tests[i].ID, Seconds: tasks[i].Actual}
	}
	switch {
	case enough == 0:
		best := rows[len(rows)-1]
		advice := "allow more with --workers"
		if longest.Seconds+costs.First > o.target.Seconds() {
			advice = "no number of workers is enough: split that test, or start the runner faster"
		}
		return cli.Usagef("--target %v: %d workers would take %.1fs; the longest test alone, %s, takes %.1fs, the start of the runner %.1fs; %s",
			o.target, best.Workers, best.Wall, longest.ID, longest.Seconds, costs.First, advice)
	case o.asJSON && !o.matrix:
		if o.target > 0 {
			rows = rows[enough-1 : enough]
		}
		return json.NewEncoder(streams.Out).Encode(rows)
	case o.matrix || o.target > 0:
		return o.printWorkers(streams.Out, enough)
	}
	return printPlan(streams.Out, tests, rows, unknown, costs, longest)
}

// printWorkers prints how many workers it takes, or one entry of a matrix for each.
func (o *planOptions) printWorkers(out io.Writer, workers int) error {
	if !o.matrix {
		_, err := fmt.Fprintln(out, workers)
		return err
	}
	indices := make([]int, workers)
	for i := range indices {
		indices[i] = i
	}
	return json.NewEncoder(out).Encode(indices)
}

// widestBar is that of a whole bar, in columns: with it a line of the table fits a terminal of 80.
const widestBar = 20

// printPlan prints a table with a small chart.
func printPlan(out io.Writer, tests []batch.Test, rows []predicted, unknown int, costs plan.Costs, longest batch.Test) error {
	fmt.Fprintf(out, "%d tests, %.1fs of tests; a worker's first start takes %.2fs, each other %.2fs", len(tests), rows[0].Machine-rows[0].Startup, costs.First, costs.Startup)
	if unknown > 0 {
		fmt.Fprintf(out, "; the duration of %d is not known, they count as the mean", unknown)
	}
	if len(tests) > 0 {
		fmt.Fprintf(out, "\nlongest: %.2fs  %s", longest.Seconds, longest.ID)
	}
	fmt.Fprint(out, "\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "workers\twall\tbound\tmachine time\tidle\tfaster\t")
	for _, row := range rows {
		bar := strings.Repeat("█", max(1, int(widestBar*row.Wall/max(rows[0].Wall, 1e-9))))
		fmt.Fprintf(table, "%d\t%.1fs\t%.1fs\t%.1fs\t%.0f%%\t%.1fx\t %s\n", row.Workers, row.Wall, row.Bound, row.Machine, 100*row.Idle/max(row.Machine, 1e-9), rows[0].Wall/max(row.Wall, 1e-9), bar)
	}
	return table.Flush()
}
