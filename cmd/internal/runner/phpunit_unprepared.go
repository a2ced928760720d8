package runner

import (
	"regexp"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// PHPUnit 10 and later tell TeamCity that a test started when its setUp is over. Of one that fails or is skipped before, they
// tell only that, and of a class whose setUpBeforeClass is, only by its name.

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
