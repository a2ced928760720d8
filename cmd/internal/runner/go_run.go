package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// maxGoPattern is the longest -test.run pattern; tests with more names run in several processes.
const maxGoPattern = 16 << 10

// leastGoIdle is the least time that init functions and a TestMain get: what `go test` gives a whole package.
const leastGoIdle = 10 * time.Minute

// Run implements Runner. The packages of a batch run one after the other, those first that are compiled already. A process
// that dies is not started again: the tests that it did not come to have no Finish, those of other packages still run.
//
// Limits: Limits.Test counts from a top-level test's start, without the time that it is paused. When it is over, the process
// gets SIGQUIT, so that the output shows what each goroutine waited for; that test is a Timeout, others that ran beside it
// have no Finish. While no test runs (init functions, TestMain), Limits.Test limits the process too, but to no less than ten
// minutes. Limits.Batch counts while test processes run. When it is over, tests without a Finish have none, except
// one that is alone: it is a Timeout. Compiling has no limit but ctx, as it is done for all batches: see Close.
func (g *Go) Run(ctx context.Context, job Job, emit func(...batch.Event)) error {
	r := &goRun{g: g, job: job, emit: emit, left: job.Limits.Batch, units: map[string][]string{}}
	alone := job.Batch.Alone
	for _, t := range job.Batch.Tests {
		pkg, name, err := parseGoID(t.ID)
		if err != nil {
			if alone {
				emit(batch.Event{Type: batch.Finish, Test: t.ID, Outcome: batch.Outcome{Status: batch.Unexecuted, Message: err.Error()}})
			}
			continue
		}
		if r.units[pkg] == nil {
			r.packages = append(r.packages, pkg)
		}
		r.units[pkg] = append(r.units[pkg], name)
	}
	g.compiler.need(r.packages)
	for pending := r.packages; len(pending) > 0 && !r.timeUp(); {
		build, err := g.compiler.next(ctx, pending)
		if err != nil {
			return err
		}
		pending = slices.DeleteFunc(pending, func(pkg string) bool { return pkg == build.pkg })
		if build.err != nil {
			r.cannotBuild(build)
			continue
		}
		if err := r.runPackage(ctx, build); err != nil {
			return err
		}
	}
	return nil
}

// goRun is the state of one Run.
type goRun struct {
	g        *Go
	job      Job
	emit     func(...batch.Event)
	packages []string
	units    map[string][]string // names by package
	// left is what is left of Limits.Batch, if there is such a limit.
	left time.Duration
}

// timeUp is whether Limits.Batch is used up. Then no process is started any more.
func (r *goRun) timeUp() bool { return r.job.Limits.Batch > 0 && r.left <= 0 }

// cannotBuild fails the units of a package without a test binary.
func (r *goRun) cannotBuild(build *goBuild) {
	e := build.err
	if r.g.compiler.reportOnce(build) {
		r.emit(batch.Event{Type: batch.ProblemFound, Problem: batch.Problem{Scope: e.scope, Message: e.message, Details: e.text}})
	}
	o := batch.Outcome{Status: batch.Failed, Message: fmt.Sprintf("package %s %s", build.pkg, e.message), Output: e.text}
	if e.scope != build.pkg {
		o.Message = fmt.Sprintf("package %s could not be built: %s", build.pkg, e.message)
	}
	if place := goCompilerLine.FindStringSubmatch(e.text); place != nil {
		o.Message = oneLine(o.Message + ": " + place[0])
		o.File = place[1]
		o.Line, _ = strconv.Atoi(place[2])
	}
	for _, name := range r.units[build.pkg] {
		if name != goPackageUnit { // the problem has the whole text
			short := newCapture(1 << 10)
			short.Write([]byte(e.text))
			o.Output = short.String()
		}
		r.emit(goFinish(build.pkg, name, o))
	}
}

// goCompilerLine is what the compiler, the parser and vet print: "a/a_test.go:3:27: undefined: x".
var goCompilerLine = regexp.MustCompile(`(?m)^(\S+\.go):(\d+)(?::\d+)?: .*$`)

// runPackage runs the units of a package whose test binary is there.
func (r *goRun) runPackage(ctx context.Context, build *goBuild) error {
	var names []string
	for _, name := range r.units[build.pkg] {
		if name != goPackageUnit {
			names = append(names, name)
		} else if err := r.runWithoutTests(ctx, build); err != nil {
			return err
		}
	}
	for _, some := range splitNames(names) {
		if r.timeUp() {
			break
		}
		if err := r.runTests(ctx, build, some); err != nil {
			return err
		}
	}
	return nil
}

