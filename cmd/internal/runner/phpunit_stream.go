package runner

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// phpunitStream reads what PHPUnit writes with --log-teamcity, for a process that runs units of one class. Suites are nested:
// the class, and in it the methods that have data providers.
type phpunitStream struct {
	// whole is the unit if it is not a method but all there is. left are the units without a finish, pulled the methods that
	// run only as others depend on them.
	whole  string
	left   []string
	pulled []string
	// alone is whether there is one unit.
	alone bool
	// strict is whether risky tests fail, stops whether PHPUnit may stop before it has run all.
	strict, stops bool
	// events is whether PHPUnit writes its log of events into the same pipe, see event. reason takes the line after one that
	// told of something; nil: the last did not. fatal are the issues for which a test fails.
	events bool
	reason func(string) []message
	fatal  []string

	// counted: it said how many tests there are; ended counts those that ended.
	counted      bool
	count, ended int
	suites       []phpunitSuite // that are open
	// unit that runs, and its cases so far.
	unit  string
	cases []toldCase
	// current is the test that runs; nil: none. unprepared: it was told without its start, and perhaps without its end.
	// failure is the last that there was.
	current    *toldCase
	unprepared bool
	failure    result
	// strangers are failures of tests that nobody asked for: a failing setUpBeforeClass fails all tests of the class. Those who
	// were asked for tell of it, if there is one.
	strangers []message
	failed    bool
}

// phpunitSuite is a class, or a method with a data provider: only then it has a unit.
type phpunitSuite struct{ class, unit string }

func newPhpunitStream(ids []string, strict, stops bool) *phpunitStream {
	s := &phpunitStream{left: slices.Clone(ids), alone: len(ids) == 1, strict: strict, stops: stops}
	if _, method := phpunitID(ids[0]); method == "" {
		s.whole = ids[0]
	}
	return s
}

// pull returns the units and the methods that they depend on.
func (s *phpunitStream) pull(depends map[string][]string) []string {
	all := slices.Clone(s.left)
	for i := 0; i < len(all); i++ {
		class, method := phpunitID(all[i])
		for _, other := range depends[method] {
			if id := class + "::" + other; method != "" && !slices.Contains(all, id) {
				all = append(all, id)
				s.pulled = append(s.pulled, id)
			}
		}
	}
	return all
}

const phpunitTearDown = "tearDownAfterClass"

// phpunitHooked is what PHPUnit says of the tests that a failing setUpBeforeClass keeps from running.
const phpunitHooked = "Test skipped because of an error in hook method"

// phpunitRisky is what PHPUnit says of tests that it calls risky. They do not fail, although they are told as if they did.
var phpunitRisky = regexp.MustCompile(`^(?:This test did not perform any assertions|This test is (?:annotated with "@doesNotPerformAssertions"|not expected to perform assertions)|This test printed output|This test modified global state|This test depends on a test that is larger|This test was aborted after|This test executed code that is not listed|This test does not (?:have a @covers|define a code coverage target)|Test code or tested code (?:did not|removed|closed|printed)|Trying to @cover|Execution aborted after|--- Global Variables|--- Static Attributes)`)

// line is a toolProcess.side. PHPUnit 9 writes there what tests print, too, which is on stdout anyway.
func (s *phpunitStream) line(line []byte) []message {
	m, ok := parseTeamcity(string(line))
	if !ok {
		return s.event(string(line))
	}
	return slices.Concat(s.because(""), s.settle(m), s.take(m))
}

func (s *phpunitStream) take(m teamcityMessage) []message {
	name, message := m.attributes["name"], m.attributes["message"]
	if (m.name == "testFailed" || m.name == "testIgnored") && s.current == nil && len(s.suites) > 0 {
		if class := s.suite().class; name == class {
			return s.hooked(class, m)
		}
		return append(s.openUnprepared(name), s.take(m)...)
	}
	switch m.name {
	case "testCount":
		s.counted = true
		s.count, _ = strconv.Atoi(m.attributes["count"])
	case "testSuiteStarted":
		class, method := phpunitHint(m)
		id := ""
		if method != "" {
			id = class + "::" + method
		}
		s.suites = append(s.suites, phpunitSuite{class, id})
		if id != "" {
			return s.begin(id)
		}
	case "testSuiteFinished":
		if len(s.suites) == 0 {
			break
		}
		id := s.suite().unit
		s.suites = s.suites[:len(s.suites)-1]
		if id != "" || len(s.suites) == 0 && !phpunitIsFile(s.whole) { // of a file, the end tells whether there was more
			return s.finish(id != "")
		}
	case "testStarted":
		class, method := phpunitHint(m)
		return s.open(class, method, name)
	case "testFailed":
		if s.current == nil {
			return s.wrong(name, m)
		}
		s.current.fail(m, s.strict)
		s.failure = s.current.result
	case "testIgnored":
		if c := s.current; c != nil && c.Status == batch.Passed {
			c.Status, c.Message = batch.Skipped, message
			if message == phpunitHooked { // of which the test before it tells
				c.result = s.failure
				c.Status, c.Message = batch.Failed, strings.TrimSuffix(message+": "+s.failure.Message, ": ")
			}
		}
	case "testFinished":
		return s.finishTest(m)
	}
	return nothing()
}

