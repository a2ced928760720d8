package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// goCompiler compiles test binaries for all Runs of a Go value, each package once.
//
// One `go test -exec COLLECTOR packages...` compiles many packages: go links them (without debug information, which
// takes less time than go test -c) and "runs" the collector for each as soon as it is linked, in the package's
// folder and with the arguments and variables that the binary would get. The collector puts the binary aside and writes them
// down, so that a test later finds itself exactly where go would have run it.
type goCompiler struct {
	g   *Go
	dir string // holds everything that is written
	// ctx ends when the compiler is closed.
	ctx     context.Context
	cancel  context.CancelCauseFunc
	running sync.WaitGroup

	mu sync.Mutex // guards the rest
	// builds has an entry for each package that was ever needed.
	builds map[string]*goBuild
	// changed is closed and replaced when a build is done.
	changed     chan struct{}
	invocations int
}

// goBuild is a package's test binary. Its fields are set when it is done, and not changed then.
type goBuild struct {
	pkg  string
	done bool
	// err says why there is no binary; nil: there is one.
	err *goBuildError
	// binary, the folder to run it in, the variables (NAME=value) and arguments that go runs it with.
	binary, dir string
	env, args   []string
	// reported is set when err was made a batch.Problem; guarded by goCompiler.mu.
	reported bool
}

// goBuildError says why a package has no test binary.
type goBuildError struct {
	scope, message string
	// text is the compiler's, vet's or go's own.
	text string
}

const (
	// maxGoArguments is how many bytes of package names one invocation gets; Linux allows 2 MiB for all arguments.
	maxGoArguments = 512 << 10
	collectorFile  = "collect"
)

// collector is the shell script that go test "runs" test binaries with: `collect FOLDER BINARY ARGUMENTS...`. Go calls
// binaries …/b001/name.test, where b001 is unique in one invocation. The script ends with that word on its output.
const collector = `set -e
to=$1
shift
name=${1%/*}
name=${name##*/}
mkdir "$to/$name"
ln "$1" "$to/$name/" 2>/dev/null || cp "$1" "$to/$name/"
printf '%s\000' "$PWD" "PATH=$PATH" "${GOROOT+GOROOT=$GOROOT}" "$@" >"$to/$name/` + recordFile + `"
printf '%s\n' "$name"
`

// recordFile is what the collector writes: the folder, PATH, GOROOT (empty if unset), the binary and its arguments,
// each followed by a NUL.
const recordFile = "shardctl-record"

var errGoClosed = errors.New("the Go runner was closed")

func newGoCompiler(g *Go) (*goCompiler, error) {
	dir, err := os.MkdirTemp(temporaryRoot(), "shardctl-go-")
	if err != nil {
		return nil, fmt.Errorf("no folder for test binaries: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, collectorFile), []byte(collector), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("no room for test binaries: %w", err), os.RemoveAll(dir))
	}
	c := &goCompiler{g: g, dir: dir, builds: map[string]*goBuild{}, changed: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	return c, nil
}

func (c *goCompiler) close() error {
	c.cancel(errGoClosed)
	c.running.Wait()
	return os.RemoveAll(c.dir)
}

// need starts to compile those of packages that nobody needed before.
func (c *goCompiler) need(packages []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return
	}
	var fresh []string
	for _, pkg := range packages {
		if c.builds[pkg] == nil {
			c.builds[pkg] = &goBuild{pkg: pkg}
			fresh = append(fresh, pkg)
		}
	}
	for len(fresh) > 0 {
		n, size := 0, 0
		for n < len(fresh) && (n == 0 || size+len(fresh[n]) < maxGoArguments) {
			size += len(fresh[n]) + 1
			n++
		}
		c.invocations++
		in := &goInvocation{c: c, packages: fresh[:n], dir: filepath.Join(c.dir, strconv.Itoa(c.invocations))}
		c.running.Go(in.run)
		fresh = fresh[n:]
	}
}

// next returns the first of packages, all needed before, that is compiled or failed, once there is one. The error is
// context.Cause(ctx), or says that the compiler is closed.
func (c *goCompiler) next(ctx context.Context, packages []string) (*goBuild, error) {
	for {
		c.mu.Lock()
		i := slices.IndexFunc(packages, func(pkg string) bool { b := c.builds[pkg]; return b != nil && b.done })
		changed := c.changed
		var b *goBuild
		if i >= 0 {
			b = c.builds[packages[i]]
		}
		c.mu.Unlock()
		if b != nil {
			return b, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-c.ctx.Done():
			return nil, context.Cause(c.ctx)
		}
	}
}

// finish makes pkg done, once: with the error, or as set says.
func (c *goCompiler) finish(pkg string, err *goBuildError, set func(*goBuild)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.builds[pkg]
	if b == nil || b.done {
		return
	}
	b.done, b.err = true, err
	if set != nil {
		set(b)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// reportOnce is true the first time that it is called for a build.
func (c *goCompiler) reportOnce(b *goBuild) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := !b.reported
	b.reported = true
	return first
}

// collect reads what the collector wrote in folder and makes pkg done.
func (c *goCompiler) collect(pkg, folder string) {
	fail := func(err error) {
		c.finish(pkg, &goBuildError{scope: pkg, message: "its test binary could not be put aside", text: err.Error()}, nil)
	}
	text, err := os.ReadFile(filepath.Join(folder, recordFile))
	if err != nil {
		fail(err)
		return
	}
	words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	if len(words) < 4 {
		fail(fmt.Errorf("%s: %d words, want at least 4", recordFile, len(words)))
		return
	}
	c.finish(pkg, nil, func(b *goBuild) {
		b.dir, b.env = words[0], words[1:2]
		if words[2] != "" {
			b.env = words[1:3]
		}
		b.binary = filepath.Join(folder, filepath.Base(words[3]))
		b.args = goBinaryArgs(words[4:], filepath.Dir(words[3]))
	})
}

// goBinaryArgs returns the arguments of a test binary as go test gives them, without those that Run sets and those that
// make no sense outside the invocation, whose work folder is objdir. Of the latter kind most can come only from GOFLAGS.
func goBinaryArgs(args []string, objdir string) []string {
	var kept []string
	for i, arg := range args {
		name, value, _ := strings.Cut(strings.TrimPrefix(arg, "-test."), "=")
		switch {
		case !strings.HasPrefix(arg, "-test."): // the tests' own
			return append(kept, args[i:]...)
		case slices.Contains([]string{"v", "timeout", "run", "skip", "list", "bench", "fuzz", "count", "failfast", "paniconexit0"}, name):
		case name == "gocoverdir" && strings.HasPrefix(value, objdir):
		default:
			kept = append(kept, arg)
		}
	}
	return kept
}

// quoteForGo quotes words for flag -exec, which knows quotes but no escapes (cmd/internal/quoted).
func quoteForGo(words ...string) (string, error) {
	var quoted []string
	for _, word := range words {
		quote := "'"
		if strings.Contains(word, quote) {
			quote = `"`
		}
		if strings.Contains(word, quote) {
			return "", fmt.Errorf("the temporary folder's name %q has both kinds of quotes, which go test -exec cannot express; set TMPDIR", word)
		}
		quoted = append(quoted, quote+word+quote)
	}
	return strings.Join(quoted, " "), nil
}
