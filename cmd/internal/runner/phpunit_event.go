package runner

import (
	"regexp"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// PHPUnit 11 and later are asked for their log of events (--log-events-text), too, for what TeamCity is not told: when setUp
// begins, that tearDownAfterClass failed, what warnings there are. That of PHPUnit 10 has each assertion with its values, which
// would slow tests down.

const phpunitPreparing = "Test Preparation Started ("

var (
	// phpunitTornDown and phpunitIssue are followed by a line with the reason. PHPUnit 12 and later say Failed of assertions.
	phpunitTornDown = regexp.MustCompile(`^After Last Test Method (?:Errored|Failed) \((.*?)::`)
	phpunitIssue    = regexp.MustCompile(`^Test Triggered ((?:PHP )?(Warning|Notice)) \((.*)\) in .*:\d+$`)
	// phpunitIgnored ends the test's name if the issue does not count.
	phpunitIgnored = regexp.MustCompile(`, (?:suppressed using operator|ignored by baseline|ignored by test)$`)
	// phpunitEventMethod is the method of "testA#3)".
	phpunitEventMethod = regexp.MustCompile(`^[\w\x{80}-\x{10ffff}]*`)
)

// event takes a line of PHPUnit's log of events.
func (s *phpunitStream) event(line string) []message {
	if !s.events {
		return nothing()
	}
	if s.reason != nil {
		return s.because(strings.TrimSpace(line))
	}
	if m := phpunitTornDown.FindStringSubmatch(line); m != nil {
		s.reason = func(text string) []message {
			return []message{{Type: messageProblem, Scope: m[1], result: result{Message: text}}}
		}
		return nothing()
	}
	if m := phpunitIssue.FindStringSubmatch(line); m != nil && s.current != nil && slices.Contains(s.fatal, m[2]) && !phpunitIgnored.MatchString(m[3]) {
		test := s.current
		s.reason = func(text string) []message {
			test.failOn(strings.TrimSpace(m[1]+": "+text)+" (failOn"+m[2]+")", line)
			return nothing()
		}
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

// because takes the reason of what the last line told.
func (s *phpunitStream) because(text string) []message {
	reason := s.reason
	if reason == nil {
		return nothing()
	}
	s.reason = nil
	return reason(text)
}

// failOn fails a test for what PHPUnit calls an issue.
func (c *toldCase) failOn(issue, where string) {
	c.Details += issue + "\n" + where + "\n"
	if c.Status != batch.Failed {
		c.Status, c.Message = batch.Failed, issue
		c.File, c.Line = phpPlace(where)
	}
}

// phpunitFatal are the issues for which a test fails. Where PHPUnit counts only those of some files, its exit status has to tell.
func (t *Tool) phpunitFatal() []string {
	var fatal []string
	for _, issue := range []string{"Warning", "Notice"} {
		option := "fail-on-" + strings.ToLower(issue)
		asked := slices.Contains(t.o.Args, "--"+option) || slices.Contains(t.o.Args, "--fail-on-all-issues") ||
			phpunitConfigured(`failOn`+issue+`="true"`, `failOnAllIssues="true"`)
		if asked && !slices.Contains(t.o.Args, "--do-not-"+option) && !phpunitConfigured(`restrict`+issue+`s="true"`) {
			fatal = append(fatal, issue)
		}
	}
	return fatal
}
