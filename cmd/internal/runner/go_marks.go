package runner

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// goMark is a line by which a test binary tells what its tests do. With -test.v=test2json the testing package begins each
// with the byte ^V, also in the middle of a line that a test left unfinished, so that what tests print is not mistaken for
// one. The format is that of cmd/internal/test2json and of testing.chattyPrinter (Go 1.20 to 1.26):
//
//	^V=== RUN   TestA/sub
//	^V    --- FAIL: TestA/sub (0.12s)
//	^VPASS
type goMark struct {
	// Verb is RUN, PAUSE, CONT, NAME, ATTR or ARTIFACTS of a "===" line, PASS, FAIL, SKIP or BENCH of a "---" line, or
	// goEndPass or goEndFail, which a binary prints when it has run all its tests.
	Verb string
	// Test is the full name of the test or subtest. Empty after the end, and with NAME for "no test".
	Test string
	// Seconds that a "---" line tells; it counts from when the test ran, paused time excepted, in steps of 0.01.
	Seconds float64
}

const (
	goMarker  = 0x16
	goEndPass = "end: PASS"
	goEndFail = "end: FAIL"
	// maxGoMark is the longest line that is taken for a mark. Names of subtests are the only part without a bound.
	maxGoMark = 64 << 10
)

var (
	goUpdates = []string{"RUN", "PAUSE", "CONT", "NAME", "ATTR", "ARTIFACTS"}
	goReports = []string{"PASS", "FAIL", "SKIP", "BENCH"}
)

// goMarks is an io.Writer that splits the output of a test binary into marks and what the tests printed. Where writes begin
// and end makes no difference, except to how printed text is cut into pieces. A line that a mark interrupts ends there.
type goMarks struct {
	mark    func(goMark)
	printed func([]byte)

	// pending is the begin of what may be a mark, from its ^V on. Empty: in the middle of printed text.
	pending []byte
	// inLine is whether the last byte printed is not the end of a line.
	inLine bool
}

func (m *goMarks) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(m.pending) == 0 {
			text := p
			if i := bytes.IndexByte(p, goMarker); i >= 0 {
				text = p[:i]
				m.pending = append(m.pending, goMarker)
				p = p[i+1:]
			} else {
				p = nil
			}
			m.print(text)
			continue
		}
		end := bytes.IndexAny(p, "\n\x16")
		if end < 0 {
			end = len(p)
		}
		if len(m.pending)+end > maxGoMark {
			m.flush()
			continue
		}
		m.pending = append(m.pending, p[:end]...)
		if p = p[end:]; len(p) == 0 {
			break
		}
		if p[0] == goMarker { // what was pending was cut short, and is none
			m.flush()
			continue
		}
		if mark, ok := parseGoMark(string(m.pending[1:])); ok {
			m.pending, p = m.pending[:0], p[1:]
			if m.inLine { // the mark cut it, and what comes next may be of another test
				m.print([]byte{'\n'})
			}
			m.mark(mark)
		} else {
			m.flush()
		}
	}
	return n, nil
}

// flush prints what was pending and turned out not to be a mark, or is the end of the output.
func (m *goMarks) flush() {
	m.print(m.pending)
	m.pending = m.pending[:0]
}

func (m *goMarks) print(text []byte) {
	if len(text) > 0 {
		m.inLine = text[len(text)-1] != '\n'
		m.printed(text)
	}
}

// parseGoMark parses a line without its ^V and line end.
func parseGoMark(line string) (goMark, bool) {
	line = strings.TrimSuffix(line, "\r")
	switch line {
	case "PASS":
		return goMark{Verb: goEndPass}, true
	case "FAIL":
		return goMark{Verb: goEndFail}, true
	}
	if rest, ok := strings.CutPrefix(line, "=== "); ok {
		verb, name, _ := strings.Cut(rest, " ")
		name = strings.TrimLeft(name, " ")
		name, _, _ = strings.Cut(name, " ") // ATTR and ARTIFACTS say more after the name
		return goMark{Verb: verb, Test: name}, slices.Contains(goUpdates, verb) && (name != "" || verb == "NAME")
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "--- ")
	verb, rest, found := strings.Cut(rest, ": ")
	if !ok || !found || !slices.Contains(goReports, verb) {
		return goMark{}, false
	}
	name, elapsed, _ := strings.Cut(rest, " (")
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(elapsed, "s)"), 64)
	if err != nil || !(seconds >= 0 && seconds < 1e9) { // NaN too
		seconds = 0
	}
	return goMark{Verb: verb, Test: name, Seconds: seconds}, name != ""
}
