package runner

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

var (
	// goLogLine is what t.Log, t.Error, t.Skip and their like print: "    a_test.go:12: text" (testing.common.log).
	goLogLine = regexp.MustCompile(`(?m)^ *([^\s:]+\.go):(\d+): ?(.*)$`)
	// goPanicLine is the first line of a panic, or of an error of the runtime.
	goPanicLine = regexp.MustCompile(`(?m)^(?:panic|fatal error|SIGSEGV|SIGBUS|SIGFPE|SIGILL|SIGABRT): .*$`)
	// goFrameLine is the place of a stack frame: "\t/src/a_test.go:12 +0x1d".
	goFrameLine = regexp.MustCompile(`(?m)^\t(\S+_test\.go):(\d+)(?: \+0x[0-9a-f]+)?$`)
	// testifyError is where the text of an assertion of stretchr/testify says what is wrong.
	testifyError = regexp.MustCompile(`(?m)^\s*Error:\s*(\S.*)$`)
)

// maxCaseOutput is how much text the subtests of one test may have together in their cases. All of it is in the test's own
// output too, as far as that goes.
const maxCaseOutput = 128 << 10

// explain sets text, message, file and line of a case that did not pass, from its output: of the first line that the case
// logged or, if its process is dead, of the panic.
func (c *goCase) explain(relative func(string) string, dead bool) {
	if c.output != nil {
		c.text = c.output.String()
		if c.text != "" && !strings.HasSuffix(c.text, "\n") {
			c.text += "\n"
		}
	}
	place := goLogLine.FindStringSubmatch(c.text)
	if place != nil {
		c.message = strings.TrimSpace(place[3])
		if assertion := testifyError.FindStringSubmatch(c.text); c.message == "" && assertion != nil {
			c.message = strings.TrimSpace(assertion[1])
		}
	}
	if panicked := lastPanic(c.text); panicked != "" && dead {
		c.message = panicked
		if frame := goFrameLine.FindStringSubmatch(c.text[strings.LastIndex(c.text, panicked):]); frame != nil {
			place = frame
		}
	}
	if place != nil {
		c.file = relative(place[1])
		c.line, _ = strconv.Atoi(place[2])
	}
	c.message = oneLine(c.message)
	if c.message == "" && strings.HasPrefix(c.name, "Example") && strings.HasPrefix(c.text, "got:\n") {
		c.message = "what it printed is not what its Output comment says"
	}
}

// lastPanic returns the line that says why a Go process panicked, without "[recovered, repanicked]": the last such line, as tests
// may print one of another process.
func lastPanic(text string) string {
	if found := goPanicLine.FindAllString(text, -1); found != nil {
		line, _, _ := strings.Cut(found[len(found)-1], " [recovered")
		return strings.TrimSpace(line)
	}
	return ""
}

// take adds the text of sub, which did not pass, and a last line to the output of its test.
func (t *goTest) take(sub *goCase, last string) {
	t.writer().Write([]byte(sub.text + last))
	if t.kept+len(sub.text) > maxCaseOutput {
		sub.text = ""
	}
	t.kept += len(sub.text)
}

// outcome is what is told of t: the test and its subtests as cases. The text of the test itself is the outcome's, not repeated
// in its case.
func (r *goReport) outcome(t *goTest, status batch.Status) batch.Outcome {
	t.status = status
	var failing *goCase
	var cases []batch.Case
	for _, sub := range t.subs {
		if sub.status == "" {
			if sub.paused || status == batch.Passed {
				continue // it waited and was never run, or its end was not told
			}
			sub.status = cutShort(status)
			sub.explain(r.relative, r.dead)
			t.take(sub, "--- not ended: "+sub.name+"\n")
		}
		if failing == nil && sub.status != batch.Passed && sub.status != batch.Skipped && sub.message != "" {
			failing = sub
		}
		cases = append(cases, r.toCase(sub, sub.seconds, sub.text))
	}
	if status != batch.Passed {
		why := t.message
		t.explain(r.relative, r.dead)
		switch {
		case why != "": // known before
			t.message = why
		case failing != nil && !(r.dead && lastPanic(t.text) != ""):
			t.message, t.file, t.line = failing.message, failing.file, failing.line
		}
	}
	seconds := t.precise()
	return batch.Outcome{Status: status, Seconds: seconds, Message: t.message, File: t.file, Line: t.line, Output: t.text,
		Cases: append([]batch.Case{r.toCase(&t.goCase, seconds, "")}, cases...)}
}

// cutShort is the status of a subtest that had not ended when its test got status.
func cutShort(status batch.Status) batch.Status {
	if status == batch.Timeout {
		return batch.Timeout
	}
	return batch.Crashed
}

func (r *goReport) toCase(c *goCase, seconds float64, output string) batch.Case {
	return batch.Case{Classname: r.pkg, Name: c.name, Status: c.status, Seconds: seconds,
		Message: c.message, File: c.file, Line: c.line, Output: output}
}

// precise is how long t took. Tests tell it in steps of 0.01 s; within that, this process's clock is better, which sees the
// marks a little late.
func (t *goTest) precise() float64 {
	seen := t.spent.Seconds()
	if t.status == batch.Crashed || t.status == batch.Timeout {
		return seen
	}
	return min(max(seen, t.seconds-0.005, 0), t.seconds+0.005)
}

// relativeTo returns what goReport.relative is for a package in folder dir.
func (g *Go) relativeTo(dir, pkg string) func(string) string {
	return func(path string) string {
		if rest, ok := strings.CutPrefix(path, pkg+"/"); ok { // -trimpath
			path = rest
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		return g.relative(path)
	}
}
