package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/junit"
	"github.com/shardctl/shardctl/recovery"
)

// Limits are the flags that end a run which does not end.
type Limits struct {
	run, worker, gateGrace time.Duration
	failures               int
	failFast               bool
}

// Register declares the flags.
func (l *Limits) Register(flags *pflag.FlagSet) {
	flags.DurationVar(&l.run, "run-timeout", 6*time.Hour, "longest that the run may take; 0: no limit")
	flags.DurationVar(&l.worker, "worker-timeout", 10*time.Minute, "how long there may be no worker (three times that before the first comes); 0: no limit")
	flags.DurationVar(&l.gateGrace, "gate-grace", 30*time.Second, "how long to wait for a worker that qualifies when all that is left are tests whose gates refuse every worker")
	flags.IntVar(&l.failures, "max-failures", 0, "stop the run after so many failures; 0: no limit")
	flags.BoolVar(&l.failFast, "fail-fast", false, "stop the run after the first failure")
}

// Validate names all flags that make no sense.
func (l Limits) Validate() error {
	return errors.Join(
		cli.AtLeast("run-timeout", l.run, 0),
		cli.AtLeast("worker-timeout", l.worker, 0),
		cli.AtLeast("gate-grace", l.gateGrace, 0),
		cli.AtLeast("max-failures", l.failures, 0),
	)
}

// policy is what the controller goes by.
func (l Limits) policy(lost time.Duration) recovery.Limits {
	p := recovery.Limits{Run: l.run, FirstWorker: 3 * l.worker, NoWorker: l.worker, Unqualified: l.gateGrace, Outage: outage, Lost: lost, Failures: l.failures}
	if l.failFast {
		p.Failures = 1
	}
	return p
}

// Output are the flags that say what is written.
type Output struct {
	junit, junitProfile string
	html, trace, events string
	summary             string
	progress            string
	annotations         string
	// Verbose: every test that ends is told.
	Verbose bool
}

// Register declares the flags.
func (o *Output) Register(flags *pflag.FlagSet) {
	o.RegisterFiles(flags)
	flags.BoolVarP(&o.Verbose, "verbose", "v", false, "show every test that ends, not only those that do not pass")
}

// RegisterFiles declares the flags but for --verbose.
func (o *Output) RegisterFiles(flags *pflag.FlagSet) {
	o.RegisterReports(flags)
	flags.StringVar(&o.annotations, "annotations", "auto", "commands that make GitHub show failures beside the source: auto (in GitHub Actions), on or off")
	o.RegisterProgress(flags)
}

// RegisterProfile declares the flag that says for which readers a JUnit report is.
func RegisterProfile(flags *pflag.FlagSet, profile *string) {
	flags.StringVar(profile, "junit-profile", string(junit.Default), "which readers the JUnit report is for: default, or strict for those that check it against the schema of Jenkins's xUnit plugin")
}

// RegisterReports declares the flags for what can be made of a run at any time after.
func (o *Output) RegisterReports(flags *pflag.FlagSet) {
	flags.StringVar(&o.junit, "junit", "", "`FILE` for the JUnit report; - is standard output")
	RegisterProfile(flags, &o.junitProfile)
	flags.StringVar(&o.summary, "summary", "", "`FILE` for a summary in GitHub's Markdown; - is standard output, off is none (default: $GITHUB_STEP_SUMMARY, if it is set)")
	flags.StringVar(&o.html, "html", "", "`FILE` for a page to look at in a browser: timeline, failures, all tests; - is standard output")
	flags.StringVar(&o.trace, "trace", "", "`FILE` for a trace to open in https://ui.perfetto.dev; - is standard output")
	flags.StringVar(&o.events, "events", "", "`FILE` for all that happened, as JSON lines (docs/events.md); shardctl report makes any report of it")
}

// Validate checks the flags, and that the reports can be written.
func (o *Output) Validate() error {
	if err := errors.Join(o.ValidateProgress(), cli.OneOf("annotations", o.annotations, "auto", "on", "off")); err != nil {
		return err
	}
	if o.events == "-" {
		return cli.Usagef("--events -: standard output has the progress and the verdict; give a file, or ask `shardctl report --events -` after the run")
	}
	return o.ValidateReports()
}

// ValidateReports checks that the reports can be written: better now than after the run.
func (o *Output) ValidateReports() error {
	if _, err := junit.ParseProfile(o.junitProfile); err != nil {
		return cli.Usagef("--junit-profile: %w", err)
	}
	for _, file := range o.files() {
		if file.path == "" || file.path == "-" {
			continue
		}
		if err := cli.Writable(file.path); err != nil {
			return cli.Usagef("--%s: %w", file.flag, err)
		}
	}
	return nil
}

const (
	// outage is how long Redis may be away in mid-run.
	outage = 2 * time.Minute
	// lastLook is how long the reports wait for Redis after a stop, longLook after an orderly end: a large run is far away.
	lastLook = 10 * time.Second
	longLook = 10 * time.Minute
)

