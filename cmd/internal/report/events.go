package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// An events file is a run as JSON lines (docs/events.md): a header, each entry of the journal, and what Redis held at the
// end. Who reads it makes the same reports of it as who read Redis.

const (
	// EventsFormat and EventsSchema are in the header of every events file. What is added to the format, and may be
	// overlooked by those who do not know it, leaves the schema as it is.
	EventsFormat = "shardctl-events"
	EventsSchema = 1
)

// EventsHeader is the first line of an events file.
type EventsHeader struct {
	Format string `json:"format"`
	Schema int    `json:"schema"`
	// Run is the run's id; Birth tells it from others of the same id.
	Run   string `json:"run"`
	Birth string `json:"birth"`
	// Started is the time of the first entry, by Redis's clock.
	Started time.Time `json:"started,omitzero"`
	// Tool is what wrote the file, with its version.
	Tool string `json:"tool"`
}

// eventLine is an entry of the journal; see batch.Event.
type eventLine struct {
	Type       batch.EventType `json:"type"`
	ID         string          `json:"id"`
	Time       time.Time       `json:"time"`
	Worker     string          `json:"worker,omitempty"`
	Batch      int             `json:"batch,omitempty"`
	Test       string          `json:"test,omitempty"`
	Decision   batch.Decision  `json:"decision,omitempty"`
	Outcome    *outcomeLine    `json:"outcome,omitempty"`
	Problem    *batch.Problem  `json:"problem,omitempty"`
	Quarantine *quarantineLine `json:"quarantine,omitempty"`
	Tests      []string        `json:"tests,omitempty"`
	Charged    []string        `json:"charged,omitempty"`
	Gate       string          `json:"gate,omitempty"`
	Former     string          `json:"former,omitempty"`
	Text       string          `json:"text,omitempty"`
}

// outcomeLine is an outcome with its output, which travels through Redis in a field of its own.
type outcomeLine struct {
	batch.Outcome
	Output string `json:"output,omitempty"`
}

// quarantineLine says who looks after tests that may fail, why, and until when.
type quarantineLine struct {
	Owner  string `json:"owner,omitempty"`
	Reason string `json:"reason,omitempty"`
	Until  string `json:"until,omitempty"`
}

// ended is the type of the last line.
const ended batch.EventType = "ending"

// endingLine is the last line of an events file.
type endingLine struct {
	Type batch.EventType `json:"type"`
	// Entries is how many lines stand between this and the header.
	Entries int `json:"entries"`
	// Exit is the status of the verdict that was told.
	Exit int `json:"exit"`
	// Total is how many tests the run held.
	Total int `json:"total"`
	// Missing are the tests without a result. Differing are the results that Redis held, where the entries tell another or none;
	// empty: it held none although they tell one.
	Missing        []string                `json:"missing,omitempty"`
	Differing      map[string]batch.Status `json:"differing,omitempty"`
	Sealed         bool                    `json:"sealed"`
	Done           bool                    `json:"done"`
	Aborted        bool                    `json:"aborted"`
	AbortReason    string                  `json:"abort_reason,omitempty"`
	AbortBy        string                  `json:"abort_by,omitempty"`
	EnoughFailures bool                    `json:"enough_failures,omitempty"`
	AllowEmpty     bool                    `json:"allow_empty,omitempty"`
	// Reproduce are the commands that run tests again which did not pass, or not always.
	Reproduce map[string]string `json:"reproduce,omitempty"`
}

// EventsWriter writes an events file while the run goes on. It is for one goroutine.
type EventsWriter struct {
	w       *bufio.Writer
	header  EventsHeader
	begun   bool
	entries int
	err     error // the first; nothing is written after it
}

// NewEventsWriter returns an EventsWriter. Format, Schema and Started of the header need not be set.
func NewEventsWriter(w io.Writer, header EventsHeader) *EventsWriter {
	header.Format, header.Schema = EventsFormat, EventsSchema
	return &EventsWriter{w: bufio.NewWriter(w), header: header}
}

// Add writes entries of the journal, and makes them visible to who follows the file. Its errors are those of End.
func (w *EventsWriter) Add(events ...batch.Event) {
	for _, e := range events {
		w.begin(e.Time)
		line := eventLine{
			Type: e.Type, ID: e.ID, Time: e.Time.UTC(), Worker: e.Worker, Batch: e.Batch, Test: e.Test, Decision: e.Decision,
			Tests: e.Tests, Charged: e.Charged, Gate: e.Gate, Former: e.Former, Text: e.Text,
		}
		switch e.Type {
		case batch.Finish, batch.Resulted:
			line.Outcome = &outcomeLine{e.Outcome, e.Outcome.Output}
		case batch.ProblemFound:
			line.Problem = &e.Problem
		case batch.Quarantined:
			quarantine := quarantineLine(e.Quarantine)
			line.Quarantine = &quarantine
		}
		w.line(line)
		w.entries++
	}
	w.flush()
}

// begin writes the header if it is not there yet.
func (w *EventsWriter) begin(at time.Time) {
	if w.begun {
		return
	}
	w.begun = true
	w.header.Started = at.UTC()
	w.line(w.header)
}

// End writes the last line. exit is the verdict's status; reproduce returns the command that runs a test again, and may be
// nil.
func (w *EventsWriter) End(v Verdict, e Ending, reproduce func(id string) string) error {
	w.begin(time.Time{})
	line := endingLine{
		Type: ended, Entries: w.entries, Exit: v.Exit, Total: e.Tests, Missing: e.Missing,
		Sealed: e.Markers.Sealed, Done: e.Markers.Done, Aborted: e.Markers.Aborted, AbortReason: e.AbortReason, AbortBy: e.AbortBy,
		EnoughFailures: e.EnoughFailures, AllowEmpty: e.AllowEmpty, Differing: map[string]batch.Status{}, Reproduce: map[string]string{},
	}
	for id, status := range e.Results {
		if t := v.History.tests[id]; t == nil || t.Result != status {
			line.Differing[id] = status
		}
	}
	for id, t := range v.History.tests {
		if _, held := e.Results[id]; t.Result != "" && !held {
			line.Differing[id] = ""
		}
	}
	for _, j := range v.Tests {
		if (j.Bad() || j.Flaky()) && reproduce != nil {
			if command := reproduce(j.ID); command != "" {
				line.Reproduce[j.ID] = command
			}
		}
	}
	w.line(line)
	w.flush()
	return w.err
}

func (w *EventsWriter) line(value any) {
	if w.err != nil {
		return
	}
	text, err := encodeJSON(value)
	if err != nil {
		w.err = fmt.Errorf("entry %d: %w", w.entries+1, err)
		return
	}
	_, w.err = w.w.Write(text)
}

func (w *EventsWriter) flush() {
	if w.err == nil {
		w.err = w.w.Flush()
	}
}

// encodeJSON returns a value as a line of JSON that is harmless wherever it is shown: it has no control characters (JSON
// escapes but some of them), and no commands that CI systems look for anywhere in a line.
func encodeJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	text := b.Bytes()
	if bytes.Contains(text, []byte("##")) { // only strings hold it
		text = bytes.ReplaceAll(text, []byte("##"), []byte(`#\u0023`))
	}
	for r := rune(0x7f); r < 0xa0; r++ {
		if raw := []byte(string(r)); bytes.Contains(text, raw) {
			text = bytes.ReplaceAll(text, raw, fmt.Appendf(nil, `\u%04x`, r))
		}
	}
	return text, nil
}
