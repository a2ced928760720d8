package runner

import (
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// TestOutcomeText checks what a person reads of a unit: its own text, or those of the cases that failed.
func TestOutcomeText(t *testing.T) {
	failed := func(name, details string) toldCase {
		return toldCase{Name: name, result: result{Status: batch.Failed, Message: "not " + name, Details: details}}
	}
	passed := toldCase{Name: "ok", result: result{Status: batch.Passed, Details: "unsaid"}}
	for _, c := range []struct {
		name          string
		m             message
		message, text string
	}{
		{"its own", message{result: result{Status: batch.Failed, Message: "m", Details: "d", Output: "o"}, Cases: []toldCase{failed("a", "x")}}, "m", "d\n\nOutput:\no"},
		{"of cases", message{result: result{Status: batch.Failed}, Cases: []toldCase{passed, failed("a", "x\n"), failed("b", ""), failed("c", "y")}}, "a: not a", "a\nx\n\nc\ny"},
		{"of cases, and output", message{result: result{Status: batch.Failed, Output: "o"}, Cases: []toldCase{failed("a", "x")}}, "a: not a", "a\nx\n\nOutput:\no"},
		{"of one that passed, but for a case", message{result: result{Status: batch.Passed, Message: "m"}, Cases: []toldCase{passed, failed("a", "x")}}, "a: not a", "a\nx"},
		{"of one that passed", message{result: result{Status: batch.Passed}, Cases: []toldCase{passed}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.m.outcome()
			if o.Message != c.message || o.Output != c.text {
				t.Errorf("got %q and %q, want %q and %q", o.Message, o.Output, c.message, c.text)
			}
			if (o.Status == batch.Failed) != (c.message != "") {
				t.Errorf("status %s", o.Status)
			}
		})
	}
}
