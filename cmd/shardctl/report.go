package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

func reportCommand() cli.Command {
	var o reportOptions
	return cli.Command{
		Name: "report", Usage: "(--redis-url URL --run-id ID | --from events.jsonl) [--junit FILE] [--html FILE] [--trace FILE] [--events FILE] [--summary FILE]",
		Short: "make the reports of a run again",
		Long: `
Makes any report of a run at any later time: from what Redis holds (a day long), or from the events file that --events
wrote, for ever. They are the same as those of the run itself. Without any of the flags it prints the verdict.

With --runner (its flags after --) failures say which command runs them again; an events file knows by itself.

Exit status: that of the run, as ` + "`shardctl wait`" + ` has it; 2 if the events file cannot be read.`,
		Flags: o.register, Run: o.run,
	}
}

type reportOptions struct {
	past       past
	output     control.Output
	project    cli.Project
	allowEmpty bool
}

func (o *reportOptions) register(flags *pflag.FlagSet) {
	o.past.register(flags)
	o.output.RegisterReports(flags)
	o.project.Register(flags)
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "a run without tests is green")
}

func (o *reportOptions) run(ctx context.Context, streams cli.Streams, args cli.Args) error {
	if len(args.Before) > 0 {
		return cli.Usagef("unexpected argument %q", args.Before[0])
	}
	if err := errors.Join(o.output.ValidateReports(), o.past.resolve(streams)); err != nil {
		return err
	}
	log := cli.NewLog(streams.Err, "shardctl", slog.LevelInfo)
	rebuild := control.Rebuild{Output: o.output, Streams: streams, AllowEmpty: o.allowEmpty}
	if o.project.Runner != "" {
		r, err := runner.New(o.project.RunnerOptions(args.After, log))
		if err != nil {
			return cli.Usagef("%w", err)
		}
		if reproducer, ok := r.(interface{ Reproduce(id string) string }); ok {
			rebuild.Reproduce = reproducer.Reproduce
		}
	} else if len(args.After) > 0 {
		return cli.Usagef("what follows -- are flags of the runner: say which with --runner")
	}
	if o.past.from != "" {
		return rebuild.FromFile(o.past.from)
	}
	return o.past.onRedis(ctx, streams, log, func(rdb redis.UniversalClient) error {
		return rebuild.FromRun(ctx, rdb, o.past.where.RunID)
	})
}

// past is where a run of the past is told: in Redis, or in an events file.
type past struct {
	where cli.Where
	from  string
}

func (p *past) register(flags *pflag.FlagSet) {
	p.where.Register(flags)
	flags.StringVar(&p.from, "from", "", "`FILE` that --events wrote, instead of Redis; - is standard input")
}

func (p *past) resolve(streams cli.Streams) error {
	if p.from != "" {
		return nil
	}
	return p.where.Resolve(false, streams.LookupEnv)
}

func (p *past) onRedis(ctx context.Context, streams cli.Streams, log *slog.Logger, do func(redis.UniversalClient) error) error {
	rdb, disconnect, err := p.where.Connect(ctx, log, streams.Patience)
	if err != nil {
		return err
	}
	defer disconnect()
	return do(rdb)
}

// read reads the run.
func (p *past) read(ctx context.Context, streams cli.Streams, log *slog.Logger) (rec report.Recording, err error) {
	if p.from != "" {
		return control.ReadFile(streams.In, p.from, nil)
	}
	err = p.onRedis(ctx, streams, log, func(rdb redis.UniversalClient) (err error) {
		rec, err = control.ReadRun(ctx, rdb, p.where.RunID, nil)
		return err
	})
	return rec, err
}
