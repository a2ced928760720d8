package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

func runCommand() cli.Command {
	var o runOptions
	return cli.Command{
		Name: "run", Usage: "[--redis-url URL --run-id ID] (--runner go [PATTERN…] [-- FLAG…] | --tests FILE -- COMMAND…)",
		Short: "enqueue tests, supervise the run, run local workers, tell the verdict",
		Long: `
Lists the tests, puts them into the run's queue, and supervises the run to its end. Without --redis-url a server in this
process and local workers do it all. With it, workers anywhere join with the same URL and run id (shardworker). Started
again with the same run id and list before the run is over, it goes on where the run stands.

The command after -- runs a batch of tests. In it {tests} stands for the names (one argument each), {tests_file} for a
file with one name a line (without either they come on standard input), {junit} for the JUnit file that it must write,
{junit_dir} for a folder of such files, {artifacts} for a folder that is kept, {batch} for the number of the batch.

Exit status: 0 every test passed, 1 a test failed, 2 bad usage or credentials, 3 the run is incomplete, 4 no tests,
130/143 stopped by a signal.`,
		Flags: o.register, Run: o.run,
	}
}

type runOptions struct {
	where   cli.Where
	what    control.List
	how     cli.How
	workers int
	budgets control.Budgets
	rerun   control.Rerun
	limits  control.Limits
	output  control.Output
	timings control.Timings
}

// automatic is the value of --workers that nobody gave.
const automatic = -1

func (o *runOptions) register(flags *pflag.FlagSet) {
	o.where.Register(flags)
	o.what.Register(flags)
	o.how.Register(flags)
	flags.IntVar(&o.workers, "workers", automatic, "how many workers run in this process")
	flags.Lookup("workers").DefValue = "one a CPU, none with --redis-url"
	o.budgets.Register(flags)
	o.rerun.Register(flags)
	o.limits.Register(flags)
	o.output.Register(flags)
	o.timings.Register(flags)
}

func (o *runOptions) run(ctx context.Context, streams cli.Streams, args cli.Args) error {
	log := cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)
	secret := cli.Secret(streams.LookupEnv) // before anything is started that could see it
	if err := o.resolve(streams.LookupEnv); err != nil {
		return err
	}
	options, err := o.budgets.Options()
	if err != nil {
		return err
	}
	options.ExpectWorkers = max(options.ExpectWorkers, o.workers)
	r, err := o.runner(args, log)
	if err != nil {
		return err
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	locals := o.locals()
	if starter, ok := r.(runner.Starter); ok {
		starter.Expect(o.jobs(locals))
	}
	tests, rdb, disconnect, err := o.what.Bring(ctx, streams, r, args.Before, &o.where, log)
	if err != nil {
		return err
	}
	defer disconnect()
	division := control.Division{Runner: r, List: &o.what, RunID: o.where.RunID, Rerun: o.rerun}
	tests, costs, err := o.timings.EstimateDivided(ctx, rdb, division, tests, options.ExpectWorkers, streams.LookupEnv, log)
	if err != nil {
		return err
	}
	options.Startup = costs.Start()
	q, err := control.Opening{
		RunID: o.where.RunID, Tests: tests, Manifest: control.Manifest(tests, o.how.Runner, args.After), Options: options,
		Secret: secret, Log: log, Rerun: o.rerun,
	}.Open(ctx, rdb)
	if err != nil {
		return err
	}
	gates := o.how.GateOptions(q, control.Given(tests), secret, log)
	fmt.Fprintf(streams.Out, "run %s: %d tests\n", o.where.RunID, len(tests))
	attendance := &control.Attendance{Queue: q, Log: log, Limits: o.limits, Output: o.output, Streams: streams, Tests: tests, AllowEmpty: o.what.AllowEmpty,
		Timings: &o.timings, Redis: rdb}
	if reproducer, ok := r.(interface{ Reproduce(id string) string }); ok {
		attendance.Reproduce = reproducer.Reproduce
	}
	if o.workers == 0 {
		return attendance.Attend(ctx)
	}
	if preparer, ok := r.(interface{ Prepare([]batch.Test) }); ok {
		preparer.Prepare(tests)
	}
	return o.withWorkers(ctx, q, r, locals, gates, log, attendance.Attend)
}

// resolve fills in defaults that depend on others and checks the flags.
func (o *runOptions) resolve(lookupEnv func(string) (string, bool)) error {
	if err := errors.Join(o.where.Resolve(true, lookupEnv), o.rerun.Resolve(lookupEnv), o.how.Apply(), o.limits.Validate(), o.output.Validate()); err != nil {
		return err
	}
	embedded := o.where.RedisURL == ""
	switch {
	case o.workers < automatic:
		return cli.AtLeast("workers", o.workers, 0)
	case o.workers == automatic && embedded:
		o.workers = runtime.NumCPU()
	case o.workers == automatic:
		o.workers = 0
	case o.workers == 0 && embedded:
		return cli.Usagef("--workers 0 without --redis-url: nobody could run the tests")
	}
	return nil
}

// runner makes the runner that local workers use and that lists the tests. With remote workers only, the list may come
// from elsewhere, and then there is none.
func (o *runOptions) runner(args cli.Args, log *slog.Logger) (runner.Runner, error) {
	if o.workers == 0 && o.how.Runner == "" && len(args.After) == 0 {
		return nil, nil
	}
	r, err := runner.New(o.how.RunnerOptions(args.After, log))
	if err != nil {
		return nil, cli.Usagef("%w", err)
	}
	return r, nil
}