// splitNames cuts names into parts that each make a pattern of at most maxGoPattern bytes.
func splitNames(names []string) [][]string {
	var parts [][]string
	size := maxGoPattern
	for _, name := range names {
		n := len(regexp.QuoteMeta(name)) + 1
		if size += n; size+len("^()$") > maxGoPattern {
			parts, size = append(parts, nil), n
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], name)
	}
	return parts
}

// runTests runs one process with the tests names.
func (r *goRun) runTests(ctx context.Context, build *goBuild, names []string) error {
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	report := newGoReport(build.pkg, names, r.g.relativeTo(build.dir, build.pkg), r.emit)
	report.kill = kill
	if limit := r.job.Limits.Test; limit > 0 {
		report.testLimit, report.idleLimit = limit, max(limit, r.g.leastIdle)
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	ended, err := r.start(ctx, build, report, "^("+strings.Join(quoted, "|")+")$")
	if err != nil {
		return err
	}
	report.close(ended, r.job.Batch.Alone)
	return endedBy(ended)
}

// runWithoutTests runs the unit goPackageUnit: the binary's exit status is the result. The unit says that the package has no
// test, or could not be listed, where the list was made: if it has some here, they would never run.
func (r *goRun) runWithoutTests(ctx context.Context, build *goBuild) error {
	listed, err := r.g.List(ctx, []string{build.pkg})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil || len(listed) != 1 || listed[0].ID != goID(build.pkg, goPackageUnit) {
		o := batch.Outcome{Status: batch.Failed, Message: fmt.Sprintf("where the list was made this package has no tests or cannot be listed, "+
			"but here it has %d: make the list from the same sources, with the same flags", len(listed))}
		if err != nil {
			o.Message = oneLine(err.Error())
		}
		r.emit(goFinish(build.pkg, goPackageUnit, o))
		return nil
	}
	limited, cancel := withLimit(ctx, r.job.Limits.Test, "--test-timeout")
	defer cancel()
	began := time.Now()
	r.emit(batch.Event{Type: batch.Start, Test: goID(build.pkg, goPackageUnit)})
	report := newGoReport(build.pkg, nil, r.g.relativeTo(build.dir, build.pkg), r.emit)
	ended, err := r.start(limited, build, report, "^$")
	if err != nil {
		return err
	}
	o := batch.Outcome{Status: batch.Passed, Seconds: time.Since(began).Seconds()}
	var limit *limitError
	switch {
	case errors.As(ended.Cause, &limit):
		if limited.Err() == nil && !r.job.Batch.Alone { // the batch's limit: the unit is not to blame
			return nil
		}
		o.Status, o.Message = batch.Timeout, "its process had not ended when "+limit.Error()
	case ended.Cause != nil:
		return ended.Cause
	case ended.Code != 0:
		o.Status, o.Message = batch.Failed, "the test binary failed without running any test: "+ended.String()
	}
	if o.Status != batch.Passed {
		o.Output = report.textOf(nil)
	}
	r.emit(goFinish(build.pkg, goPackageUnit, o))
	return nil
}

// start runs the test binary with a -test.run pattern and returns when it has ended and report has seen all its output.
// The error is for a process that could not be started.
func (r *goRun) start(ctx context.Context, build *goBuild, report *goReport, pattern string) (exit, error) {
	if limit := r.job.Limits.Batch; limit > 0 {
		cause := &limitError{flag: "--batch-timeout", limit: limit}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.left, cause)
		defer cancel()
		began := time.Now()
		defer func() { r.left -= time.Since(began) }()
	}
	marks := &goMarks{mark: report.mark, printed: report.printed}
	output := &lockedWriter{mu: &report.mu, to: marks}
	p := process{
		Path: build.binary, Dir: build.dir, Env: slices.Concat(build.env, r.job.Env),
		Args:   append([]string{"-test.paniconexit0", "-test.v=test2json", "-test.timeout=0", "-test.run=" + pattern}, build.args...),
		Stdout: output,
		Stop:   syscall.SIGQUIT, Grace: r.job.Limits.Grace,
	}
	report.begin()
	ended, err := startRetrying(ctx, p)
	switch {
	case err != nil && ctx.Err() != nil:
		return exit{Cause: context.Cause(ctx)}, nil
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; set GOTMPDIR to a folder in which programs may be executed", err)
	}
	report.mu.Lock()
	marks.flush()
	report.mu.Unlock()
	return ended, err
}

// endedBy returns the context's cause when the context, not a limit, ended a process.
func endedBy(ended exit) error {
	var limit *limitError
	if ended.Cause == nil || errors.As(ended.Cause, &limit) {
		return nil
	}
	return ended.Cause
}
