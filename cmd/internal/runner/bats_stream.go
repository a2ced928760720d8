package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// batsStream reads what bats says with formatter cat: TAP, and two kinds of lines more.
//
//	1..3
//	suite /folder/a.bats        a file begins
//	begin 1 adds                a test begins; its number counts through all files
//	ok 1 adds in 3ms
//	not ok 2 fails in 4ms
//	# (in test file a.bats, line 5)
//	#   `[ "$x" -eq 4 ]' failed
//	# printed by the test
//	ok 3 later in 2ms # skip not today
//	not ok 4 teardown_file failed
//
// A hook has a result without a begin. A test that is killed has a begin without a result, and bats goes on. The end of a file
// shows only in the next line or the end of the process.
type batsStream struct {
	// files are the units of granularity file by their absolute path; tests are those of granularity test, as bats numbers them.
	files map[string]string
	tests []string
	// left are the units without a finish, in order.
	left []string
	// chooses is whether an option of the user leaves tests out.
	chooses bool

	// planned: it said how many tests there are; none: that there are none, and then it names no file; fewer: that there are not
	// as many as tests, so that its numbers are not theirs.
	planned, none, fewer bool
	// file is the unit of granularity file that runs, cases are what it had.
	file  string
	cases []toldCase
	// number of the test that runs, name as its begin says; 0: none does.
	number int
	name   string
	// last is the last result: lines of text may follow. Its hook is the name of the hook it is of.
	last *toldCase
	hook string
}

func newBatsStream(ids, args []string) (*batsStream, error) {
	s := &batsStream{files: map[string]string{}, left: slices.Clone(ids)}
	s.chooses = slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-f") || strings.HasPrefix(arg, "--filter") })
	for _, id := range ids {
		file, name := batsID(id)
		if name == "" {
			path, err := filepath.Abs(file)
			if err != nil {
				return nil, err
			}
			s.files[path] = id
		}
	}
	if len(s.files) > 0 {
		return s, nil
	}
	file, _ := batsID(ids[0]) // all are of one file, see batsParts
	names, _ := batsNames(file)
	for _, name := range names {
		if id := file + "::" + name; slices.Contains(ids, id) {
			s.tests = append(s.tests, id)
		}
	}
	return s, nil
}

var (
	batsPlan    = regexp.MustCompile(`^1\.\.\d+$`)
	batsNumber  = regexp.MustCompile(`^(begin|ok|not ok) (\d+) (.*)$`)
	batsTrailer = regexp.MustCompile(`^(?: in (\d+)ms)?(?: # (skip|timeout after \d+s) ?(.*))?$`)
	batsHook    = regexp.MustCompile(`^((?:setup|teardown)_(?:file|suite))(?: failed)?$`)
	batsPlace   = regexp.MustCompile(`in test file (.*), line (\d+)\)$`)
)

// line is a toolProcess.stdout.
func (s *batsStream) line(line []byte) []message {
	text := string(line)
	if !s.planned {
		if !batsPlan.MatchString(text) {
			return nil
		}
		s.planned, s.none, s.fewer = true, text == "1..0", text != fmt.Sprintf("1..%d", len(s.tests))
		return []message{}
	}
	if path, ok := strings.CutPrefix(text, "suite "); ok {
		messages := s.closeFile()
		if s.file = s.files[path]; s.file != "" {
			messages = append(messages, message{Type: messageStart, ID: s.file})
		}
		return messages
	}
	if text == "#" || strings.HasPrefix(text, "# ") {
		if s.last == nil || strings.HasPrefix(text, "# bats warning: ") {
			return nil
		}
		s.last.Details += strings.TrimPrefix(text[1:], " ") + "\n"
		return []message{}
	}
	m := batsNumber.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	number, err := strconv.Atoi(m[2])
	if err != nil {
		return nil
	}
	if m[1] == "begin" {
		return s.begin(number, m[3])
	}
	return s.result(number, m[1] == "ok", m[3])
}

