package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// goInvocation is one run of `go test` that compiles packages. Its fields belong to the goroutine of run, and during the
// process to that which copies the output.
type goInvocation struct {
	c        *goCompiler
	packages []string
	dir      string // binaries are put below it

	// builds is the text of failed builds by their name in the events, outputs what the collector printed, by package.
	builds, outputs map[string]*capture
	// other is what is not an event: go's own messages, and those of a compiler before Go 1.24.
	other *capture
}

// goEvent is a line of `go test -json`: a TestEvent (`go doc test2json`) or a BuildEvent (`go help buildjson`).
type goEvent struct {
	Action      string
	Package     string
	ImportPath  string
	Output      string
	FailedBuild string
}

// run compiles the packages. In the end each of them is done.
func (in *goInvocation) run() {
	in.builds, in.outputs, in.other = map[string]*capture{}, map[string]*capture{}, newCapture(outputEnds)
	ended, err := in.start()
	if err != nil {
		in.other.Write([]byte(err.Error()))
	}
	failure := &goBuildError{scope: "go test", message: fmt.Sprintf("go test could not compile the packages: %s", ended), text: in.other.String()}
	if err != nil {
		failure.message = "go test could not be started"
	}
	for _, pkg := range in.packages {
		in.c.finish(pkg, failure, nil)
	}
}

func (in *goInvocation) start() (exit, error) {
	temporary := filepath.Join(in.dir, "tmp") // on the same disk as dir, so that binaries can be linked, and gone with it
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return exit{}, err
	}
	collect, err := quoteForGo("/bin/sh", filepath.Join(in.c.dir, collectorFile), in.dir)
	if err != nil {
		return exit{}, err
	}
	args := []string{"test", "-json", "-count=1", "-exec", collect}
	args = append(append(args, in.c.g.args.list...), in.packages...)
	output := &lines{max: 1 << 20, each: in.line}
	p := in.c.g.command(append(args, in.c.g.args.test...), output, nil)
	p.Env = []string{"GOTMPDIR=" + temporary}
	ended, err := p.run(in.c.ctx)
	in.line(output.rest)
	return ended, err
}

func (in *goInvocation) line(line []byte) {
	var e goEvent
	message := line
	// An event is a line, but may stand behind a message that came without a line end on the same pipe.
	if i := bytes.Index(line, []byte(`{"`)); i >= 0 && json.Unmarshal(line[i:], &e) == nil {
		message = line[:i]
	}
	if len(message) > 0 {
		in.other.Write(message)
		in.other.Write([]byte{'\n'})
	}
	switch e.Action {
	case "build-output":
		keep(in.builds, e.ImportPath, e.Output)
	case "output":
		keep(in.outputs, e.Package, e.Output)
	case "pass":
		name, _, _ := strings.Cut(kept(in.outputs, e.Package), "\n")
		in.c.collect(e.Package, filepath.Join(in.dir, filepath.Base(name)))
	case "skip":
		in.c.finish(e.Package, &goBuildError{scope: e.Package, message: "has no test files", text: kept(in.outputs, e.Package)}, nil)
	case "fail":
		text := kept(in.builds, e.FailedBuild)
		if text == "" {
			text = textAbout(in.other.String(), e.Package) + kept(in.outputs, e.Package)
		}
		in.c.finish(e.Package, &goBuildError{scope: e.Package, message: "does not build", text: text}, nil)
	}
}

// textAbout returns the parts of text that are about pkg, or all of it if none says so. A part begins with a line as
// "# import/path [import/path.test]".
func textAbout(text, pkg string) string {
	var about strings.Builder
	mine := false
	for line := range strings.Lines(text) {
		if head, ok := strings.CutPrefix(line, "# "); ok {
			words := strings.FieldsFunc(head, func(r rune) bool { return unicode.IsSpace(r) || r == '[' || r == ']' })
			mine = slices.Contains(words, pkg) || slices.Contains(words, pkg+".test")
		}
		if mine {
			about.WriteString(line)
		}
	}
	if about.Len() == 0 {
		return text
	}
	return about.String()
}

func keep(captures map[string]*capture, name, text string) {
	if captures[name] == nil {
		captures[name] = newCapture(outputEnds)
	}
	captures[name].Write([]byte(text))
}

func kept(captures map[string]*capture, name string) string {
	if captures[name] == nil {
		return ""
	}
	return captures[name].String()
}
