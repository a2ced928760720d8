package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// Expect implements Starter.
func (t *Tool) Expect(jobs []Job) { t.expected = jobs }

// List implements Lister.
func (t *Tool) List(ctx context.Context, patterns []string) ([]batch.Test, error) {
	switch {
	case t.preset.list != nil:
		return t.preset.list(ctx, t, patterns)
	case t.persistent() && t.preset.foretells && len(t.expected) > 0:
		return t.foretold(ctx, patterns)
	}
	return t.told(ctx, invocation{mode: listing, patterns: patterns})
}

// told returns the units that the runner tells in a listing invocation. With an error, those that it told before it failed.
func (t *Tool) told(ctx context.Context, in invocation) ([]batch.Test, error) {
	l := newToolListing(t.preset.name)
	life, err := t.launch(ctx, in, Job{Limits: Limits{Grace: DefaultGrace}}, l.report, l.hear)
	if err != nil {
		return nil, err
	}
	<-life.done
	return l.tests, l.verdict(ctx, life.ended)
}

// foretold returns the units that a process tells which then is kept for the first of the expected jobs. As many of the others as there
// are CPUs have their processes load the same at the same time.
func (t *Tool) foretold(ctx context.Context, patterns []string) ([]batch.Test, error) {
	lasts := context.WithoutCancel(ctx)
	in := invocation{mode: lasting, first: true, patterns: patterns}
	l := newToolListing(t.preset.name)
	life, err := t.keep(lasts, in, t.expected[0], l.report, l.hear)
	if err != nil {
		return nil, err
	}
	for _, job := range t.expected[1:min(len(t.expected), t.ahead)] {
		_, _ = t.keep(lasts, in, job, nil, nil) // what is wrong, the first or a batch will tell
	}
	if life.asked = life.asks(ctx); !life.asked {
		t.drop(t.expected[0].Slot)
		return l.tests, l.verdict(ctx, life.ended)
	}
	life.serve(nil)
	l.report.ended = true
	return l.tests, l.verdict(ctx, exit{})
}

// toolListing takes the list that a process tells.
type toolListing struct {
	name   string
	report *toolReport
	tests  []batch.Test
	seen   map[string]bool
	wrongs []error
}

func newToolListing(name string) *toolListing {
	l := &toolListing{name: name, seen: map[string]bool{}}
	l.report = &toolReport{preset: preset{name: name}, loose: newCapture(outputEnds), all: newCapture(outputEnds), kill: func(error) {}, emit: func(events ...batch.Event) {
		for _, e := range events {
			l.wrongs = append(l.wrongs, fmt.Errorf("%s: %s\n%s", e.Problem.Scope, e.Problem.Message, e.Problem.Details))
		}
	}}
	return l
}

func (l *toolListing) hear(m message) {
	if m.Type == messageTest && !l.seen[m.ID] {
		l.seen[m.ID] = true
		l.tests = append(l.tests, batch.Test{ID: m.ID, Seconds: m.Seconds})
	}
}

// verdict is why the list cannot be relied upon; nil: it can.
func (l *toolListing) verdict(ctx context.Context, ended exit) error {
	said := strings.TrimSpace(l.report.all.String())
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case len(l.wrongs) > 0:
		return fmt.Errorf("%s cannot list the tests: %w", l.name, errors.Join(l.wrongs...))
	case !l.report.ended && ended.Code == 0:
		return fmt.Errorf("%s cannot list the tests: it ended well, but told no list; does one of its options ask for something else?\n%s", l.name, said)
	case !l.report.ended:
		return fmt.Errorf("%s cannot list the tests: %s\n%s", l.name, ended, said)
	}
	return nil
}
