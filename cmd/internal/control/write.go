package control

import (
	"errors"
	"fmt"
	"io"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
	"github.com/shardctl/shardctl/junit"
)

// file is a report that a flag asks for. write is nil for the events, which are written as they come.
type file struct {
	flag, path string
	write      func(io.Writer, report.Verdict, func(id string) string) error
}

// files are all reports that are files, asked for or not.
func (o *Output) files() []file {
	return []file{
		{"junit", o.junit, func(w io.Writer, v report.Verdict, _ func(string) string) error { return junit.Write(w, report.JUnit(v)) }},
		{"html", o.html, func(w io.Writer, v report.Verdict, reproduce func(string) string) error {
			return report.WriteHTML(w, v, report.HTMLOptions{Reproduce: reproduce, Tool: tool()})
		}},
		{"trace", o.trace, func(w io.Writer, v report.Verdict, _ func(string) string) error { return report.WriteTrace(w, v) }},
		{"events", o.events, nil},
	}
}

// write writes the reports, each of them whatever becomes of the others. A green run whose report cannot be written is not
// green: the error says so.
func (s *Attendance) write(v report.Verdict) error {
	err := report.WriteVerdict(s.Streams.Out, v, report.TextOptions{JUnit: s.Output.junit, Reproduce: s.Reproduce})
	return errors.Join(err, s.Output.write(s.Streams.Out, v, s.Reproduce))
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
