package junit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// parser walks over a report and collects its suites, in the order of their start tags.
type parser struct {
	xml    *xml.Decoder
	suites []Suite
	// open are the <testsuites> and <testsuite> elements around the current position, outermost first.
	open []openSuite
	// countErrors: there is a <testsuite> with an attribute errors.
	countErrors bool
}

// openSuite is a <testsuites> or <testsuite> element whose end is not read yet.
type openSuite struct {
	index int    // in parser.suites
	own   string // its name attribute
	file  string // inherited by its cases
	// claimed is the number of failures and errors that its attributes count, seen that of those inside. rootErrors
	// are the errors that the attribute of a <testsuites> counts; see claims.
	claimed, rootErrors, seen int
	// stdout and stderr are its system-out and system-err elements.
	stdout, stderr []string
}

// document parses the whole input.
func (p *parser) document() error {
	for {
		token, err := p.xml.Token()
		switch {
		case errors.Is(err, io.EOF) && len(p.suites) == 0:
			return errNotXML
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			err = p.start(t)
		case xml.EndElement:
			if isSuite(t.Name) {
				p.endSuite()
			}
		case xml.CharData:
			if len(p.open) == 0 && len(bytes.TrimSpace(t)) > 0 {
				err = errors.New("text outside of the root element")
			}
		}
		if err != nil {
			return err
		}
	}
}

func isSuite(n xml.Name) bool { return n.Local == "testsuites" || n.Local == "testsuite" }

// start handles a start tag. Elements of other names are transparent: cases that some dialect wraps in one count.
func (p *parser) start(t xml.StartElement) error {
	if len(p.open) == 0 && (!isSuite(t.Name) || len(p.suites) > 0) {
		return fmt.Errorf("<%s> where the one root element <testsuites> or <testsuite> belongs", t.Name.Local)
	}
	switch t.Name.Local {
	case "testsuites", "testsuite":
		return p.startSuite(t)
	case "testcase":
		return p.testcase(t)
	case "failure", "error":
		var e outcomeElement
		if err := p.xml.DecodeElement(&e, &t); err != nil {
			return err
		}
		s := &p.open[len(p.open)-1]
		s.seen++
		c := s.problem(p.suites[s.index].Name)
		c.Status, c.Message, c.Type, c.Details = e.status(), e.Message, e.Type, e.details()
		p.add(c)
	case "system-out", "system-err":
		var text string
		if err := p.xml.DecodeElement(&text, &t); err != nil {
			return err
		}
		s := &p.open[len(p.open)-1]
		if t.Name.Local == "system-out" {
			s.stdout = append(s.stdout, text)
		} else {
			s.stderr = append(s.stderr, text)
		}
	}
	return nil
}

func (p *parser) startSuite(t xml.StartElement) error {
	o := openSuite{index: len(p.suites)}
	var s Suite
	if len(p.open) > 0 {
		o.file = p.open[len(p.open)-1].file
	}
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "name":
			o.own = a.Value
		case "file":
			o.file = a.Value
		case "hostname":
			s.Hostname = a.Value
		case "timestamp":
			s.Timestamp = parseTimestamp(a.Value)
		case "failures", "errors":
			n, err := parseCount(a.Value)
			if err != nil {
				return fmt.Errorf("<%s %s=%q> is no count", t.Name.Local, a.Name.Local, a.Value)
			}
			switch {
			case a.Name.Local == "failures":
				o.claimed += n
			case t.Name.Local == "testsuites":
				o.rootErrors = n
			default:
				o.claimed += n
				p.countErrors = true
			}
		}
	}
	s.Name = p.suiteName(o.own)
	p.suites = append(p.suites, s)
	p.open = append(p.open, o)
	return nil
}

// suiteName joins own with the names of the suites around it. The root's name is left out: it names the tool or the run.
// So is a name that the next one starts with, as a class before its methods, and what would make the name longer than anyone
// reads (and a deeply nested report larger than memory).
func (p *parser) suiteName(own string) string {
	const longest = 1024
	name := own
	for i := len(p.open) - 1; i > 0; i-- {
		outer := p.open[i].own
		switch {
		case isBlank(outer) || strings.HasPrefix(name, outer):
		case isBlank(name):
			name = outer
		case len(outer)+len(name) < longest:
			name = outer + " / " + name
		}
	}
	return orUnnamed(name)
}

// claims returns how many failures and errors the attributes of s count. The errors of a root do not count if none of its
// suites counts any: gotestsum counts there what the compiler and linker print, warnings included.
func (p *parser) claims(s *openSuite) int {
	if p.countErrors || len(p.suites) == 1 {
		return s.claimed + s.rootErrors
	}
	return s.claimed
}

// endSuite closes the innermost suite. What it claims beyond what was seen inside is a failure that the report does not show.
func (p *parser) endSuite() {
	s := &p.open[len(p.open)-1]
	claimed := p.claims(s)
	if missing := claimed - s.seen; missing > 0 {
		c := s.problem(p.suites[s.index].Name)
		c.Message = fmt.Sprintf("the report counts %d failures and errors here but shows %d", claimed, s.seen)
		p.add(c)
		s.seen += missing
	}
	suite := &p.suites[s.index]
	suite.Stdout, suite.Stderr = joinText(s.stdout...), joinText(s.stderr...)
	seen := s.seen
	p.open = p.open[:len(p.open)-1]
	if len(p.open) > 0 {
		p.open[len(p.open)-1].seen += seen
	}
}

// problem returns the case that stands for a failure of the suite itself.
func (s *openSuite) problem(name string) Case {
	classname := s.own
	if classname == "" {
		classname = name
	}
	return Case{Name: "(suite)", Classname: classname, File: s.file, Status: Errored}
}

func (p *parser) testcase(t xml.StartElement) error {
	var e caseElement
	if err := p.xml.DecodeElement(&e, &t); err != nil {
		return err
	}
	c, failures, err := e.toCase()
	if err != nil {
		return err
	}
	s := &p.open[len(p.open)-1]
	if c.File == "" {
		c.File = s.file
	}
	if c.Status.failing() {
		s.seen += max(failures, 1) // it may have failed by another element or attribute
	}
	p.add(c)
	return nil
}

// add adds c to the innermost suite.
func (p *parser) add(c Case) {
	s := &p.suites[p.open[len(p.open)-1].index]
	s.Cases = append(s.Cases, c)
}

// report returns the suites that hold anything.
func (p *parser) report() Report {
	var r Report
	for _, s := range p.suites {
		if len(s.Cases) > 0 || s.Stdout != "" || s.Stderr != "" {
			r.Suites = append(r.Suites, s)
		}
	}
	return r
}

// parseCount parses an attribute that counts. Empty is 0.
func parseCount(s string) (int, error) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ",", "")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}
