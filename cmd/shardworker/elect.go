package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/recovery"
)

// candidate are the flags of a worker that may become the leader: those of shardctl run.
type candidate struct {
	list    control.List
	budgets control.Budgets
	rerun   control.Rerun
	limits  control.Limits
	output  control.Output
	timings control.Timings
	names   []string // of these flags
}

func (c *candidate) register(flags *pflag.FlagSet) {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	c.list.Register(own)
	c.budgets.Register(own)
	c.rerun.Register(own)
	c.limits.Register(own)
	c.output.RegisterFiles(own)
	c.timings.Register(own)
	own.VisitAll(func(f *pflag.Flag) { c.names = append(c.names, f.Name) })
	flags.AddFlagSet(own)
}

// checkElection checks the flags that are for --elect, and that none of them was given without.
func (o *options) checkElection(args cli.Args, lookupEnv func(string) (string, bool)) error {
	if err := o.fallback.check(o.elect, args, lookupEnv); err != nil {
		return err
	}
	if !o.elect {
		for _, name := range o.candidate.names {
			if args.Flags[name] {
				return cli.Usagef("--%s is for a worker that may become the leader: give --elect too, or give it to shardctl", name)
			}
		}
		return nil
	}
	o.candidate.output.Verbose = o.verbose
	return errors.Join(o.candidate.limits.Validate(), o.candidate.output.Validate(), o.candidate.rerun.Resolve(lookupEnv))
}

// errWorkDone ends the campaign of a worker whose run is over.
var errWorkDone = errors.New("the run is over")

// workElecting works for the run while it takes part in the election of its leader, and returns the verdict of the run.
func (o *options) workElecting(ctx context.Context, streams cli.Streams, args cli.Args, r runner.Runner, rdb redis.UniversalClient, secret string, log *slog.Logger) error {
	given, err := o.candidate.list.GivenByFlags()
	if err != nil {
		return err
	}
	options, err := o.candidate.budgets.Options()
	if err != nil {
		return err
	}
	election, err := batch.NewElection(rdb, o.where.RunID)
	if err != nil {
		return err
	}
	lead := &leadership{o: o, streams: streams, args: args, runner: r, rdb: rdb, options: options, secret: secret, log: log}
	campaigning, endCampaign := context.WithCancelCause(ctx)
	defer endCampaign(nil)
	working, endWork := context.WithCancelCause(ctx)
	defer endWork(nil)
	campaign := make(chan struct{})
	go func() {
		err := recovery.Campaign(campaigning, election, o.workerName()+"."+strings.ToLower(rand.Text()[:8]), options.Lease, lead.lead)
		if err != nil && !lead.told {
			endWork(err) // it could not list the tests, or there are none: nobody else will
		}
		close(campaign)
	}()
	q, err := cli.Await(working, rdb, o.where.RunID, o.wait, log)
	if err == nil {
		lead.known.Store(q)
		if state, err := q.State(working); err == nil && state.Markers.Over() {
			log.Warn("this run was over before this worker came; what follows is its verdict", "run", o.where.RunID)
		}
		err = o.workFor(working, q, r, o.how.GateOptions(q, given, secret, log), log)
	}
	endCampaign(errWorkDone)
	if <-campaign; lead.told {
		return lead.verdict
	}
	if err != nil {
		return err
	}
	attendance := lead.attendance(q, nil) // of a run that is over, or that this worker cannot help
	attendance.Second = true
	return attendance.Attend(ctx)
}

// leadership is what a worker does while it leads. Its leaderships come one after the other.
type leadership struct {
	o       *options
	streams cli.Streams
	args    cli.Args
	runner  runner.Runner
	rdb     redis.UniversalClient
	options batch.Options
	secret  string
	log     *slog.Logger

	tests   []batch.Test   // once they are listed
	results recovery.Known // what it learned of the run
	// known is the run once this worker, or its lead, has seen it. Both their goroutines write, the lead's reads.
	known atomic.Pointer[batch.Queue]
	// told: the verdict of the run was told; it may be that the lead was lost meanwhile, and the campaign went on. Both are to be
	// read when the campaign is over.
	told    bool
	verdict error
}

// lead lists the tests, opens the run and attends it, until ctx ends: then somebody else leads, or nobody has to any more.
func (l *leadership) lead(ctx context.Context) error {
	if l.told {
		return l.verdict
	}
	l.log.Info("leading", "run", l.o.where.RunID)
	if l.tests == nil {
		tests, err := l.o.candidate.list.Load(ctx, l.streams, l.runner, l.args.Before, l.log)
		if err != nil {
			return err
		}
		division := control.Division{Runner: l.runner, List: &l.o.candidate.list, RunID: l.o.where.RunID, Rerun: l.o.candidate.rerun}
		if l.o.fallback.total > 0 {
			division = control.Division{} // all shards have to know the same list
			if err := l.o.candidate.timings.FillFrom(tests); err != nil {
				return err
			}
			if tests = l.o.fallback.cut(tests, l.log); len(tests) == 0 {
				l.log.Warn("this shard has no tests: there are fewer tests than shards")
				l.o.candidate.list.AllowEmpty = true
			}
		}
		tests, costs, err := l.o.candidate.timings.EstimateDivided(ctx, l.rdb, division, tests, l.options.ExpectWorkers, l.streams.LookupEnv, l.log)
		if err != nil {
			return err
		}
		l.options.Startup, l.tests = costs.Start(), tests
		control.WarnOfEviction(ctx, l.rdb, l.log)
	}
	q, err := control.Opening{
		RunID: l.o.where.RunID, Tests: l.tests, Options: l.options, Secret: l.secret, Log: l.log,
		Manifest: control.Manifest(l.tests, l.o.how.Runner, l.args.After), Known: l.known.Load(), Results: l.results.Finals(),
		Rerun: l.o.candidate.rerun,
	}.Open(ctx, l.rdb)
	if errors.Is(err, batch.Ended) {
		q, err = batch.Attach(ctx, l.rdb, l.o.where.RunID)
		l.log.Warn("this run was over before this worker could lead it; what follows is its verdict", "run", l.o.where.RunID)
	}
	if err != nil {
		return err
	}
	l.known.CompareAndSwap(nil, q)
	err = l.attendance(q, l.tests).Attend(ctx)
	l.told, l.verdict = ctx.Err() == nil || !errors.Is(err, context.Cause(ctx)), err
	return err
}

func (l *leadership) attendance(q *batch.Queue, tests []batch.Test) *control.Attendance {
	a := &control.Attendance{
		Queue: q, Limits: l.o.candidate.limits, Output: l.o.candidate.output, Streams: l.streams, Log: l.log, Tests: tests, Known: &l.results,
		AllowEmpty: l.o.candidate.list.AllowEmpty, Passing: true,
		Timings: &l.o.candidate.timings, Redis: l.rdb,
	}
	if reproducer, ok := l.runner.(interface{ Reproduce(id string) string }); ok {
		a.Reproduce = reproducer.Reproduce
	}
	return a
}
