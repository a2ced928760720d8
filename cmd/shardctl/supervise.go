package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/junit"
	"github.com/shardctl/shardctl/recovery"
)

// limits are the flags that end a run which does not end.
type limits struct{ run, worker time.Duration }

func (l *limits) register(flags *pflag.FlagSet) {
	flags.DurationVar(&l.run, "run-timeout", 6*time.Hour, "longest that the run may take; 0: no limit")
	flags.DurationVar(&l.worker, "worker-timeout", 10*time.Minute, "how long there may be no live worker (three times that before the first); 0: no limit")
}

// output are the flags that say what is written.
type output struct {
	junit, progress string
	verbose         bool
}

func (o *output) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.junit, "junit", "", "file for the JUnit report")
	flags.StringVar(&o.progress, "progress", "plain", "what to show while the run goes on: plain or none")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show every test that finished")
}

func (o *output) validate() error {
	if o.progress != "plain" && o.progress != "none" {
		return cli.Usagef("--progress %q: choose plain or none", o.progress)
	}
	return nil
}

const (
	// heartbeat is how often plain progress tells how the run stands.
	heartbeat = 15 * time.Second
	// outage is how long Redis may be away in mid-run.
	outage = 2 * time.Minute
	// lastLook is how long the reports wait for Redis after a stop.
	lastLook = 10 * time.Second
)

// supervision is a run with what it takes to attend it.
type supervision struct {
	q       *batch.Queue
	limits  limits
	output  output
	streams cli.Streams
	// allowEmpty: a run without tests is green.
	allowEmpty bool
	// reproduce returns the command that runs a test again; nil if no runner is known here.
	reproduce func(id string) string
}

// attend follows a run to its end, writes its reports, and returns the verdict as an error.
func (s supervision) attend(ctx context.Context) error {
	q, o, streams := s.q, s.output, s.streams
	history := report.NewHistory()
	live := streams.Out
	if o.progress == "none" {
		live = io.Discard
	}
	plain := report.NewPlain(live, report.PlainOptions{RunID: q.RunID(), Verbose: o.verbose})
	began := time.Now()
	last := began
	controller := &recovery.Controller{
		Queue: q, Lease: q.Options().Lease, Name: whoami(),
		Limits: recovery.Limits{Run: s.limits.run, FirstWorker: 3 * s.limits.worker, NoWorker: s.limits.worker, Outage: outage},
		Observe: func(events []batch.Event) {
			for _, e := range events {
				history.Add(e)
				plain.Event(e)
			}
			if time.Since(last) >= heartbeat {
				last = time.Now()
				if state, err := q.State(ctx); err == nil {
					plain.Heartbeat(state, time.Since(began))
				}
			}
		},
	}
	_, supervised := controller.Supervise(ctx)

	// After a signal or a loss of Redis there still is a verdict, of what is known.
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	ending, err := readEnding(look, q)
	supervised = errors.Join(supervised, controller.Drain(look), err)
	ending.AllowEmpty = s.allowEmpty
	verdict := report.Judge(history, ending)
	if err := report.WriteVerdict(streams.Out, verdict, report.TextOptions{JUnit: o.junit, Reproduce: s.reproduce}); err != nil {
		return err
	}
	if o.junit != "" {
		if err := writeTo(streams.Out, o.junit, func(w io.Writer) error { return junit.Write(w, report.JUnit(verdict)) }); err != nil {
			return fmt.Errorf("write --junit %s: %w", o.junit, err)
		}
	}
	if supervised != nil {
		return supervised
	}
	return cli.Exit(verdict.Exit)
}

// readEnding reads what Redis holds of the run at its end.
func readEnding(ctx context.Context, q *batch.Queue) (report.Ending, error) {
	e := report.Ending{RunID: q.RunID()}
	state, err := q.State(ctx)
	if err != nil {
		return e, err
	}
	e.Tests, e.Markers, e.AbortReason, e.AbortBy = state.Tests, state.Markers, state.AbortReason, state.AbortBy
	if e.Results, err = q.Results(ctx); err != nil {
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