func (s *batsStream) begin(number int, name string) []message {
	if number == s.number {
		return []message{} // tried again, see BATS_TEST_RETRIES
	}
	messages := s.settle()
	s.number, s.name = number, name
	if s.file != "" {
		return append(messages, message{Type: messageAt, ID: s.file, Case: name})
	}
	return append(messages, message{Type: messageStart, ID: s.test(number)})
}

// test is the unit of the test that runs, with granularity test.
func (s *batsStream) test(number int) string {
	if s.fewer { // an option of the user leaves some out
		i := slices.IndexFunc(s.tests, func(id string) bool { _, name := batsID(id); return name == s.name })
		if i < 0 {
			return ""
		}
		return s.tests[i]
	}
	if number < 1 || number > len(s.tests) {
		return ""
	}
	return s.tests[number-1]
}

func (s *batsStream) result(number int, ok bool, rest string) []message {
	if trailer, is := strings.CutPrefix(rest, s.name); is && number == s.number && number > 0 {
		m := batsTrailer.FindStringSubmatch(trailer)
		if m == nil {
			return nil
		}
		millis, _ := strconv.Atoi(m[1])
		c := &toldCase{Classname: s.file, Name: s.name, result: result{Status: batch.Passed, Seconds: float64(millis) / 1000}}
		switch {
		case !ok:
			c.Status = batch.Failed
			if m[2] != "" {
				c.Message = m[2]
			}
		case m[2] == "skip":
			c.Status, c.Message = batch.Skipped, m[3]
		}
		s.last = c
		return []message{}
	}
	m := batsHook.FindStringSubmatch(rest)
	if m == nil || ok {
		return nil // a test that writes to descriptor 3
	}
	messages := s.settle()
	s.hook, s.last = m[1], &toldCase{Classname: s.file, Name: m[1], result: result{Status: batch.Failed}}
	return messages
}

// settle tells the last result, now that its text is complete, and that of a test that ended without one.
func (s *batsStream) settle() []message {
	c, hook, number := s.last, s.hook, s.number
	s.last, s.hook, s.number = nil, "", 0
	switch {
	case c != nil:
		c.explain()
	case number > 0:
		c = &toldCase{Classname: s.file, Name: s.name, result: result{Status: batch.Failed,
			Message: "its process ended before the test did: something killed it"}}
	default:
		return []message{}
	}
	switch {
	case hook == "setup_suite" || hook == "setup_file" && s.file == "":
		return s.failAll(hook, c.result)
	case hook == "teardown_suite" || hook == "teardown_file" && s.file == "":
		scope := hook
		if hook == "teardown_file" && len(s.tests) > 0 {
			scope, _ = batsID(s.tests[0])
		}
		c.Message = hook + " failed: " + c.Message
		return []message{{Type: messageProblem, Scope: scope, result: c.result}}
	case s.file != "":
		s.cases = append(s.cases, *c)
		return []message{}
	}
	id := s.test(number)
	file, name := batsID(id)
	c.Classname, c.Name = file, name
	return []message{s.finish(id, c.result, []toldCase{*c})}
}

// explain finds the message and the place in the text of a failure.
func (c *toldCase) explain() {
	if c.Status != batch.Failed {
		c.Details = "" // comments of the test
		return
	}
	first := ""
	for line := range strings.Lines(c.Details) {
		line = strings.TrimSpace(line)
		if m := batsPlace.FindStringSubmatch(line); m != nil {
			c.File = m[1]
			c.Line, _ = strconv.Atoi(m[2])
			continue
		}
		if first == "" && !strings.HasPrefix(line, "(from ") && !strings.HasPrefix(line, "in file ") {
			first = line
		}
	}
	switch {
	case c.Message == "":
		c.Message = first
	case first != "":
		c.Message += ": " + first
	}
}

