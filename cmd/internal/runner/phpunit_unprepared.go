package runner

import (
	"regexp"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// PHPUnit 10 and later tell TeamCity that a test started when its setUp is over. Of one that fails or is skipped before, they
// tell only that, of a class whose setUpBeforeClass is, only by its name, and nothing of a tearDownAfterClass. PHPUnit 11 and
// later are asked for their log of events (--log-events-text), too, for what is missing; that of PHPUnit 10 has each assertion
// with its values, which would slow tests down.

const phpunitPreparing = "Test Preparation Started ("

// phpunitTornDown is followed by a line with the reason. PHPUnit 12 and later say Failed of assertions.
var phpunitTornDown = regexp.MustCompile(`^After Last Test Method (?:Errored|Failed) \((.*?)::`)

// event takes a line of PHPUnit's log of events.
func (s *phpunitStream) event(line string) []message {
	if !s.events {
		return nothing()
	}
	if class := s.hook; class != "" {
		s.hook = ""
		return []message{{Type: messageProblem, Scope: class, result: result{Message: strings.TrimSpace(line)}}}
	}
	if m := phpunitTornDown.FindStringSubmatch(line); m != nil {
		s.hook = m[1]
		return nothing()
	}
	test, ok := strings.CutPrefix(line, phpunitPreparing)
	if class, method := phpunitID(test); ok && class == s.suite().class {
		messages := s.settle(teamcityMessage{})
		if s.current == nil { // otherwise a test printed it
			method = phpunitEventMethod.FindString(method)
			messages = append(messages, s.begin(class+"::"+method)...)
		}
		return messages
	}
	return nothing()
}

// phpunitEventMethod is the method of "testA#3)".
var phpunitEventMethod = regexp.MustCompile(`^[\w\x{80}-\x{10ffff}]*`)

// openUnprepared begins a test that did not start, of the suite that is open. settle ends it.
func (s *phpunitStream) openUnprepared(name string) []message {
	s.unprepared = true
	return s.open(s.suite().class, phpunitMethod(name), name)
}

// settle ends a test that did not start, unless m is about it, too: its end is not always told, and tearDown may fail as well.
func (s *phpunitStream) settle(m teamcityMessage) []message {
	if !s.unprepared || m.attributes["name"] == s.current.Name && slices.Contains([]string{"testFailed", "testIgnored", "testFinished"}, m.name) {
		return nothing()
	}
	return s.finishTest(teamcityMessage{})
}

// hooked gives all tests of the class what became of its setUpBeforeClass.
func (s *phpunitStream) hooked(class string, m teamcityMessage) []message {
	c := toldCase{Classname: class, Name: class, result: result{Status: batch.Skipped, Message: m.attributes["message"]}}
	if m.name == "testFailed" {
		c.result = result{}
		c.fail(m, true)
	}
	s.ended = s.count
	messages := nothing()
	for _, id := range slices.Clone(s.left) {
		messages = append(messages, s.begin(id)...)
		s.cases = append(s.cases, c)
		messages = append(messages, s.finish(true)...)
	}
	return messages
}

// phpunitProvider begins what PHPUnit says of a data provider that fails, or gives nothing.
const phpunitProvider = "The data provider specified for "

var phpunitNoData = regexp.MustCompile(`(?m)^` + phpunitProvider + `(\S+)::(\S+) is invalid\n(.*)`)

// failFile adds to the cases of a file what PHPUnit 10 and later only print: their data providers that fail, or whatever else
// a bad exit status stands for.
func (s *phpunitStream) failFile(e exit, printed string) {
	if !phpunitIsFile(s.whole) || e.Code == 0 {
		return
	}
	failed := func(c toldCase) bool { return c.Status == batch.Failed }
	known := slices.ContainsFunc(s.cases, failed)
	for _, m := range phpunitNoData.FindAllStringSubmatch(printed, -1) {
		r := result{Status: batch.Failed, Message: m[0], Details: m[0]}
		s.cases, known = append(s.cases, toldCase{Classname: m[1], Name: m[2], result: r}), true
	}
	if !known && len(s.cases) > 0 {
		r := result{Status: batch.Failed, Message: e.String() + ": " + phpunitComplaint(printed), Details: printed}
		s.cases = append(s.cases, toldCase{Name: s.whole, result: r})
	}
}
