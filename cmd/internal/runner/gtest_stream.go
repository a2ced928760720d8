package runner

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/junit"
)

// gtestStream reads what a googletest binary prints.
//
//	[----------] Global test environment set-up.
//	[----------] 2 tests from Suite
//	[ RUN      ] Suite.Name
//	a_test.cc:17: Failure
//	Value of: false
//	[  FAILED  ] Suite.Name (0 ms)
//	[----------] 2 tests from Suite (0 ms total)
//	[==========] 2 tests from 1 test suite ran. (0 ms total)
//
// A result may stand behind text without a line end, and counts only if it is that of the test that runs. A failure between
// the tests is one of SetUpTestSuite, TearDownTestSuite or an Environment.
//
// The tests print on the same output, and so do binaries that they start: a test that runs itself again in a process of its own
// shows two results. So what was printed is held against the report that the binary writes at its end, see contradictions.
type gtestStream struct {
	binary string
	// names are the units, by the test's name; left are those without a finish. whole: the one unit is the binary.
	names map[string]string
	left  []string
	whole bool
	// disabled says that tests that are disabled run, too.
	disabled bool
	// report is the file for the binary's own report; empty: there is none.
	report string
	// good are the tests that were told as passed or skipped, last is the one that ended last.
	good map[string]bool
	last string

	// running is the test's name, suite what is around it; empty: none. over: the binary said that it ran all.
	running, suite string
	over           bool
	// text are the lines since the last mark, the first maxLines of them.
	text []string
	// hook is why the tests of the suite, or all, do not run.
	hook *result
	// cases of the whole binary.
	cases []toldCase
}

func newGtestStream(ids []string, disabled bool) *gtestStream {
	s := &gtestStream{names: map[string]string{}, good: map[string]bool{}, left: slices.Clone(ids), disabled: disabled}
	for _, id := range ids {
		binary, name := gtestID(id)
		s.binary, s.names[name] = binary, id
	}
	s.whole = s.names[""] != ""
	return s
}

var (
	gtestRun     = regexp.MustCompile(`\[ RUN      \] ([\w/]+\.[\w/]+)$`)
	gtestResult  = regexp.MustCompile(`\[(       OK |  FAILED  |  SKIPPED )\] ([\w/]+\.[\w/]+)(?:, where (?:TypeParam|GetParam\(\)) = .*?)?(?: \((\d+) ms\))?$`)
	gtestSuite   = regexp.MustCompile(`^\[----------\] \d+ tests? from ([\w/]+)(, where .*)?$`)
	gtestSuites  = regexp.MustCompile(`^\[----------\] \d+ tests? from ([\w/]+) \(\d+ ms total\)$`)
	gtestMark    = regexp.MustCompile(`^\[(?:----------|==========)\] `)
	gtestOver    = regexp.MustCompile(`^\[==========\] \d+ tests? from \d+ test (?:suites?|cases?) ran\.`)
	gtestFailure = regexp.MustCompile(`(?:([^\s:]+):(\d+)|unknown file): (Failure|error: .*|Skipped)$`)
)

// maxGtestLines is how much of a test's text is looked at for its failures.
const maxGtestLines = 2000

// line is a toolProcess.stdout.
func (s *gtestStream) line(line []byte) []message {
	text := strings.TrimSuffix(string(line), "\r")
	if m := gtestRun.FindStringSubmatch(text); m != nil && s.running == "" {
		return s.start(m[1])
	}
	if m := gtestResult.FindStringSubmatch(text); m != nil && m[2] == s.running && s.running != "" {
		return s.result(m[1], m[3])
	}
	if strings.Contains(text, "[  FAILED  ] "+s.running+", where ") && s.running != "" {
		return s.result("  FAILED  ", "") // what its parameter is goes on for several lines
	}
	if s.running == "" && gtestMark.MatchString(text) {
		return s.mark(text)
	}
	if len(s.text) < maxGtestLines {
		s.text = append(s.text, text)
	}
	return nil
}

func (s *gtestStream) start(name string) []message {
	if failures := gtestFailures(s.text); len(failures) > 0 && s.hook == nil {
		s.hook = &failures[0]
		s.hook.Message = "SetUpTestSuite failed: " + s.hook.Message
	}
	s.running, s.text = name, nil
	if s.whole {
		return []message{{Type: messageStart, ID: s.binary}, {Type: messageAt, ID: s.binary, Case: name}}
	}
	return []message{{Type: messageStart, ID: s.id(name)}}
}

func (s *gtestStream) id(name string) string {
	if id := s.names[name]; id != "" {
		return id
	}
	return s.binary + "::" + name
}

func (s *gtestStream) result(mark, millis string) []message {
	name := s.running
	suite, short, _ := strings.Cut(name, ".")
	r := result{Status: batch.Passed}
	ms, _ := strconv.Atoi(millis)
	r.Seconds = float64(ms) / 1000
	failures := gtestFailures(s.text)
	switch mark {
	case "  FAILED  ":
		r.Status = batch.Failed
		if len(failures) > 0 {
			r.Message, r.File, r.Line = failures[0].Message, failures[0].File, failures[0].Line
		}
	case "  SKIPPED ":
		r.Status = batch.Skipped
		if s.hook != nil {
			r.Status, r.Message, r.File, r.Line, r.Details = batch.Failed, s.hook.Message, s.hook.File, s.hook.Line, s.hook.Details
		} else if skips := gtestSkips(s.text); len(skips) > 0 {
			r.Message = skips[0].Message
		}
	}
	s.last, s.good[name] = name, r.Status != batch.Failed
	c := toldCase{Classname: suite, Name: short, result: r}
	c.Details = "" // the text of the unit is its own
	text := s.text
	s.running, s.text = "", nil
	if s.whole {
		c.Details = strings.Join(text, "\n")
		s.cases = append(s.cases, c)
		return []message{}
	}
	return []message{s.finish(s.id(name), r, []toldCase{c})}
}