func (s *batsStream) finish(id string, r result, cases []toldCase) message {
	s.left = slices.DeleteFunc(s.left, func(other string) bool { return other == id })
	return message{Type: messageFinish, ID: id, result: r, Cases: cases}
}

// failAll finishes what a hook keeps from running.
func (s *batsStream) failAll(hook string, r result) []message {
	r.Message = hook + " failed: " + r.Message
	messages := []message{}
	for _, id := range slices.Clone(s.left) {
		messages = append(messages, s.finish(id, r, nil))
	}
	return messages
}

// closeFile tells the result of the file that ran.
func (s *batsStream) closeFile() []message {
	messages := s.settle()
	if s.file == "" {
		return messages
	}
	r := result{Status: batch.Skipped}
	for _, c := range s.cases {
		r.Seconds += c.Seconds
		switch {
		case c.Status == batch.Failed:
			r.Status = batch.Failed
		case c.Status == batch.Passed && r.Status == batch.Skipped:
			r.Status = batch.Passed
		}
	}
	if len(s.cases) == 0 {
		r = s.empty(s.file)
	} else if r.Status == batch.Skipped {
		r.Message = s.cases[0].Message
	}
	messages = append(messages, s.finish(s.file, r, s.cases))
	s.file, s.cases = "", nil
	return messages
}

// empty is the result of a file of which no test began.
func (s *batsStream) empty(file string) result {
	names, _ := batsNames(file)
	switch {
	case len(names) == 0:
		return result{Status: batch.Skipped, Message: "the file has no test"}
	case s.chooses:
		return result{Status: batch.Skipped, Message: "the options choose none of its tests"}
	}
	return result{Status: batch.Failed, Message: fmt.Sprintf("none of its tests (%d) began: something killed the process of the file", len(names))}
}

// end is a toolProcess.ended.
func (s *batsStream) end(e exit, printed string) []message {
	if !s.planned && len(s.left) == 1 && e.Code > 0 {
		// Nothing began: a file that is not there, or that has two tests of one name.
		return []message{s.finish(s.left[0], result{Status: batch.Failed, Message: "bats cannot run it: " + firstLine(printed), Details: printed}, nil)}
	}
	if e.Code != 0 && e.Code != 1 {
		return nil // killed: what runs crashed
	}
	messages := s.closeFile()
	for _, id := range slices.Clone(s.left) {
		switch {
		case s.none && e.Code == 0 && len(s.files) > 0:
			messages = append(messages, s.finish(id, s.empty(id), nil))
		case s.none && e.Code == 0 && len(s.tests) > 0 && s.chooses:
			messages = append(messages, s.finish(id, result{Status: batch.Skipped, Message: "the options do not choose it"}, nil))
		case !s.none && len(s.tests) == 1:
			messages = append(messages, s.finish(id, result{Status: batch.Failed, Message: "it never began: something killed the process of its file"}, nil))
		}
	}
	return append(messages, message{Type: messageEnd})
}

// firstLine is the first line that is not empty.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// The patterns by which bats finds tests (libexec/bats-core/bats-preprocess).
var (
	batsTest         = regexp.MustCompile(`^[ \t]*@test[ \t]+(.*[^ \t])[ \t]+\{(.*)$`)
	batsTestFunction = regexp.MustCompile(`[ \t]*([^ \t()]+)[ \t]*\(?\)?[ \t]+\{[ \t]+#[ \t]*@test[ \t]*$`)
)

// batsNames are the names of a file's tests, as they stand there.
func batsNames(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\r", "")
		m := batsTest.FindStringSubmatch(line)
		if m == nil {
			m = batsTestFunction.FindStringSubmatch(line)
		}
		if m == nil {
			continue
		}
		name := m[1]
		if name != "" && strings.ContainsRune(`'"`, rune(name[0])) {
			name = name[1:]
		}
		if name != "" && strings.ContainsRune(`'"`, rune(name[len(name)-1])) {
			name = name[:len(name)-1]
		}
		names = append(names, name)
	}
	return names, nil
}
