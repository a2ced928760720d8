package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Go is the preset for `go test`. Its unit is "import/path::TestName": a top-level test, an example with output, a fuzz
// target of which the seeds run, or "import/path::[package]" (see List).
//
// A package is compiled once per Go value, for all batches, and its test binary started once per batch with the names of
// the batch's tests. It needs Go 1.20 or later. Its methods may be called concurrently.
type Go struct {
	dir      string
	args     goArgs
	compiler *goCompiler
	// leastIdle is leastGoIdle, less in tests.
	leastIdle time.Duration
}

// GoOptions configure NewGo.
type GoOptions struct {
	// Dir is the folder in which go runs and to which patterns are relative. Empty: the current one.
	Dir string
	// Args are flags of `go test`, of its test binaries, or of the tests themselves; see parseGoArgs for those that are refused.
	Args []string
}

// goGrace is how long `go list` and `go test` may take to remove their temporary files when they are stopped.
const goGrace = 5 * time.Second

// NewGo returns an error if Go is not installed, if a flag cannot be used, or if there is no room for temporary files.
// The caller must call Close.
func NewGo(opts GoOptions) (*Go, error) {
	args, err := parseGoArgs(opts.Args)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, fmt.Errorf("go is not installed, or its folder is not in PATH: %w", err)
	}
	g := &Go{dir: dir, args: args, leastIdle: leastGoIdle}
	g.compiler, err = newGoCompiler(g)
	return g, err
}

// Prepare starts to compile the packages of tests, in the order in which they come there: that of the queue is best, as
// the first batches then wait least. Without it, Run compiles what its batch needs.
func (g *Go) Prepare(tests []batch.Test) {
	var packages []string
	for _, t := range tests {
		if pkg, _, err := parseGoID(t.ID); err == nil {
			packages = append(packages, pkg)
		}
	}
	g.compiler.need(packages)
}

// Close ends a compilation that still runs and removes the test binaries. No Run may be under way.
func (g *Go) Close() error { return g.compiler.close() }

// command is a run of the go command.
func (g *Go) command(args []string, stdout, stderr io.Writer) process {
	return process{
		Path: "go", Args: args, Dir: g.dir, Stdout: stdout, Stderr: stderr,
		Stop:  syscall.SIGINT, // go removes its temporary files
		Grace: goGrace,
	}
}

// relative returns path relative to the folder in which go runs, or path itself where it is not below it.
func (g *Go) relative(path string) string {
	rel, err := filepath.Rel(g.dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return rel
}

// goID is the id of a unit.
func goID(pkg, name string) string { return pkg + "::" + name }

// parseGoID splits an id. The error says what is wrong with it.
func parseGoID(id string) (pkg, name string, err error) {
	pkg, name, ok := strings.Cut(id, "::")
	switch {
	case !ok || pkg == "" || name == "" || strings.Contains(name, "/"):
		err = fmt.Errorf("%q is not a Go test: it must be import/path::TestName, as `shardctl list` prints it", id)
	case strings.HasPrefix(pkg, "-") || strings.HasPrefix(pkg, ".") || strings.Contains(pkg, "..."):
		err = fmt.Errorf("%q is not a Go test: %q is not an import path", id, pkg)
	}
	return pkg, name, err
}

// temporaryRoot is where go itself would put test binaries: somebody may have set GOTMPDIR because files in the usual
// folder may not be executed.
func temporaryRoot() string {
	if dir := os.Getenv("GOTMPDIR"); dir != "" {
		return dir
	}
	return os.TempDir()
}

// startRetrying runs p again while its file is "busy": a child that another goroutine or process is about to start holds
// it open for writing for a moment (go.dev/issue/22315).
func startRetrying(ctx context.Context, p process) (exit, error) {
	for wait := time.Millisecond; ; wait *= 2 {
		ended, err := p.run(ctx)
		if !errors.Is(err, syscall.ETXTBSY) || wait > time.Second {
			return ended, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}
