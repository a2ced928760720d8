package control

import (
	"errors"
	"fmt"
	"io"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/junit"
)

// file is a report that a flag asks for. write is nil for those that are written elsewhere.
type file struct {
	flag, path string
	write      func(io.Writer, report.Verdict, func(id string) string) error
}

// files are all reports that are files, asked for or not.
func (o *Output) files() []file {
	return []file{
		{"junit", o.junit, func(w io.Writer, v report.Verdict, _ func(string) string) error {
			return junit.Profile(o.junitProfile).Write(w, report.JUnit(v))
		}},
		{"html", o.html, func(w io.Writer, v report.Verdict, reproduce func(string) string) error {
			return report.WriteHTML(w, v, report.HTMLOptions{Reproduce: reproduce, Tool: tool()})
		}},
		{"trace", o.trace, func(w io.Writer, v report.Verdict, _ func(string) string) error { return report.WriteTrace(w, v) }},
		{"events", o.events, nil},
		{"summary", o.summaryFile(), nil},
	}
}

// write writes the reports, each of them whatever becomes of the others. A green run whose report cannot be written is not
// green: the error says so.
func (s *Attendance) write(v report.Verdict) error {
	around := ciOf(s.Streams.LookupEnv)
	if s.Second {
		around.summary, around.annotations = "", false
	}
	return errors.Join(
		s.Output.annotate(s.Streams.Out, v, around),
		report.WriteVerdict(s.Streams.Out, v, report.TextOptions{JUnit: s.Output.junit, Reproduce: s.Reproduce, Folds: around.folds}),
		s.Output.summarize(s.Streams.Out, v, around, s.Reproduce),
		s.Output.write(s.Streams.Out, v, s.Reproduce),
	)
}

// write writes the reports that are files.
func (o *Output) write(stdout io.Writer, v report.Verdict, reproduce func(id string) string) error {
	var errs []error
	for _, f := range o.files() {
		if f.path == "" || f.write == nil {
			continue
		}
		if err := cli.WriteTo(stdout, f.path, func(w io.Writer) error { return f.write(w, v, reproduce) }); err != nil {
			errs = append(errs, fmt.Errorf("write --%s %s: %w", f.flag, f.path, err))
		}
	}
	return errors.Join(errs...)
}
