package control

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

const (
	// stepSummary names the file that GitHub shows on the page of the workflow's run.
	stepSummary = "GITHUB_STEP_SUMMARY"
	// mostSummary is how many bytes of it GitHub takes; of a longer one it shows nothing.
	mostSummary = 1000 << 10
	// leastSummary is too little room for a summary.
	leastSummary = 2000
)

// ci is what reports need to know of the CI system around this process.
type ci struct {
	folds report.Folds
	// summary is the file for step summaries; empty: there is none.
	summary string
	// workspace is the folder of the repository, as an absolute path; empty: unknown.
	workspace   string
	annotations bool
}

func ciOf(lookupEnv func(string) (string, bool)) ci {
	if lookupEnv == nil {
		return ci{}
	}
	get := func(name string) string { value, _ := lookupEnv(name); return value }
	c := ci{folds: report.FoldsOf(lookupEnv)}
	if c.folds == report.GitHubFolds {
		c.annotations = true
	}
	c.summary, c.workspace = get(stepSummary), get("GITHUB_WORKSPACE")
	return c
}

// inRepo returns the path in the repository, with slashes, of a file that a runner named; empty if it is not there. A path that is not
// absolute begins in the current folder.
func (c ci) inRepo(file string) string {
	here, err := filepath.Abs(file)
	if err != nil || file == "" {
		return ""
	}
	if c.workspace == "" {
		if filepath.IsAbs(file) {
			return ""
		}
		return filepath.ToSlash(filepath.Clean(file))
	}
	path, err := filepath.Rel(c.workspace, here)
	if err != nil || path == ".." || strings.HasPrefix(path, ".."+string(filepath.Separator)) {
		return ""
	}
	return filepath.ToSlash(path)
}

// annotate writes annotations, if the flag or, without it, the CI system asks for them.
func (o *Output) annotate(w io.Writer, v report.Verdict, c ci) error {
	if o.annotations == "on" || o.annotations != "off" && c.annotations {
		return report.WriteAnnotations(w, v, c.inRepo)
	}
	return nil
}

// summaryFile is the file of the flag, empty if it names none.
func (o *Output) summaryFile() string {
	if o.summary == "off" {
		return ""
	}
	return o.summary
}

// summarize writes the summary: to the file of the flag, or behind what is in the file that GitHub has for it.
func (o *Output) summarize(stdout io.Writer, v report.Verdict, c ci, reproduce func(string) string) error {
	path, write := o.summary, report.SummaryOptions{Reproduce: reproduce}
	switch {
	case path == "off" || path == "" && c.summary == "":
		return nil
	case path == "" || path == c.summary:
		path = c.summary
		if err := appendSummary(path, v, write); err != nil {
			return fmt.Errorf("write the step summary %s ($%s): %w", path, stepSummary, err)
		}
		return nil
	}
	if err := cli.WriteTo(stdout, path, func(w io.Writer) error { return report.WriteSummary(w, v, write) }); err != nil {
		return fmt.Errorf("write --summary %s: %w", path, err)
	}
	return nil
}

// appendSummary adds a summary to what the step wrote before, in the room that is left.
func appendSummary(path string, v report.Verdict, o report.SummaryOptions) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil {
		left := mostSummary - int(min(info.Size(), mostSummary))
		if left >= leastSummary {
			if left < mostSummary {
				o.Room = left
			}
			err = report.WriteSummary(file, v, o)
		}
	}
	return errors.Join(err, file.Close())
}
