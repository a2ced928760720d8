// Command shardworker runs the tests that it claims from a run's queue, until the run is over.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
)

func main() { cli.Main(program()) }

func program() cli.Program {
	var o options
	return cli.Program{Name: "shardworker", Only: &cli.Command{
		Name:  "shardworker",
		Usage: "--redis-url URL --run-id ID [--elect [PATTERN…]] (--runner go [-- FLAG…] | -- COMMAND…)",
		Short: "claim tests of a run and run them, until the run is over",
		Long: `
Joins the run, claims batches of tests, runs them, and leaves when the controller says that all is done. It exits 0 when
it did its duty, whatever the tests say: the controller (shardctl run, shardctl wait) has the verdict.

With --elect no shardctl is needed: the workers elect one of them, which lists the tests and supervises the run as shardctl run
would; if it dies, another takes over. All must be started alike. Each exits with the verdict of the run.

Stopped by a signal it claims nothing more, gives back what has not started, lets the running test end for --stop-timeout,
and then ends the runner with all its processes; a second signal does that at once. What has no result goes back.

Exit status: 0 done or the run is over, 2 bad usage or credentials, 3 no such run or Redis out of reach,
130/143 stopped by a signal; with --elect that of shardctl run.`,
		Flags: o.register,
		Run:   o.run,
	}}
}

type options struct {
	where  cli.Where
	how    cli.How
	name   string
	notice string
	// dieWithParent is for a shell in front that passes no signals on.
	dieWithParent bool
	index         int
	wait          time.Duration
	verbose       bool
	elect         bool
	fallback      fallback
	candidate     candidate
}

func (o *options) register(flags *pflag.FlagSet) {
	o.where.Register(flags)
	o.how.Register(flags)
	flags.StringVar(&o.name, "name", "", "`NAME` that this worker's id begins with (default: the host's name)")
	flags.IntVar(&o.index, "index", 0, "number of this worker, given to tests as SHARD_WORKER_INDEX")
	flags.DurationVar(&o.wait, "wait", 5*time.Minute, "how long to wait for the run to be opened")
	flags.StringVar(&o.notice, "stop-on-file", "", "stop, as a signal would, when this file appears (a spot machine's notice)")
	flags.BoolVar(&o.dieWithParent, "die-with-parent", false, "stop, as SIGTERM would, when the process that started this one ends (Linux)")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "say more of what goes on")
	flags.BoolVar(&o.elect, "elect", false, "take part in the election of the worker that lists the tests and supervises the run; the flags below are for this")
	o.candidate.register(flags)
	flags.StringVar(&o.fallback.how, "fallback", "", "what to do when Redis cannot be reached at the start, with --elect: `static`, to run this job's shard of the tests")
	o.fallback.shard.Register(flags)
}

func (o *options) run(ctx context.Context, streams cli.Streams, args cli.Args) error {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log := cli.NewLog(streams.Err, "shardworker", level)
	if err := o.checkElection(args, streams.LookupEnv); err != nil {
		return err
	}
	if len(args.Before) > 0 && !o.elect {
		return cli.Usagef("unexpected argument %q: the command that runs tests comes after --", args.Before[0])
	}
	if err := errors.Join(o.where.Resolve(false, streams.LookupEnv), o.how.Apply()); err != nil {
		return err
	}
	if o.dieWithParent {
		if err := cli.DieWithParent(); err != nil {
			return err
		}
	}
	ctx, cancel := cli.StopOnFile(ctx, o.notice)
	defer cancel()
	err := o.work(ctx, streams, args, log)
	var notice *cli.NoticeError
	if errors.As(err, &notice) {
		log.Info(notice.Error())
		if o.elect {
			return err // nobody else may be left to tell the verdict
		}
		return nil
	}
	return err
}

// work returns nil when the run is over, the cause of ctx when that ended first, or why this worker could not do its duty.
func (o *options) work(ctx context.Context, streams cli.Streams, args cli.Args, log *slog.Logger) error {
	secret := cli.Secret(streams.LookupEnv)
	r, err := runner.New(o.how.RunnerOptions(args.After, log))
	if err != nil {
		return cli.Usagef("%w", err)
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	rdb, disconnect, err := o.where.Connect(ctx, log, streams.Patience)
	if err != nil {
		rdb, disconnect, err = o.fallback.connect(err, streams.LookupEnv, log)
	}
	if err != nil {
		return err
	}
	defer disconnect()
	if o.elect {
		return o.workElecting(ctx, streams, args, r, rdb, secret, log)
	}
	q, err := cli.Await(ctx, rdb, o.where.RunID, o.wait, log)
	if err != nil {
		return err
	}
	return o.workFor(ctx, q, r, o.how.GateOptions(q, nil, secret, log), log)
}

// workFor works for a run; see work.
func (o *options) workFor(ctx context.Context, q *batch.Queue, r runner.Runner, gates gate.Options, log *slog.Logger) error {
	err := worker.Run(ctx, cli.Now(ctx), q, r, worker.Options{
		Name: o.workerName(), Info: cli.HostInfo(), Index: o.index, BatchSize: o.how.BatchSize,
		Limits: o.how.Limits(), Log: log,
		StopTimeout: o.how.StopTimeout, Gates: gates, MaxConsecutiveFailures: o.how.MaxConsecutiveFailures, Reopen: o.elect,
		Joined: func(id string) { log.Info("joined", "run", o.where.RunID, "worker", id) },
	})
	switch {
	case errors.Is(err, worker.ErrUnqualified):
		log.Warn("leaving: "+err.Error(), "run", o.where.RunID)
		return nil
	case err != nil:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	log.Info("the run is over", "run", o.where.RunID)
	return nil
}

// workerName makes a name that Redis's keys can hold of what the user or the host says.
func (o *options) workerName() string {
	name := o.name
	if name == "" {
		name, _ = os.Hostname()
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", r) {
			return r
		}
		return '-'
	}, name)
	if name == "" {
		name = "worker"
	}
	return name[:min(len(name), 64)]
}
