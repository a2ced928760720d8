package runner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stream is what a preset makes of the output of a runner.
type stream interface {
	line([]byte) []message
}

// heard feeds text to a stream, and says what it makes of it: a line for each message, with those of its cases that did not pass.
func heard(s stream, text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, sayMessages(s.line([]byte(strings.TrimSuffix(line, "\n"))))...)
	}
	return all
}

func sayMessages(messages []message) []string {
	var all []string
	for _, m := range messages {
		line := m.Type
		switch m.Type {
		case messageAt:
			line += fmt.Sprintf(" %s: %s", m.ID, m.Case)
		case messageProblem:
			line += fmt.Sprintf(" %s: %s", m.Scope, m.Message)
		case messageFinish:
			line += fmt.Sprintf(" %s %s", m.ID, sayResult(m.result))
			for _, c := range m.Cases {
				line += fmt.Sprintf(" | %s %s", c.Name, sayResult(c.result))
			}
		case messageStart:
			line += " " + m.ID
		}
		all = append(all, line)
	}
	return all
}

func sayResult(r result) string {
	text := string(r.Status)
	if r.Message != "" {
		text += fmt.Sprintf(" %q", r.Message)
	}
	if r.File != "" {
		text += fmt.Sprintf(" %s:%d", r.File, r.Line)
	}
	return text
}

func checkTold(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// FuzzStreams feeds all streams what no runner would say: they must not panic, and tell nothing but messages that are valid.
func FuzzStreams(f *testing.F) {
	for _, seed := range []string{
		"1..2\nsuite /x/a.bats\nbegin 1 a\nnot ok 1 a in 3ms\n# (in test file a, line 3)\nnot ok 2 teardown_file failed\n",
		"##teamcity[testCount count='1']\n##teamcity[testSuiteStarted name='a' locationHint='php_qn://x::\\A::a']\n##teamcity[testStarted name='a' locationHint='x::\\A::a']\n##teamcity[testFailed name='a' message='x']\n##teamcity[testFinished name='a']\n##teamcity[testSuiteFinished name='a']\n",
		"##teamcity[testSuiteStarted name='A' locationHint='x::\\A']\nTest Preparation Started (A::a#0)\n##teamcity[testStarted name='a' locationHint='x::\\A::a']\nTest Triggered Warning (A::a) in /x/a.php:3\nx\n##teamcity[testIgnored name='b' message='x']\n##teamcity[testFailed name='A' message='x']\nAfter Last Test Method Errored (A::x)\nno\n",
		"[----------] 1 test from A\n[ RUN      ] A.a\nx.cc:3: Failure\n[  FAILED  ] A.a (3 ms)\n[==========] 1 test from 1 test suite ran. (0 ms total)\n",
		"    Start 1: a\n1: x\n1/1 Test #1: a ....***Not Run   0.00 sec\nTotal Test time (real) =\n",
		"running 1 test\nthread 'a' panicked at a.rs:1:2:\nboom\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0\n",
	} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, text string, code int) {
		later := newPhpunitStream([]string{"A::a", "A::b"}, false, false)
		later.events, later.fatal = true, []string{"Warning"}
		files, err := newBatsStream([]string{"a.bats", "b.bats"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tests, err := newBatsStream([]string{"a.bats::a"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []interface {
			stream
			end(exit, string) []message
		}{
			files, tests, later, newPhpunitStream([]string{"A::a", "A::b"}, false, false), newPhpunitStream([]string{"A"}, true, true),
			newGtestStream([]string{"b::A.a"}, false), newGtestStream([]string{"b"}, false), &cargoStream{id: "p::a", target: "p", name: "a"}, &cargoStream{id: "p", target: "p"},
			ctestEnd{newCtestStream([]string{"a"}, nil)},
		} {
			var all []message
			for line := range strings.Lines(text) {
				all = append(all, s.line([]byte(strings.TrimSuffix(line, "\n")))...)
			}
			for _, m := range append(all, s.end(exit{Code: code}, text)...) {
				if m.Type == messageFinish && !m.valid() {
					t.Errorf("%T: %+v", s, m)
				}
			}
		}
	})
}

// ctestEnd gives a ctestStream the method that it does not need.
type ctestEnd struct{ *ctestStream }

func (ctestEnd) end(exit, string) []message { return nil }
