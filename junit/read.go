package junit

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxSize is the largest report that Read takes, in bytes: 256 MiB.
const MaxSize = 256 << 20

// limits bound what a report may make Read allocate.
type limits struct {
	bytes    int64
	depth    int // of nested elements
	elements int
}

var errNotXML = errors.New("no <testsuites> or <testsuite> in it")

// ReadFile reads the report in the file of that path; see Read. Its errors name the file.
func ReadFile(path string) (Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	r, err := Read(f)
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Read reads one JUnit report of any dialect. The root is <testsuites> or <testsuite>; nested suites become flat ones whose
// names join those of the suites around them with " / ", less those that the name repeats anyway. A suite without cases and
// output is dropped.
//
// Of a case, Read knows the attributes name, classname (or class), file (or that of the nearest suite around it), line, time,
// status and result, and the elements failure, error (the first one counts, the text of further ones is added), skipped,
// system-out, system-err, flakyFailure, flakyError, rerunFailure and rerunError. Surefire writes the first attempt as failure
// and the later ones as rerunFailure; Read takes them for earlier attempts all the same, as Write writes them.
//
// What a tool leaves out or muddles:
//   - A case without a name is called "(unnamed)"; so is a suite.
//   - A time that is missing, negative, no number or absurdly long is 0. Commas group thousands: "1,234.5".
//   - A timestamp without a zone is UTC; one that cannot be read is zero.
//   - A status or result attribute that says failed, error, skipped or the like counts if no element says otherwise (a
//     disabled GoogleTest says notrun).
//   - A suite-level failure or error element becomes a case "(suite)" of that suite, with the suite's name as classname.
//     So does, as Errored, what the attributes failures and errors of a suite or of the root count beyond what failed
//     inside. If such a count is no number, the report is an error. (Only the attribute errors of a root is ignored, if its
//     suites have none: gotestsum counts compiler messages there.)
//   - Illegal characters are read as U+FFFD.
//
// Encodings are UTF-8, with or without a byte order mark, and, if declared, US-ASCII and ISO-8859-1.
//
// Everything else is an error that says what is wrong and in which line: input that is empty or not XML, ends too early, is
// not JUnit or goes on after its root, has another encoding, refers to entities that XML does not define, or is larger
// than MaxSize, deeper than 100 elements or has more than 5 million of them. The memory that Read takes is a small multiple
// of the size of the input.
func Read(in io.Reader) (Report, error) {
	return read(in, limits{bytes: MaxSize, depth: 100, elements: 5_000_000})
}

func read(in io.Reader, lim limits) (Report, error) {
	src, err := newSource(in, lim.bytes)
	if err != nil {
		return Report{}, fmt.Errorf("JUnit report: %w", err)
	}
	lexer := xml.NewDecoder(src)
	lexer.CharsetReader = src.charset
	p := parser{xml: xml.NewTokenDecoder(&tokens{lexer: lexer, left: lim.elements, limits: lim})}
	if err := p.document(); err != nil {
		if syntax := (*xml.SyntaxError)(nil); errors.As(err, &syntax) { // names the line itself
			return Report{}, fmt.Errorf("JUnit report: %w", err)
		}
		line, _ := lexer.InputPos()
		return Report{}, fmt.Errorf("JUnit report: line %d: %w", line, err)
	}
	return p.report(), nil
}

// tokens passes the lexer's tokens on within the limits.
type tokens struct {
	lexer *xml.Decoder
	limits
	depthNow, left int
}

func (t *tokens) Token() (xml.Token, error) {
	token, err := t.lexer.Token()
	switch token.(type) {
	case xml.StartElement:
		t.depthNow++
		t.left--
	case xml.EndElement:
		t.depthNow--
	}
	if t.depthNow > t.depth {
		return nil, fmt.Errorf("elements nested deeper than %d", t.depth)
	}
	if t.left < 0 {
		return nil, fmt.Errorf("more than %d elements", t.elements)
	}
	return token, err
}
