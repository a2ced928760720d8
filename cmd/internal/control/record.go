package control

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// recording is the events file of a run, which is written while the run goes on: what is there of it when this process is
// killed can be read. A nil recording does nothing.
type recording struct {
	path   string
	file   io.Closer // nil for standard output
	writer *report.EventsWriter
}

// record begins the events file, if one is asked for.
func (o *Output) record(stdout io.Writer, run report.EventsHeader) (*recording, error) {
	if o.events == "" {
		return nil, nil
	}
	r := &recording{path: o.events}
	w := stdout
	if o.events != "-" {
		file, err := fresh(o.events)
		if err != nil {
			return nil, r.failed(err)
		}
		w, r.file = file, file
	}
	run.Tool = tool()
	r.writer = report.NewEventsWriter(w, run)
	return r, nil
}

// headerOf names a run in its events file.
func headerOf(q *batch.Queue) report.EventsHeader {
	return report.EventsHeader{Run: q.RunID(), Birth: q.Birth()}
}

// fresh makes a file of its own in place of the one that is there: somebody may still write to that.
func fresh(path string) (*os.File, error) {
	if cli.IsDevice(path) {
		return os.OpenFile(path, os.O_WRONLY, 0)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	err = file.Chmod(0o644)
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
	return file, err
}

func (r *recording) add(events ...batch.Event) {
	if r != nil {
		r.writer.Add(events...)
	}
}

// end writes the last line and closes the file.
func (r *recording) end(v report.Verdict, e report.Ending, reproduce func(id string) string) error {
	if r == nil {
		return nil
	}
	err := r.writer.End(v, e, reproduce)
	if closeErr := r.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return r.failed(err)
	}
	return nil
}

// close closes the file, wherever it ends. It may be called after end.
func (r *recording) close() error {
	if r == nil || r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

func (r *recording) failed(err error) error { return fmt.Errorf("write --events %s: %w", r.path, err) }

// tool is this program with its version, as far as the build tells.
func tool() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return filepath.Base(os.Args[0])
	}
	return filepath.Base(info.Path) + " " + info.Main.Version
}
