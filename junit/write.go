package junit

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// timestampLayout is that of Ant's and Surefire's schemas, which have no zone. Ours are UTC.
const timestampLayout = "2006-01-02T15:04:05"

// maxMessage is the most characters of a message attribute: readers show it in one line of a table.
const maxMessage = 300

// Write writes r as one flat <testsuites>: what dorny/test-reporter, mikepenz/action-junit-report,
// EnricoMi/publish-unit-test-result-action, GitLab, Jenkins, CircleCI and Buildkite have in common.
//
//   - Counts and times are those of Totals. Times are seconds, those of suites with three decimals, as the schemas demand,
//     those of cases with six, since many short tests add up. Timestamps are UTC, without zone. An unknown timestamp,
//     hostname, file or line is left out.
//   - A flaky case has its reruns as flakyFailure or flakyError, a failing one as rerunFailure or rerunError, each with a child
//     stackTrace, oldest first. The failure or error of a failing case is that of its last attempt.
//   - The message attribute is the first line of Message, at most 300 characters; the element's text is Details, after
//     Message where it does not contain it, since GitLab shows the text only.
//   - All text is sanitised, see Sanitize; a parser reads "\r\n" and "\r" in it as "\n". Suites and cases without a name
//     are called "(unnamed)".
//
// Equal reports give equal bytes. A case without a known status, or a skipped case with reruns, is an error, and so is a rerun
// that is neither Failed nor Errored: they can't be written without turning a failure green. Nothing is written then.
// Other errors are w's.
func Write(w io.Writer, r Report) error { return Default.Write(w, r) }

// Write is the function Write for one kind of readers.
func (p Profile) Write(w io.Writer, r Report) error {
	root, err := newRootElement(r)
	if err != nil {
		return fmt.Errorf("JUnit report: %w", err)
	}
	if p == Strict {
		root.restrict()
	}
	b := bufio.NewWriter(w)
	b.WriteString(xml.Header) // b keeps the first error until Flush
	enc := xml.NewEncoder(b)
	enc.Indent("", "\t")
	if err := enc.Encode(root); err != nil {
		return err
	}
	b.WriteByte('\n')
	return b.Flush()
}

// The elements below take over from go-junit-report's, and add or replace what those leave out.

type rootElement struct {
	XMLName  xml.Name       `xml:"testsuites"`
	Tests    int            `xml:"tests,attr"`
	Failures int            `xml:"failures,attr"`
	Errors   int            `xml:"errors,attr"`
	Skipped  *int           `xml:"skipped,attr"`
	Time     string         `xml:"time,attr"`
	Suites   []suiteElement `xml:"testsuite"`
}

type suiteElement struct {
	junit.Testsuite
	Skipped   int               `xml:"skipped,attr"` // 0 too: Surefire's schema demands it
	Testcases []testcaseElement `xml:"testcase"`
	SystemOut *junit.Output     `xml:"system-out"` // behind the cases
	SystemErr *junit.Output     `xml:"system-err"`
}

type testcaseElement struct {
	junit.Testcase
	File      string         `xml:"file,attr,omitempty"`
	Line      int            `xml:"line,attr,omitempty"`
	Reruns    []rerunElement `xml:",omitempty"`
	SystemOut *junit.Output  `xml:"system-out"` // behind the reruns
	SystemErr *junit.Output  `xml:"system-err"`
}

type rerunElement struct {
	XMLName    xml.Name
	Message    string        `xml:"message,attr"`
	Type       string        `xml:"type,attr"` // empty too: the schemas demand it
	Time       string        `xml:"time,attr,omitempty"`
	StackTrace junit.Output  `xml:"stackTrace"`
	SystemOut  *junit.Output `xml:"system-out"`
}

func newRootElement(r Report) (rootElement, error) {
	t := r.Totals()
	root := rootElement{
		Tests: t.Tests, Failures: t.Failures, Errors: t.Errors, Skipped: &t.Skipped, Time: formatSeconds(t.Seconds, 3),
		Suites: make([]suiteElement, 0, len(r.Suites)),
	}
	for i, s := range r.Suites {
		e, err := newSuiteElement(i, s)
		if err != nil {
			return root, err
		}
		root.Suites = append(root.Suites, e)
	}
	return root, nil
}