// nothing is no message, for a line that is no text either.
func nothing() []message { return []message{} }

// open begins a test; name is the method's, with its data set.
func (s *phpunitStream) open(class, method, name string) []message {
	s.current = &toldCase{Classname: class, Name: name, result: result{Status: batch.Passed}}
	if method == "" { // a .phpt file
		s.current.Classname = ""
	}
	if method == phpunitTearDown && s.whole == "" {
		return nothing() // told as a test, if it fails
	}
	if provided := s.suite().unit; provided != "" {
		class, s.current.Name = phpunitID(provided)
		s.current.Classname = class
		if strings.HasPrefix(name, s.current.Name) {
			s.current.Name = name
		}
		return s.at()
	}
	return append(s.begin(class+"::"+method), s.at()...)
}

// suite is the innermost that is open.
func (s *phpunitStream) suite() phpunitSuite {
	if len(s.suites) == 0 {
		return phpunitSuite{}
	}
	return s.suites[len(s.suites)-1]
}

func (s *phpunitStream) begin(id string) []message {
	if s.whole != "" {
		id = s.whole
	}
	if s.unit == id {
		return nothing()
	}
	s.unit, s.cases = id, nil
	return []message{{Type: messageStart, ID: id}}
}

func (s *phpunitStream) at() []message {
	return []message{{Type: messageAt, ID: s.unit, Case: s.current.Name}}
}

// fail takes a testFailed.
func (c *toldCase) fail(m teamcityMessage, strict bool) {
	text := m.attributes["message"]
	details := strings.TrimRight(m.attributes["details"], " \n")
	if phpunitRisky.MatchString(text) && !strict {
		if c.Status == batch.Passed {
			c.Message = "risky: " + firstLine(text)
		}
		return
	}
	if c.Status != batch.Failed {
		c.Status, c.Message = batch.Failed, strings.TrimSpace(text)
	}
	if expected, ok := m.attributes["expected"]; ok {
		details = "Expected: " + expected + "\nActual:   " + m.attributes["actual"] + "\n" + details
	}
	c.Details += text + "\n" + details + "\n"
	if c.File == "" {
		c.File, c.Line = phpPlace(details)
	}
	if c.File == "" {
		c.File, c.Line = phpPlace(text)
	}
	if c.File != "" { // some messages end with the place
		c.Message = strings.TrimSpace(phpPlaceLine.ReplaceAllString(c.Message, ""))
	}
}

var (
	// phpPlaceLine is a line of a PHP stack as PHPUnit prints it.
	phpPlaceLine = regexp.MustCompile(`(?m)^\s*(/.*\.phpt?):(\d+)\s*$`)
	// phpFatalPlace is where PHP says that it failed, or where PHPUnit 10 and later say that PHP did.
	phpFatalPlace = regexp.MustCompile(`(?m)(?: in |^Location: )(\S.*?\.php)(?::| on line )(\d+)`)
)

// phpPlace is the first place of text that is the project's.
func phpPlace(text string) (file string, line int) {
	for _, pattern := range []*regexp.Regexp{phpPlaceLine, phpFatalPlace} {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			if path := relative(m[1]); !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "vendor/") {
				line, _ := strconv.Atoi(m[2])
				return path, line
			}
		}
	}
	return "", 0
}

func (s *phpunitStream) finishTest(m teamcityMessage) []message {
	c := s.current
	s.current, s.unprepared = nil, false
	if c == nil {
		return nothing()
	}
	s.ended++
	millis, _ := strconv.ParseFloat(m.attributes["duration"], 64)
	c.Seconds = millis / 1000
	if c.Name == phpunitTearDown && s.whole == "" {
		return []message{{Type: messageProblem, Scope: c.Classname, result: c.result}}
	}
	s.cases = append(s.cases, *c)
	if s.whole == "" && s.suite().unit == "" {
		return s.finish(true)
	}
	return nothing()
}