// Attendance is a run with what it takes to attend it.
type Attendance struct {
	Queue   *batch.Queue
	Limits  Limits
	Output  Output
	Streams cli.Streams
	Log     *slog.Logger
	// Tests is the list, nil where it is not known.
	Tests []batch.Test
	// Known is what this process knows of the run's results, if it attended it before.
	Known *recovery.Known
	// AllowEmpty: a run without tests is green.
	AllowEmpty bool
	// Passing: when ctx ends before the run does, others attend it, and there is no verdict to tell.
	Passing bool
	// Second: another process tells the verdict where people look for it, so that GitHub is not told again without being asked to.
	Second bool
	// Timings take what the run measured; nil: nobody does. Redis is for those that are kept there.
	Timings *Timings
	Redis   redis.UniversalClient
	// Reproduce returns the command that runs a test again; nil if no runner is known here.
	Reproduce func(id string) string
}

// patience is how long Redis may be without the run's data: who knows the list needs time to bring it back, others wait as
// long as workers do.
func (s *Attendance) patience() time.Duration {
	if s.Tests == nil {
		return recovery.LostLeases * s.Queue.Options().Lease
	}
	return outage
}

// Attend follows a run to its end, writes its reports, and returns the verdict as an error.
func (s *Attendance) Attend(ctx context.Context) error {
	o, streams := s.Output, s.Streams
	history := report.NewHistory()
	recording, err := o.record(streams.Out, headerOf(s.Queue))
	if err != nil {
		return err
	}
	age, err := s.Queue.Age(ctx)
	if err != nil {
		s.Log.Warn("--run-timeout counts from now: Redis does not tell how old the run is", "run", s.Queue.RunID(), "error", err)
	}
	show := o.showing(ctx, s.Queue, s.Tests, history, streams, age, s.Log)
	defer show.close()
	controller := &recovery.Controller{
		Queue: s.Queue, Lease: s.Queue.Options().Lease, Name: cli.WhoAmI(), Renew: s.renew, Known: s.Known, Age: age,
		Limits: s.Limits.policy(s.patience()),
		Observe: func(events []batch.Event) {
			recording.add(events...)
			for _, e := range events {
				history.Add(e)
			}
			show.events(ctx, events, s.Queue)
		},
	}
	defer func() { _ = recording.close() }()
	_, supervised := controller.Supervise(ctx)
	if s.Passing && ctx.Err() != nil && supervised != nil {
		return supervised
	}

	// After a signal or a loss of Redis there still is a verdict, of what is known, and nobody waits long for it.
	patience := longLook
	if supervised != nil {
		patience = lastLook
	}
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	ending, err := readEnding(look, s.Queue)
	supervised = errors.Join(supervised, err, controller.Drain(look)) // the journal last: it has all that the results rest on
	show.close()
	ending.AllowEmpty = s.AllowEmpty
	if err != nil {
		s.complete(&ending, history)
	}
	verdict := report.Judge(history, ending)
	s.Timings.record(look, s.Redis, &verdict, streams.LookupEnv, s.Log)
	if verdict.Exit <= cli.StatusFailed && supervised == nil {
		s.Timings.compare(history, s.Log)
	}
	if supervised != nil {
		verdict.Exit = cli.Status(supervised)
	}
	err = errors.Join(s.write(verdict), recording.end(verdict, ending, s.Reproduce))
	switch {
	case supervised != nil:
		return errors.Join(supervised, err)
	case err != nil && verdict.Exit != 0: // the verdict's status says more
		s.Log.Error(err.Error())
	case err != nil:
		return err
	}
	return cli.Exit(verdict.Exit)
}

// complete fills in an ending that Redis cannot tell, from the list (where that is not known, the tests that the journal
// names) and the journal as far as it was read: so the reports name every test.
func (s *Attendance) complete(e *report.Ending, h *report.History) {
	ids := map[string]bool{}
	for _, t := range s.Tests {
		ids[t.ID] = true
	}
	for _, t := range h.Tests() {
		ids[t.ID] = true
	}
	e.Tests, e.Results, e.Missing = len(ids), map[string]batch.Status{}, nil
	for id := range ids {
		if known := h.Test(id); known != nil && known.Result != "" {
			e.Results[id] = known.Result
		} else {
			e.Missing = append(e.Missing, id)
		}
	}
}

// readEnding reads what Redis holds of the run at its end.
func readEnding(ctx context.Context, q *batch.Queue) (report.Ending, error) {
	e := report.Ending{RunID: q.RunID()}
	state, err := q.State(ctx)
	if err != nil {
		return e, err
	}
	e.Tests, e.Markers = state.Tests, state.Markers
	e.AbortReason, e.AbortBy, e.EnoughFailures = state.Abortion.Why, state.Abortion.Who, state.Abortion.EnoughFailures
	if e.Results, err = q.Results(ctx); err != nil {
		e.Results = nil // a part of them would be told as the whole
		return e, err
	}
	if len(e.Results) == e.Tests {
		return e, nil
	}
	tests, err := q.Tests(ctx)
	for _, id := range tests {
		if _, ok := e.Results[id]; !ok {
			e.Missing = append(e.Missing, id)
		}
	}
	return e, err
}
