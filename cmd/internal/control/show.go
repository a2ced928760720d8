package control

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// Kinds of progress.
const (
	autoProgress  = "auto"
	barProgress   = "bar"
	plainProgress = "plain"
	noProgress    = "none"
)

const (
	// heartbeat is how often plain progress tells how the run stands, look how often bars ask for it.
	heartbeat = 15 * time.Second
	look      = 3 * time.Second
)

// RegisterProgress declares the flag that says how a run is shown while it goes on.
func (o *Output) RegisterProgress(flags *pflag.FlagSet) {
	flags.StringVar(&o.progress, "progress", autoProgress, "what to show while the run goes on: bar (on a terminal), plain lines, none; auto is bar on a terminal outside of CI, else plain")
}

// ValidateProgress checks the flag of RegisterProgress.
func (o *Output) ValidateProgress() error {
	return cli.OneOf("progress", o.progress, autoProgress, barProgress, plainProgress, noProgress)
}

// show is what a person sees of a run while it goes on.
type show struct {
	live interface {
		Event(batch.Event)
		Heartbeat(batch.State, time.Duration)
	}
	bars        *report.Bars // nil: plain lines
	back        func()       // ends what show does with other outputs
	every       time.Duration
	began, last time.Time
}

// showing begins to show a run: on standard output, and if bars are there other lines for the same terminal go through them. tests is its list, nil if
// that is not known. The history is told each event before the show.
func (o *Output) showing(ctx context.Context, q *batch.Queue, tests []batch.Test, h *report.History, streams cli.Streams, age time.Duration, log *slog.Logger) *show {
	plain := report.PlainOptions{RunID: q.RunID(), Verbose: o.Verbose}
	s := &show{every: heartbeat, began: time.Now(), back: func() {}}
	s.last = s.began
	terminal := cli.Terminal(streams.Out)
	switch {
	case o.progress == noProgress:
		s.live = report.NewPlain(io.Discard, plain)
		return s
	case o.progress == barProgress && terminal == nil:
		log.Warn("--progress bar: standard output is not a terminal, so progress comes as plain lines")
	case terminal != nil && (o.progress == barProgress || o.progress != plainProgress && !unattended(streams.LookupEnv)):
		s.bars = report.NewBars(terminal, h, report.BarsOptions{PlainOptions: plain, Total: len(tests), Seconds: expected(ctx, q, tests), Age: age})
		s.live, s.every = s.bars, look
		if other, ok := streams.Err.(*cli.Divert); ok {
			s.back = other.To(s.bars)
		}
		return s
	}
	s.live = report.NewPlain(streams.Out, plain)
	return s
}

// unattended tells whether nobody looks at the terminal: it is that of a CI system, or cannot move its cursor.
func unattended(lookupEnv func(string) (string, bool)) bool {
	if lookupEnv == nil {
		return false
	}
	ci, _ := lookupEnv("CI")
	kind, _ := lookupEnv("TERM")
	return ci != "" && ci != "false" && ci != "0" || kind == "dumb"
}

// expected returns what the list says of how long tests take. It is for an estimate only: without it there may be none.
func expected(ctx context.Context, q *batch.Queue, tests []batch.Test) map[string]float64 {
	if tests == nil {
		seconds, _ := q.Expected(ctx)
		return seconds
	}
	seconds := map[string]float64{}
	for _, t := range tests {
		if t.Seconds > 0 {
			seconds[t.ID] = t.Seconds
		}
	}
	return seconds
}

// events shows the next events of the journal, and once in a while how the run stands.
func (s *show) events(ctx context.Context, events []batch.Event, q *batch.Queue) {
	for _, e := range events {
		s.live.Event(e)
	}
	if time.Since(s.last) >= s.every {
		s.last = time.Now()
		if state, err := q.State(ctx); err == nil {
			s.live.Heartbeat(state, time.Since(s.began))
		}
	}
	if s.bars != nil {
		s.bars.Tick()
	}
}

// close takes away what must not stay. It may be called more than once.
func (s *show) close() {
	s.back()
	if s.bars != nil {
		s.bars.Close()
		s.bars = nil
	}
	s.back = func() {}
}
