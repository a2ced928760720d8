package runner

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// message is a line of the protocol between a Tool and the plugin in its test runner; docs/runner-protocol.md defines it.
// Which fields are set depends on Type.
type message struct {
	Type string `json:"type"`
	// ID of a test (messageTest), or of the unit that starts, is at a case, or finishes.
	ID string `json:"id,omitempty"`
	// Case is the full name of the case that the unit begins (messageAt).
	Case string `json:"case,omitempty"`
	result
	// Cases of a finished unit, empty if it is its only case.
	Cases []toldCase `json:"cases,omitempty"`
	// Scope of a problem: what it is about.
	Scope string `json:"scope,omitempty"`
	// IDs and Batch of messageBatch: the units to run, and the number of the batch for SHARD_BATCH_ID.
	IDs   []string `json:"ids,omitempty"`
	Batch string   `json:"batch,omitempty"`

	// ofEnd: it is what the end of the process means, see toolProcess.ended.
	ofEnd bool
}

// result is how a unit or a case ended.
type result struct {
	// Status is passed, failed or skipped.
	Status  batch.Status `json:"status,omitempty"`
	Seconds float64      `json:"seconds,omitempty"`
	// Message is one line, Details the runner's own text (a traceback, a diff), Output what was printed meanwhile.
	Message string `json:"message,omitempty"`
	Details string `json:"details,omitempty"`
	Output  string `json:"output,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

type toldCase struct {
	Classname string `json:"classname,omitempty"`
	Name      string `json:"name"`
	result
}

// The types of messages. From the plugin:
const (
	messageTest    = "test"    // there is this unit (when asked for a list)
	messageStart   = "start"   // the unit begins
	messageAt      = "at"      // the unit that runs begins this case
	messageFinish  = "finish"  // the unit ended
	messageProblem = "problem" // something is wrong outside of the units
	messageWant    = "want"    // what next? (persistent mode)
	messageEnd     = "end"     // the runner comes to its end by itself
)

// To the plugin, in answer to a want:
const (
	messageBatch = "batch" // run these units
	messageStop  = "stop"  // clean up and end
)

// maxMessage is the longest line. Plugins cut texts long before.
const maxMessage = 32 << 20

// parseMessage reads a line. Members that it does not know are those of a later version and do no harm.
func parseMessage(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("%.200q is not a message: %w", line, err)
	}
	return m, m.check()
}

func (m message) check() error {
	switch m.Type {
	case messageTest, messageStart, messageAt, messageFinish:
		if m.ID == "" {
			return fmt.Errorf("a %q message without an id", m.Type)
		}
	case messageProblem:
		if m.Message == "" {
			return fmt.Errorf("a %q message without a message", m.Type)
		}
	}
	if m.Type != messageFinish {
		return nil
	}
	if !m.valid() {
		return fmt.Errorf("the finish of %q has the status %q; it must be passed, failed or skipped", m.ID, m.Status)
	}
	for _, c := range m.Cases {
		if !c.valid() {
			return fmt.Errorf("the finish of %q has a case %q with the status %q; it must be passed, failed or skipped", m.ID, c.Name, c.Status)
		}
	}
	return nil
}

func (r result) valid() bool {
	return r.Status == batch.Passed || r.Status == batch.Failed || r.Status == batch.Skipped
}

// text is what a person reads of a result that did not pass.
func (r result) text() string {
	switch {
	case r.Output == "":
		return r.Details
	case r.Details == "":
		return r.Output
	}
	return strings.TrimRight(r.Details, "\n") + "\n\nOutput:\n" + r.Output
}

// outcome is what a finish says. A unit of which a case failed has failed.
func (m message) outcome() batch.Outcome {
	o := batch.Outcome{Status: m.Status, Seconds: m.Seconds, Message: oneLine(m.Message), File: m.File, Line: m.Line, Output: m.text()}
	for _, c := range m.Cases {
		o.Cases = append(o.Cases, batch.Case{Classname: c.Classname, Name: c.Name, Status: c.Status, Seconds: c.Seconds,
			Message: oneLine(c.Message), File: c.File, Line: c.Line, Output: c.text()})
	}
	failing := firstFailed(o.Cases)
	if failing != nil && o.Status != batch.Failed {
		o.Status, o.Message = batch.Failed, ""
	}
	if o.Status == batch.Failed && m.Details == "" {
		o.Output = result{Details: failures(o.Cases), Output: m.Output}.text()
	}
	if failing != nil && o.Status == batch.Failed && o.Message == "" {
		o.Message, o.File, o.Line = failing.Message, failing.File, failing.Line
		if failing.Name != "" {
			o.Message = oneLine(failing.Name + ": " + failing.Message)
		}
	}
	return o
}

// problemOf is a problem of scope (empty: of the runner as a whole) with nothing but a message.
func problemOf(scope, text string) message {
	return message{Type: messageProblem, Scope: scope, result: result{Message: text}}
}

// stray is a failure of a unit that the process was not to run, or that had ended before: a problem.
func (m message) stray() message {
	m.Type, m.Scope = messageProblem, m.ID
	m.Message = "it failed, although it is none of the units that this process was to run, or had ended before: " + m.Message
	return m
}

// failures are the texts of the cases that failed, each under its name: the text of a unit that has none of its own.
func failures(cases []batch.Case) string {
	text := newCapture(outputEnds)
	for _, c := range cases {
		if c.Status == batch.Failed && c.Output != "" {
			fmt.Fprintf(text, "%s\n%s\n\n", c.Name, strings.TrimRight(c.Output, "\n"))
		}
	}
	return strings.TrimRight(text.String(), "\n")
}

func firstFailed(cases []batch.Case) *batch.Case {
	for i := range cases {
		if cases[i].Status == batch.Failed {
			return &cases[i]
		}
	}
	return nil
}
