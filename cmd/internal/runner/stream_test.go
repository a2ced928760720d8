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
