package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

func enqueueCommand() cli.Command {
	var o enqueueOptions
	return cli.Command{
		Name: "enqueue", Usage: "--redis-url URL --run-id ID [--seal] (--runner go [PATTERN…] [-- FLAG…] | --tests FILE)",
		Short: "add tests to a run whose list is open",
		Long: `
Opens the run if nobody did, and adds tests to its list; workers may run them already. Several calls, also at the same
time, add up; tests that are in the list stay there once. --seal closes the list: no run is complete before that. Then
` + "`shardctl wait`" + ` supervises the run and tells its verdict.`,
		Flags: o.register, Run: o.run,
	}
}

type enqueueOptions struct {
	where   cli.Where
	what    control.List
	budgets control.Budgets
	timings control.Timings
	project cli.Project
	seal    bool
}

func (o *enqueueOptions) register(flags *pflag.FlagSet) {
	o.where.Register(flags)
	o.what.Register(flags)
	o.project.Register(flags)
	flags.BoolVar(&o.seal, "seal", false, "close the list afterwards")
	o.budgets.Register(flags)
	o.timings.Register(flags)
}

func (o *enqueueOptions) run(ctx context.Context, streams cli.Streams, args cli.Args) error {
	log := cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)
	secret := cli.Secret(streams.LookupEnv)
	if err := errors.Join(o.where.Resolve(false, streams.LookupEnv), o.project.Enter()); err != nil {
		return err
	}
	options, err := o.budgets.Options()
	if err != nil {
		return err
	}
	r, err := listingRunner(&o.project, args.After, log)
	if err != nil {
		return err
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	tests, rdb, disconnect, err := o.what.Bring(ctx, streams, r, args.Before, &o.where, log)
	if err != nil {
		return err
	}
	defer disconnect()
	options.Startup = o.timings.Estimate(ctx, rdb, tests, 0, streams.LookupEnv, log).Start()
	q, err := batch.Open(ctx, rdb, o.where.RunID, batch.Streaming, options)
	if err != nil {
		return err
	}
	control.Sign(tests, secret, q)
	total, err := q.Enqueue(ctx, tests)
	if err != nil {
		return err
	}
	fmt.Fprintf(streams.Out, "run %s: %d tests given, %d in the list\n", o.where.RunID, len(tests), total)
	if !o.seal {
		return nil
	}
	// A failover may have taken back a part of what Redis acknowledged: the list is closed when all of it was there at once. What
	// others brought is not here to be brought again.
	for before := -1; before != total; {
		before = total
		if total, err = q.Enqueue(ctx, tests); err != nil {
			return err
		}
		if total < before {
			return &batch.Error{Code: batch.Gone, RunID: o.where.RunID, Detail: fmt.Sprintf(
				"Redis lost tests that others put into the list: it held %d and holds %d; begin another run", before, total)}
		}
	}
	if err := q.Seal(ctx, total); err != nil {
		return err
	}
	fmt.Fprintf(streams.Out, "run %s: the list is closed with %d tests\n", o.where.RunID, total)
	return nil
}

// listingRunner is the runner that finds the tests; nil if the list comes from elsewhere.
func listingRunner(project *cli.Project, args []string, log *slog.Logger) (runner.Runner, error) {
	if project.Runner == "" {
		return nil, nil
	}
	r, err := runner.New(project.RunnerOptions(args, log))
	if err != nil {
		return nil, cli.Usagef("%w", err)
	}
	return r, nil
}

// listTests loads the list for a command that does nothing else with the runner.
func listTests(ctx context.Context, streams cli.Streams, project *cli.Project, source *control.List, args cli.Args) ([]batch.Test, error) {
	log := cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)
	r, err := listingRunner(project, args.After, log)
	if err != nil {
		return nil, err
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	return source.Load(ctx, streams, r, args.Before, log)
}