func (s *gtestStream) finish(id string, r result, cases []toldCase) message {
	s.left = slices.DeleteFunc(s.left, func(other string) bool { return other == id })
	return message{Type: messageFinish, ID: id, result: r, Cases: cases}
}

// mark takes a line that says where the binary is. Failures before it are a hook's.
func (s *gtestStream) mark(text string) []message {
	messages := []message{}
	failures := gtestFailures(s.text)
	s.text = nil
	if len(failures) > 0 {
		scope, what := s.binary, "outside of tests: "
		if s.suite != "" {
			scope, what = s.binary+"::"+s.suite, "TearDownTestSuite failed: "
		} else if s.hook == nil {
			s.hook = &failures[0]
			s.hook.Message = "the global set-up failed: " + s.hook.Message
		}
		problem := failures[0]
		problem.Message = what + strings.TrimPrefix(problem.Message, "the global set-up failed: ")
		messages = append(messages, message{Type: messageProblem, Scope: scope, result: problem})
	}
	if gtestSuites.MatchString(text) {
		s.suite, s.hook = "", nil
	} else if m := gtestSuite.FindStringSubmatch(text); m != nil {
		s.suite = m[1]
	}
	if gtestOver.MatchString(text) && !s.over {
		s.over = true
		messages = append(messages, s.rest()...)
		messages = append(messages, message{Type: messageEnd})
	}
	return messages
}

// rest are the units that did not run although all is over: those that are disabled, or that a failed set-up kept from it.
func (s *gtestStream) rest() []message {
	var messages []message
	for _, id := range slices.Clone(s.left) {
		_, name := gtestID(id)
		switch {
		case s.whole:
		case s.hook != nil:
			messages = append(messages, s.finish(id, *s.hook, nil))
		case !s.disabled && (strings.HasPrefix(name, "DISABLED_") || strings.Contains(name, ".DISABLED_") || strings.Contains(name, "/DISABLED_")):
			messages = append(messages, s.finish(id, result{Status: batch.Skipped, Message: "disabled"}, nil))
		}
	}
	return messages
}

// end is a toolProcess.ended.
func (s *gtestStream) end(e exit, printed string) []message {
	if !s.whole {
		return s.contradictions(e)
	}
	if s.running != "" {
		return nil
	}
	r := result{Status: batch.Passed}
	switch {
	case e.Code != 0:
		r = result{Status: batch.Failed, Details: printed, Message: "it cannot tell its tests: " + e.String() + ": " + firstLine(printed)}
	case !s.over || len(s.cases) == 0:
		r = result{Status: batch.Failed, Details: printed, Message: "it cannot tell its tests, and ran none: " + firstLine(printed)}
	}
	return []message{s.finish(s.binary, r, s.cases)}
}

// contradictions are where the binary's own report, which no test writes, or its end, belies what was printed.
func (s *gtestStream) contradictions(e exit) []message {
	var messages []message
	report, err := junit.ReadFile(s.report)
	if err != nil { // it died before it wrote one, or cannot
		if s.report != "" && s.running == "" && s.last != "" && (!s.over || e.killedBy() != 0) {
			message := fmt.Sprintf("its process ended outside of tests, after it had said that %s was over: %s", s.last, e)
			messages = append(messages, problemOf(s.id(s.last), message))
		}
		return messages
	}
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			if name := c.Classname + "." + c.Name; statusOf(c) == batch.Failed && s.good[name] {
				message := "it failed by the report of its binary, although a line of the output says that it passed or was skipped: " + caseMessage(c)
				messages = append(messages, problemOf(s.id(name), message))
			}
		}
	}
	return messages
}

// gtestFailures are the failures in the lines that a test printed.
func gtestFailures(lines []string) []result { return gtestFindings(lines, false) }

// gtestSkips are the reasons for a skip.
func gtestSkips(lines []string) []result { return gtestFindings(lines, true) }

func gtestFindings(lines []string, skips bool) []result {
	var found []result
	for i, line := range lines {
		m := gtestFailure.FindStringSubmatch(line)
		if m == nil || skips != (m[3] == "Skipped") {
			continue
		}
		end := i + 1
		for end < len(lines) && !gtestFailure.MatchString(lines[end]) {
			end++
		}
		r := result{Status: batch.Failed, Details: strings.Join(lines[i:end], "\n"), Message: oneLine(strings.Join(lines[i+1:end], " "))}
		if why, ok := strings.CutPrefix(r.Message, "Failed "); ok { // FAIL() << why
			r.Message = why
		}
		if m[2] != "" {
			r.File = relative(m[1])
			r.Line, _ = strconv.Atoi(m[2])
		}
		if r.Message == "" {
			r.Message = strings.ToLower(m[3])
		}
		found = append(found, r)
	}
	return found
}
