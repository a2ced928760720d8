package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// readAtOnce is how many entries of the journal one request brings.
const readAtOnce = 1000

// ReadRun reads what Redis holds of a run. each is called for each entry of the journal, and may be nil.
func ReadRun(ctx context.Context, rdb redis.UniversalClient, runID string, each func(...batch.Event)) (report.Recording, error) {
	q, err := batch.Attach(ctx, rdb, runID)
	if err != nil {
		return report.Recording{}, err
	}
	rec := report.Recording{Header: headerOf(q), History: report.NewHistory(), Whole: true}
	if rec.Ending, err = readEnding(ctx, q); err != nil { // before the journal, which then has all that the results rest on
		return rec, err
	}
	for after := batch.JournalStart; ; {
		events, err := q.Events(ctx, after, readAtOnce, -1)
		if err != nil || len(events) == 0 {
			return rec, err
		}
		after = events[len(events)-1].ID
		for _, e := range events {
			rec.History.Add(e)
		}
		if each != nil {
			each(events...)
		}
	}
}

// ReadFile reads an events file; "-" is standard input.
func ReadFile(stdin io.Reader, path string, each func(batch.Event)) (report.Recording, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return report.Recording{}, cli.Usagef("--from: %w", err)
		}
		defer file.Close()
		in = file
	}
	rec, err := report.ReadEvents(in, each)
	if err != nil {
		return rec, cli.Usagef("--from %s: %w", path, err)
	}
	return rec, nil
}

// Rebuild makes the reports of a run again.
type Rebuild struct {
	Output  Output
	Streams cli.Streams
	// AllowEmpty: a run without tests is green.
	AllowEmpty bool
	// Reproduce returns the command that runs a test again; nil: an events file may know.
	Reproduce func(id string) string
}

// FromRun makes the reports of what Redis holds, and returns the verdict as an error.
func (r Rebuild) FromRun(ctx context.Context, rdb redis.UniversalClient, runID string) error {
	q, err := batch.Attach(ctx, rdb, runID)
	if err != nil {
		return err
	}
	return r.tell(headerOf(q), func(recording *recording) (report.Recording, error) {
		return ReadRun(ctx, rdb, runID, recording.add)
	})
}

// FromFile makes the reports of an events file, and returns the verdict as an error.
func (r Rebuild) FromFile(path string) error {
	if same(path, r.Output.events) {
		return cli.Usagef("--from and --events name the same file: write another one")
	}
	header, err := r.header(path)
	if err != nil {
		return err
	}
	return r.tell(header, func(recording *recording) (report.Recording, error) {
		return ReadFile(r.Streams.In, path, func(e batch.Event) { recording.add(e) })
	})
}

// header reads who a file is about, if that is written anew.
func (r Rebuild) header(path string) (report.EventsHeader, error) {
	if r.Output.events == "" {
		return report.EventsHeader{}, nil
	}
	if path == "-" {
		return report.EventsHeader{}, cli.Usagef("--from - with --events: standard input is such a file already; keep it")
	}
	rec, err := ReadFile(nil, path, nil)
	return rec.Header, err
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// tell reads a run and writes its reports.
func (r Rebuild) tell(header report.EventsHeader, read func(*recording) (report.Recording, error)) error {
	o, out := &r.Output, r.Streams.Out
	recording, err := o.record(out, header)
	if err != nil {
		return err
	}
	defer func() { _ = recording.close() }()
	rec, err := read(recording)
	if err != nil {
		return err
	}
	rec.Ending.AllowEmpty = rec.Ending.AllowEmpty || r.AllowEmpty
	reproduce := r.Reproduce
	if reproduce == nil {
		reproduce = rec.Reproduce
	}
	v := rec.Verdict()
	if err := errors.Join(r.say(v, reproduce), o.write(out, v, reproduce), recording.end(v, rec.Ending, reproduce)); err != nil {
		return err
	}
	return cli.Exit(v.Exit)
}

// say writes the verdict for a person; if standard output is a report, no more than a sentence beside it.
func (r Rebuild) say(v report.Verdict, reproduce func(string) string) error {
	around := ciOf(r.Streams.LookupEnv)
	summary := r.Output.summarize(r.Streams.Out, v, around, reproduce)
	for _, f := range r.Output.files() {
		if f.path == "-" {
			_, err := fmt.Fprintln(r.Streams.Err, v.Sentence())
			return errors.Join(err, summary)
		}
	}
	return errors.Join(report.WriteVerdict(r.Streams.Out, v, report.TextOptions{JUnit: r.Output.junit, Reproduce: reproduce, Folds: around.folds}), summary)
}
