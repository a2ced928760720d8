package runner

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// ctestStream reads what ctest --verbose prints.
//
//	      Start  7: name
//	7: Test command: /bin/sh "-c" "false"
//	7: printed by the test
//	 1/2 Test  #7: name .......***Failed    0.01 sec
//	      Start  8: other
//	Failed test dependencies: name
//	 2/2 Test  #8: other ......***Not Run   0.00 sec
//
// With --repeat, a test starts again right after its result, and the last one counts:
//
//	1/2 Test  #7: name .......***Failed    0.01 sec
//	     Start  7: name
//	     Test  #7: name .......   Passed   0.01 sec
//
// What a test prints has its number before it, so that none can pretend to be ctest. Tests that nobody asked for run too, if
// they set up or clean up what others need.
type ctestStream struct {
	wanted map[string]bool
	// tests are those that run, by number.
	tests map[string]*ctestTest
	// last is the one whose Start came last: ctest says why it does not run.
	last *ctestTest
	// repeats is whether there may be such; held is then the last result, until what follows shows that it is one, and again is the
	// number of its test.
	repeats bool
	held    []message
	again   string
	// strangers are failures of tests that nobody asked for. One that keeps others from running is their failure.
	strangers []message
}

type ctestTest struct {
	name string
	// printed are its lines, the first maxCtestLines and the last.
	printed []string
	// why are the lines of ctest about it.
	why []string
}

const maxCtestLines = 1000

func newCtestStream(ids, args []string) *ctestStream {
	s := &ctestStream{wanted: map[string]bool{}, tests: map[string]*ctestTest{}, repeats: givesOption(args, "--repeat")}
	for _, id := range ids {
		s.wanted[id] = true
	}
	return s
}

var (
	ctestStart   = regexp.MustCompile(`^\s+Start\s+(\d+): (.*)$`)
	ctestResult  = regexp.MustCompile(`^\s*(?:\d+/\d+ )?Test\s+#(\d+): (.*)$`)
	ctestOutput  = regexp.MustCompile(`^(\d+): ?(.*)$`)
	ctestSeconds = regexp.MustCompile(`\s+([\d.]+) sec(?:\*Proc)?\s*$`)
	ctestAbout   = regexp.MustCompile(`^(Test command:|Working Directory:|Test timeout computed to be:)`)
)

// line is a toolProcess.stdout.
func (s *ctestStream) line(line []byte) []message {
	text := strings.TrimSuffix(string(line), "\r")
	if m := ctestStart.FindStringSubmatch(text); m != nil {
		s.last = &ctestTest{name: m[2]}
		s.tests[m[1]] = s.last
		if s.held != nil && s.again == m[1] {
			s.held = nil
			s.strangers = slices.DeleteFunc(s.strangers, func(told message) bool { return told.ID == m[2] })
			return []message{{Type: messageAt, ID: m[2], Case: m[2] + " (again)"}}
		}
		return append(s.settle(), message{Type: messageStart, ID: m[2]})
	}
	if m := ctestResult.FindStringSubmatch(text); m != nil && s.tests[m[1]] != nil {
		test := s.tests[m[1]]
		delete(s.tests, m[1])
		messages := s.settle()
		s.held, s.again = s.result(test, m[2]), m[1]
		if s.repeats {
			return messages
		}
		return append(messages, s.settle()...)
	}
	if m := ctestOutput.FindStringSubmatch(text); m != nil && s.tests[m[1]] != nil {
		if !ctestAbout.MatchString(m[2]) {
			s.tests[m[1]].print(m[2])
		}
		return nil
	}
	if strings.HasPrefix(text, "Total Test time (real) =") {
		return append(slices.Concat(s.settle(), s.strangers), message{Type: messageEnd})
	}
	if s.last != nil && text != "" && len(s.last.why) < 20 {
		s.last.why = append(s.last.why, text)
	}
	return nil
}

// settle returns the result that was held.
func (s *ctestStream) settle() []message {
	held := s.held
	s.held = nil
	return append([]message{}, held...)
}

func (t *ctestTest) print(line string) {
	if len(t.printed) == maxCtestLines {
		t.printed = slices.Delete(t.printed, maxCtestLines/2, maxCtestLines/2+1)
		t.printed[maxCtestLines/2-1] = "[...]"
	}
	t.printed = append(t.printed, line)
}

// result takes what stands behind the number of a test: its name, dots, how it ended, and how long it took.
func (s *ctestStream) result(t *ctestTest, text string) []message {
	how := strings.TrimLeft(strings.TrimPrefix(text, t.name), " .")
	r := result{Status: batch.Failed, Output: strings.Join(append(t.why, t.printed...), "\n")}
	if m := ctestSeconds.FindStringSubmatch(how); m != nil {
		r.Seconds, _ = strconv.ParseFloat(m[1], 64)
		how = how[:len(how)-len(m[0])]
	}
	how = strings.TrimSuffix(strings.TrimSpace(strings.Replace(how, "***", " ", 1)), ":")
	r.Message = how
	switch {
	case how == "Passed":
		r = result{Status: batch.Passed, Seconds: r.Seconds}
	case strings.HasPrefix(how, "Skipped") || strings.HasPrefix(how, "Not Run (Disabled)"):
		r.Status = batch.Skipped
	case strings.HasPrefix(how, "Not Run") && len(t.why) > 0:
		r.Message += ": " + t.why[0]
		if names, ok := strings.CutPrefix(t.why[0], "Failed test dependencies: "); ok {
			s.strangers = slices.DeleteFunc(s.strangers, func(m message) bool { return slices.Contains(strings.Fields(names), m.ID) })
		}
	}
	if r.Status != batch.Passed && len(t.printed) > 0 {
		r.Message += ": " + strings.TrimSpace(t.printed[len(t.printed)-1])
	}
	m := message{Type: messageFinish, ID: t.name, result: r}
	if r.Status == batch.Failed && !s.wanted[t.name] {
		s.strangers = append(s.strangers, m)
		return []message{}
	}
	return []message{m}
}