// finish ends the unit. own says that it is a method: a whole unit goes on.
func (s *phpunitStream) finish(own bool) []message {
	if s.whole != "" && own || s.unit == "" {
		return nothing()
	}
	m := message{Type: messageFinish, ID: s.unit, Cases: s.cases, result: result{Status: batch.Skipped}}
	for i, c := range s.cases {
		m.Seconds += c.Seconds
		switch {
		case c.Status == batch.Failed:
			m.Status = batch.Failed
		case c.Status == batch.Passed && m.Status != batch.Failed:
			m.Status = batch.Passed
		}
		if i == 0 && len(s.cases) == 1 {
			m.result = c.result
		}
	}
	if m.Status == batch.Skipped && len(s.cases) > 0 {
		m.Message = s.cases[0].Message
	}
	wanted := slices.Contains(s.left, m.ID)
	if wanted && s.stops && s.alone && s.ended < s.count && m.Status != batch.Failed {
		m.Status = batch.Failed
		m.Message = fmt.Sprintf("PHPUnit stopped after %d of its %d tests, as an option says (stopOnSkipped, --stop-on-skipped or the like)", s.ended, s.count)
	}
	s.left = slices.DeleteFunc(s.left, func(id string) bool { return id == s.unit })
	s.unit, s.cases = "", nil
	switch {
	case wanted:
		s.failed = s.failed || m.Status == batch.Failed
		return []message{m}
	case m.Status == batch.Failed && !slices.Contains(s.pulled, m.ID): // what others depend on is a unit somewhere else
		s.strangers = append(s.strangers, m)
	}
	return nothing()
}

// wrong tells a failure outside of tests: a hook of the class.
func (s *phpunitStream) wrong(name string, m teamcityMessage) []message {
	c := toldCase{Name: name, result: result{Status: batch.Passed}}
	c.fail(m, true)
	return []message{{Type: messageProblem, Scope: name, result: c.result}}
}

// phpunitHint reads class and method of "php_qn:///folder/ATest.php::\App\ATest::testA with data set #1".
func phpunitHint(m teamcityMessage) (class, method string) {
	_, name, ok := strings.Cut(m.attributes["locationHint"], `::\`)
	if !ok {
		return "", ""
	}
	class, method, _ = strings.Cut(name, "::")
	return class, phpunitMethod(method)
}

// phpunitMethod is the method of a test's name.
func phpunitMethod(name string) string {
	method, _, _ := strings.Cut(name, " with data set ")
	return method
}

// end is a toolProcess.ended.
func (s *phpunitStream) end(e exit, printed string) []message {
	messages := s.settle(teamcityMessage{})
	if s.whole != "" && len(s.suites) == 0 && s.current == nil && e.Code >= 0 && e.Code < 128 {
		s.failFile(e, printed)
		messages = append(messages, s.finish(false)...)
	}
	if s.unit == "" && s.alone && len(s.left) == 1 && e.Code > 0 {
		// Nothing told of it: a file that does not load, or an option that PHPUnit does not know.
		about := printed
		if i := strings.Index(printed, phpunitProvider+s.left[0]+" is invalid"); i >= 0 { // it may not be the first
			about = printed[i:]
		}
		r := result{Status: batch.Failed, Message: "PHPUnit cannot run it: " + phpunitComplaint(about), Details: printed}
		r.File, r.Line = phpPlace(about)
		messages = append(messages, message{Type: messageFinish, ID: s.left[0], result: r})
	}
	if !s.failed {
		messages = append(messages, s.strangers...)
	}
	if s.counted && len(s.suites) == 0 && s.current == nil {
		messages = append(messages, message{Type: messageEnd})
	}
	return messages
}

// phpunitComplaint is the line that says what is wrong.
func phpunitComplaint(printed string) string {
	first := ""
	for line := range strings.Lines(printed) {
		line = strings.TrimSpace(line)
		message, inside := strings.CutPrefix(line, "Message: ")
		switch {
		case inside: // "An error occurred inside PHPUnit", the line before, says nothing
			return strings.TrimSpace(message)
		case line == "" || strings.HasPrefix(line, "PHPUnit ") && strings.Contains(line, " by Sebastian Bergmann"):
		case strings.HasPrefix(line, phpunitProvider) || strings.Contains(line, "error: ") || strings.Contains(line, "Error"):
			return strings.TrimPrefix(line, "PHP ")
		case first == "":
			first = line
		}
	}
	return first
}
