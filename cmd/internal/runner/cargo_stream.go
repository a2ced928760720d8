package runner

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// cargoStream reads what a test binary prints for one test, which prints on the same output. Only the last line that looks
// like a result counts, when the process has ended, and if its exit status says the same.
type cargoStream struct {
	id, target, name string
	// missing says that there is no such target.
	missing string
	began   bool
	// counts are those of the last result: passed, failed, ignored.
	counts []string
	// ignored is the reason.
	ignored string
	// failure is what is known of it; panicked: the next line is its message.
	failure  result
	panicked bool
}

var (
	cargoResult  = regexp.MustCompile(`test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; .*$`)
	cargoIgnored = regexp.MustCompile(` \.\.\. ignored(?:, (.*))?$`)
	cargoPanic   = regexp.MustCompile(`thread '.*' (?:\(\d+\) )?panicked at (.*):(\d+):\d+:$`)
	// cargoOldPanic is what Rust wrote before 1.73.
	cargoOldPanic = regexp.MustCompile(`thread '.*' panicked at '(.*)', (.*):(\d+):\d+$`)
	cargoNote     = regexp.MustCompile(`^(?:test .* \.\.\. )?(?:note: (test did not panic as expected)(?: at (.*):(\d+):\d+)?|(Error: .*))$`)
)

// line is a toolProcess.stdout.
func (s *cargoStream) line(line []byte) []message {
	text := strings.TrimSuffix(string(line), "\r")
	if !s.began {
		s.began = s.name == "" || text == "running 1 test"
		if s.began {
			return []message{{Type: messageStart, ID: s.id}}
		}
		return nil
	}
	if s.panicked {
		s.panicked, s.failure.Message = false, text
	}
	if m := cargoResult.FindStringSubmatch(text); m != nil {
		s.counts = m[1:]
	}
	if m := cargoIgnored.FindStringSubmatch(text); m != nil {
		s.ignored = m[1]
	}
	if s.failure.Message != "" {
		return nil // the first is the reason
	}
	if m := cargoPanic.FindStringSubmatch(text); m != nil {
		s.panicked = true
		s.place(m[1], m[2])
	} else if m := cargoOldPanic.FindStringSubmatch(text); m != nil {
		s.failure.Message = m[1]
		s.place(m[2], m[3])
	} else if m := cargoNote.FindStringSubmatch(text); m != nil {
		s.failure.Message = m[1] + m[4]
		s.place(m[2], m[3])
	}
	return nil
}

func (s *cargoStream) place(file, line string) {
	s.failure.File = relative(file)
	s.failure.Line, _ = strconv.Atoi(line)
}

// end is a toolProcess.ended.
func (s *cargoStream) end(e exit, printed string) []message {
	r := s.failure
	switch {
	case s.missing != "":
		r = result{Status: batch.Failed, Message: s.missing}
	case s.name == "" && e.Code >= 0:
		// A harness of its own: cargo, too, goes by the exit status.
		r.Status = batch.Passed
		if e.Code != 0 {
			r.Status = batch.Failed
			if r.Message == "" {
				r.Message = fmt.Sprintf("%s: %s", e, firstLine(lastLines(printed)))
			}
		}
	case !s.began || s.counts == nil:
		return s.over(e)
	case e.Code == 0 && s.counts[0] == "1" && s.counts[1] == "0":
		r = result{Status: batch.Passed}
	case e.Code == 0 && s.counts[2] == "1" && s.counts[1] == "0":
		r = result{Status: batch.Skipped, Message: s.ignored}
		if r.Message == "" {
			r.Message = "ignored"
		}
	case e.Code == 101 && s.counts[1] == "1":
		r.Status = batch.Failed
	default:
		return nil // what it printed and how it ended differ: it crashed
	}
	module, name := s.target, s.name
	if i := strings.LastIndex(s.name, "::"); i >= 0 {
		module, name = s.target+"::"+s.name[:i], s.name[i+2:]
	}
	if name == "" {
		name = s.target
	}
	var messages []message
	if !s.began {
		messages = append(messages, message{Type: messageStart, ID: s.id})
	}
	return append(messages, message{Type: messageFinish, ID: s.id, result: r, Cases: []toldCase{{Classname: module, Name: name, result: r}}},
		message{Type: messageEnd})
}

// over says that a process that ran no test came to its end.
func (s *cargoStream) over(e exit) []message {
	if !s.began && e.Code == 0 {
		return []message{{Type: messageEnd}}
	}
	return nil
}
