package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

func replayCommand() cli.Command {
	var o replayOptions
	return cli.Command{
		Name: "replay", Usage: "(--redis-url URL --run-id ID | --from events.jsonl) --worker W [--batch N] (--runner NAME [-- FLAG…] | -- COMMAND… | --list)",
		Short: "print the order in which one worker ran its tests, as a script that runs them again",
		Long: `
Some tests fail only after certain others. This prints a shell script that runs what one worker ran: the same tests in the
same batches, in the order in which it began them, one batch after the other. Give it the runner, or the command, that
the run had. --batch takes one batch only: that of the failure, say. --list prints the names and no script.`,
		Flags: o.register, Run: o.run,
	}
}

type replayOptions struct {
	past    past
	project cli.Project
	worker  string
	batch   int
	list    bool
}

func (o *replayOptions) register(flags *pflag.FlagSet) {
	o.past.register(flags)
	flags.StringVar(&o.worker, "worker", "", "`WORKER`, by its id or its name")
	flags.IntVar(&o.batch, "batch", 0, "only the batch of this number (default: all)")
	flags.BoolVar(&o.list, "list", false, "print only the names")
	o.project.Register(flags)
}

func (o *replayOptions) run(ctx context.Context, streams cli.Streams, args cli.Args) error {
	switch {
	case len(args.Before) > 0:
		return cli.Usagef("unexpected argument %q", args.Before[0])
	case o.worker == "":
		return cli.Usagef("which worker? Give --worker; the verdict and every report name them")
	}
	if err := o.past.resolve(streams); err != nil {
		return err
	}
	rec, err := o.past.read(ctx, streams, cli.NewLog(streams.Err, "shardctl", slog.LevelInfo))
	if err != nil {
		return err
	}
	w, turns, err := rec.History.Replay(o.worker)
	if err != nil {
		return cli.Usagef("--worker: %w", err)
	}
	if o.batch != 0 {
		i := slices.IndexFunc(turns, func(t report.Turn) bool { return t.Number == o.batch })
		if i < 0 {
			return cli.Usagef("--batch %d: worker %s had %d batches", o.batch, report.OneLine(w.ID, 100), len(turns))
		}
		turns = turns[i : i+1]
	}
	return report.WriteReplay(streams.Out, w, turns, report.ReplayOptions{RunID: rec.Header.Run, Command: o.command(args.After), Names: o.list})
}

// command is what runs a batch again.
func (o *replayOptions) command(after []string) string {
	words := []string{"shardctl", "run", "--workers", "1", "--timings", "off"}
	for _, flag := range [][2]string{{"--dir", o.project.Dir}, {"--runner", o.runner(after)}, {"--runner-command", o.project.RunnerCommand}} {
		if flag[1] != "" {
			words = append(words, flag[0], flag[1])
		}
	}
	if o.project.Granularity != "" && o.project.Granularity != "auto" {
		words = append(words, "--granularity", o.project.Granularity)
	}
	words = append(words, "--tests", "-")
	if len(after) > 0 {
		words = append(append(words, "--"), after...)
	}
	for i, word := range words {
		words[i] = runner.ShellQuote(word)
	}
	return strings.Join(words, " ")
}

// runner is the one that was given; without one, and without a command, that of the project.
func (o *replayOptions) runner(after []string) string {
	if o.project.Runner == "" && len(after) == 0 {
		return runner.Automatic
	}
	return o.project.Runner
}
