package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// project is a folder with files, which the test is in, and the runner for it.
type project struct {
	t *testing.T
	*Tool
}

// newProject writes files, given as name and text, to a new folder, and goes to its subfolder dir. It skips the test if the
// runner is not installed.
func newProject(t *testing.T, o Options, dir string, files ...string) project {
	t.Helper()
	root := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		file := filepath.Join(root, files[i])
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(files[i+1]), 0o644))
	}
	t.Chdir(filepath.Join(root, dir))
	if o.Name == "pytest" {
		if _, err := exec.LookPath("pytest"); err != nil {
			t.Skip("pytest is not installed")
		}
	} else if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	r, err := New(o)
	must(t, err)
	p := project{t, r.(*Tool)}
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

func newPytest(t *testing.T, o Options, dir string, files ...string) project {
	t.Helper()
	o.Name = "pytest"
	return newProject(t, o, dir, files...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// list returns the units that patterns name.
func (p project) list(patterns ...string) []string {
	p.t.Helper()
	tests, err := p.List(p.t.Context(), patterns)
	must(p.t, err)
	return batch.Batch{Tests: tests}.IDs()
}

// run runs a batch, and returns a line for each finish and each problem.
func (p project) run(ids ...string) []string {
	p.t.Helper()
	b := batch.Batch{Number: 1}
	for _, id := range ids {
		b.Tests = append(b.Tests, batch.Test{ID: id})
	}
	return p.runJob(Job{Batch: b})
}

// runJob runs a job within limits, and returns the same.
func (p project) runJob(job Job) []string {
	p.t.Helper()
	var told []string
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	job.Limits = Limits{Test: 10 * time.Second, Grace: time.Second}
	must(p.t, p.Run(ctx, job, collectTold(&told)))
	return told
}

// rest ends the process that is kept.
func (p project) rest() []string {
	p.t.Helper()
	var told []string
	must(p.t, p.Rest(p.t.Context(), 0, Limits{}, collectTold(&told)))
	return told
}

func collectTold(told *[]string) func(...batch.Event) {
	return func(events ...batch.Event) {
		for _, e := range events {
			switch e.Type {
			case batch.Finish:
				*told = append(*told, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Outcome.Status, e.Test, e.Outcome.Message)))
			case batch.ProblemFound:
				*told = append(*told, fmt.Sprintf("problem %s: %s", e.Problem.Scope, e.Problem.Message))
			}
		}
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got\n%s", what, diff)
	}
}