func newSuiteElement(id int, s Suite) (suiteElement, error) {
	t := s.Totals()
	e := suiteElement{
		Testsuite: junit.Testsuite{
			Name:     orUnnamed(Sanitize(s.Name)),
			Tests:    t.Tests,
			Failures: t.Failures,
			Errors:   t.Errors,
			ID:       id,
			Hostname: Sanitize(s.Hostname),
			Time:     formatSeconds(t.Seconds, 3),
		},
		Skipped:   t.Skipped,
		Testcases: make([]testcaseElement, 0, len(s.Cases)),
		SystemOut: newOutput(s.Stdout),
		SystemErr: newOutput(s.Stderr),
	}
	if !s.Timestamp.IsZero() {
		e.Timestamp = s.Timestamp.UTC().Format(timestampLayout)
	}
	for _, c := range s.Cases {
		tc, err := newTestcaseElement(c)
		if err != nil {
			return e, fmt.Errorf("suite %q: case %q of %q: %w", s.Name, c.Name, c.Classname, err)
		}
		e.Testcases = append(e.Testcases, tc)
	}
	return e, nil
}

func newTestcaseElement(c Case) (testcaseElement, error) {
	e := testcaseElement{
		Testcase: junit.Testcase{
			Name:      orUnnamed(Sanitize(c.Name)),
			Classname: Sanitize(c.Classname),
			Time:      formatSeconds(c.Seconds, 6),
		},
		File:      Sanitize(c.File),
		Line:      max(c.Line, 0),
		SystemOut: newOutput(c.Stdout),
		SystemErr: newOutput(c.Stderr),
	}
	rerun := "rerun"
	switch c.Status {
	case Passed:
		rerun = "flaky"
	case Failed:
		e.Failure = newResult(c.Message, c.Type, c.Details)
	case Errored:
		e.Error = newResult(c.Message, c.Type, c.Details)
	case Skipped:
		if len(c.Reruns) > 0 {
			return e, fmt.Errorf("skipped after %d failed attempts", len(c.Reruns))
		}
		e.Skipped = newResult(c.Message, c.Type, c.Details)
	default:
		return e, fmt.Errorf("status %q", c.Status)
	}
	for _, a := range c.Reruns {
		r, err := newRerunElement(rerun, a)
		if err != nil {
			return e, err
		}
		e.Reruns = append(e.Reruns, r)
	}
	return e, nil
}

func newRerunElement(prefix string, a Attempt) (rerunElement, error) {
	switch a.Status {
	case Failed:
		prefix += "Failure"
	case Errored:
		prefix += "Error"
	default:
		return rerunElement{}, fmt.Errorf("attempt with status %q", a.Status)
	}
	result := newResult(a.Message, a.Type, a.Details)
	return rerunElement{
		XMLName:    xml.Name{Local: prefix},
		Message:    result.Message,
		Type:       result.Type,
		Time:       formatSeconds(a.Seconds, 6),
		StackTrace: junit.Output{Data: result.Data},
		SystemOut:  newOutput(a.Output),
	}, nil
}

// newResult makes a short message and a full text of the two that a case has.
func newResult(message, typ, details string) *junit.Result {
	message, details = trimText(Sanitize(message)), trimText(Sanitize(details))
	// Of a message that Write itself cut, in a report that was read, the details contain what precedes the ellipsis.
	if cut := strings.TrimSuffix(message, ellipsis); withMessage(cut, details) != details {
		details = joinText(message, details)
	}
	if message == "" {
		message = details
	}
	return &junit.Result{Message: shorten(message), Type: Sanitize(typ), Data: details}
}

const ellipsis = "…"

// shorten returns the first line of s that is not blank, cut after maxMessage characters.
func shorten(s string) string {
	line := strings.TrimSpace(s)
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = strings.TrimSpace(line[:end])
	}
	if utf8.RuneCountInString(line) <= maxMessage {
		return line
	}
	return string([]rune(line)[:maxMessage-1]) + ellipsis
}

// newOutput returns nil for a blank text.
func newOutput(text string) *junit.Output {
	if text = trimText(Sanitize(text)); text != "" {
		return &junit.Output{Data: text}
	}
	return nil
}

func formatSeconds(s float64, decimals int) string {
	return strconv.FormatFloat(sane(s), 'f', decimals, 64)
}
