package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/shardctl/shardctl/batch"
)

// maxEventLine is the longest line of an events file: all tests of a large run may be named in one.
const maxEventLine = 256 << 20

// Recording is a run as an events file tells it.
type Recording struct {
	Header  EventsHeader
	History *History
	Ending  Ending
	// Whole: the file has its last line. Otherwise whoever wrote it did not come to the end of the run, and the Ending has
	// what the entries tell.
	Whole bool

	exit      int
	reproduce map[string]string
}

// ReadEvents reads an events file. each is called for each entry of the journal, in order, and may be nil.
//
// A file without its last line, which may end in the middle of another, is read as far as it goes; see Recording.Whole. It is
// an error if it is no events file, of a later schema, or if anything else in it is not as it was written.
func ReadEvents(r io.Reader, each func(batch.Event)) (Recording, error) {
	rec := Recording{History: NewHistory()}
	lines := bufio.NewReaderSize(r, 64<<10)
	entries := 0
	for number := 1; ; number++ {
		line, err := readEventLine(lines)
		cut := errors.Is(err, io.EOF) && len(line) > 0
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return rec, fmt.Errorf("line %d: %w", number, err)
		case err != nil && number == 1:
			return rec, errors.New("it holds no whole line: no events were written to it")
		case err != nil && rec.Whole && cut:
			return rec, fmt.Errorf("line %d: something stands behind the last line", number)
		case err != nil:
			if !rec.Whole {
				rec.Ending = endingOf(rec.History)
			}
			rec.Ending.RunID = rec.Header.Run
			return rec, nil
		case number == 1:
			if rec.Header, err = readEventsHeader(line); err != nil {
				return rec, err
			}
			continue
		case rec.Whole:
			return rec, fmt.Errorf("line %d: something stands behind the last line: two files in one?", number)
		}
		e, ending, err := readEntry(line)
		if err != nil {
			return rec, fmt.Errorf("line %d is damaged: %w", number, err)
		}
		if ending != nil {
			if ending.Entries != entries {
				return rec, fmt.Errorf("line %d: the file was written with %d entries and has %d: lines are missing, or were added", number, ending.Entries, entries)
			}
			rec.end(ending)
			continue
		}
		entries++
		rec.History.Add(e)
		if each != nil {
			each(e)
		}
	}
}

// readEventLine returns the next line without its end; with io.EOF what stands behind the last.
func readEventLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxEventLine {
			return nil, fmt.Errorf("longer than %d bytes, which no line of an events file is", maxEventLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(line, []byte("\n")), err
		}
	}
}

func readEventsHeader(line []byte) (h EventsHeader, err error) {
	if json.Unmarshal(line, &h) != nil || h.Format != EventsFormat {
		return h, fmt.Errorf("it is no events file: its first line is not {\"format\":%q, …}", EventsFormat)
	}
	if h.Schema < 1 || h.Schema > EventsSchema {
		return h, fmt.Errorf("its schema is %d, and this program knows up to %d: use the version that wrote it (%s), or a later one",
			h.Schema, EventsSchema, OneLine(h.Tool, 80))
	}
	return h, nil
}

// readEntry reads any line but the first: an entry of the journal, or the ending.
func readEntry(line []byte) (e batch.Event, ending *endingLine, err error) {
	var l eventLine
	if err := json.Unmarshal(line, &l); err != nil {
		return e, nil, err
	}
	switch l.Type {
	case "":
		return e, nil, errors.New("it has no type")
	case ended:
		ending = &endingLine{}
		return e, ending, json.Unmarshal(line, ending)
	}
	e = batch.Event{
		Type: l.Type, ID: l.ID, Time: l.Time, Worker: l.Worker, Batch: l.Batch, Test: l.Test, Decision: l.Decision,
		Tests: l.Tests, Charged: l.Charged, Gate: l.Gate, Former: l.Former, Text: l.Text,
	}
	if l.Outcome != nil {
		e.Outcome = l.Outcome.Outcome
		e.Outcome.Output = l.Outcome.Output
	}
	if l.Problem != nil {
		e.Problem = *l.Problem
	}
	if l.Quarantine != nil {
		e.Quarantine = batch.Quarantine(*l.Quarantine)
	}
	if e.Type == batch.Finish && e.Outcome.Status == "" {
		return e, nil, errors.New("a finish without an outcome")
	}
	return e, nil, nil
}

// end takes the last line.
func (rec *Recording) end(l *endingLine) {
	rec.Whole, rec.exit, rec.reproduce = true, l.Exit, l.Reproduce
	rec.Ending = Ending{
		Tests: l.Total, Missing: l.Missing, Results: resultsOf(rec.History),
		Markers:     batch.Markers{Sealed: l.Sealed, Done: l.Done, Aborted: l.Aborted},
		AbortReason: l.AbortReason, AbortBy: l.AbortBy, EnoughFailures: l.EnoughFailures, AllowEmpty: l.AllowEmpty,
	}
	for id, status := range l.Differing {
		if rec.Ending.Results[id] = status; status == "" {
			delete(rec.Ending.Results, id)
		}
	}
}

// endingOf is what may be said of a run whose end is not told.
func endingOf(h *History) Ending {
	e := Ending{Tests: len(h.tests), Results: resultsOf(h)}
	for _, t := range h.Tests() {
		if t.Result == "" {
			e.Missing = append(e.Missing, t.ID)
		}
	}
	return e
}

// resultsOf are the results that a journal tells.
func resultsOf(h *History) map[string]batch.Status {
	results := map[string]batch.Status{}
	for id, t := range h.tests {
		if t.Result != "" {
			results[id] = t.Result
		}
	}
	return results
}

// Verdict judges the run. A status that was told for another reason than its tests, as a signal, holds; but what is red by its
// entries is never green.
func (rec Recording) Verdict() Verdict {
	v := Judge(rec.History, rec.Ending)
	if !rec.Whole {
		v.Incomplete = append([]string{"the events file has no end: whoever wrote it was killed, or still writes; what follows is as far as it goes"}, v.Incomplete...)
		v.Exit = ExitIncomplete
	}
	if rec.exit != 0 {
		v.Exit = rec.exit
	}
	return v
}

// Reproduce returns the command that runs a test again, empty if the file has none.
func (rec Recording) Reproduce(id string) string { return rec.reproduce[id] }
