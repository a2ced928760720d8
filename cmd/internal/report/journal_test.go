package report

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// A journal of testdata is a text: one event a line, its time in seconds first, then words of which those in quotes are
// Go strings, and options name=value. Lines of "ending" change what Redis holds at the end, which otherwise is what the
// journal says; lines of "beat" are calls of Plain.Heartbeat.
//
//	0.5 finish w1 1 p::TestA failed final 0.2 message="got 3" output="line\n" case=p|TestA/x|failed|got
type journal struct {
	events []batch.Event
	ending Ending
	// beats are the states to tell after so many events.
	beats map[int][]beat
}

type beat struct {
	state   batch.State
	elapsed time.Duration
}

var testEpoch = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

func readJournal(t testing.TB, path string) journal {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	j := journal{beats: map[int][]beat{}, ending: Ending{RunID: "ci-1", Results: map[string]batch.Status{}}}
	tests := map[string]bool{}
	var endings [][]string
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		if text := strings.TrimSpace(lines.Text()); text == "" || text[0] == '#' {
			continue
		}
		words := split(t, lines.Text())
		switch words[0] {
		case "ending":
			endings = append(endings, words[1:])
			continue
		case "beat":
			j.beats[len(j.events)] = append(j.beats[len(j.events)], parseBeat(words[1:]))
			continue
		}
		e := parseLine(t, fmt.Sprintf("%s:%d", path, n), words)
		e.ID = fmt.Sprintf("%d-0", n)
		j.events = append(j.events, e)
		for _, id := range append(slices.Clone(e.Tests), e.Test) {
			if id != "" {
				tests[id] = true
			}
		}
		switch {
		case e.Type == batch.Resulted:
			j.ending.Results[e.Test] = e.Outcome.Status
		case e.Type == batch.Finish && e.Decision == batch.Final && e.Outcome.Status == batch.Unexecuted:
			j.ending.Results[e.Test] = batch.Lost
		case e.Type == batch.Finish && e.Decision == batch.Final:
			j.ending.Results[e.Test] = e.Outcome.Status
		case e.Type == batch.Sealed:
			j.ending.Markers.Sealed = true
		case e.Type == batch.Done:
			j.ending.Markers.Done = true
		case e.Type == batch.Aborted:
			j.ending.Markers.Aborted, j.ending.AbortReason, j.ending.AbortBy = true, e.Text, e.Worker
		}
	}
	for _, words := range endings {
		switch words[0] {
		case "missing":
			for _, id := range words[1:] {
				tests[id] = true
				delete(j.ending.Results, id)
			}
		case "result":
			tests[words[1]] = true
			j.ending.Results[words[1]] = batch.Status(words[2])
		case "allow-empty":
			j.ending.AllowEmpty = true
		}
	}
	j.ending.Tests = len(tests)
	for id := range tests {
		if _, ok := j.ending.Results[id]; !ok {
			j.ending.Missing = append(j.ending.Missing, id)
		}
	}
	slices.Sort(j.ending.Missing)
	return j
}

func (j journal) history() *History {
	h := NewHistory()
	for _, e := range j.events {
		h.Add(e)
	}
	return h
}

// split splits a line at blanks outside of quotes, and unquotes.
func split(t testing.TB, line string) []string {
	t.Helper()
	var words []string
	var b strings.Builder
	for line = strings.TrimSpace(line); line != ""; {
		switch line[0] {
		case ' ':
			words = append(words, b.String())
			b.Reset()
			line = strings.TrimLeft(line, " ")
		case '"':
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			text, _ := strconv.Unquote(quoted)
			b.WriteString(text)
			line = line[len(quoted):]
		default:
			b.WriteByte(line[0])
			line = line[1:]
		}
	}
	return append(words, b.String())
}

func parseLine(t testing.TB, at string, words []string) batch.Event {
	t.Helper()
	number := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		return f
	}
	e := batch.Event{Type: batch.EventType(words[1]), Time: testEpoch.Add(time.Duration(number(words[0]) * float64(time.Second)))}
	rest := words[2:]
	next := func() string {
		if len(rest) == 0 {
			t.Fatalf("%s: a word is missing", at)
		}
		word := rest[0]
		rest = rest[1:]
		return word
	}
	switch e.Type {
	case batch.Opened, batch.Done:
	case batch.Sealed:
		e.Text = next()
	case batch.Quarantined:
		e.Quarantine = batch.Quarantine{Owner: next(), Reason: next(), Until: next()}
		e.Tests, rest = rest, nil
	case batch.Qualified:
		e.Worker, e.Gate = next(), next()
	case batch.Refused:
		e.Worker, e.Gate, e.Text = next(), next(), next()
	case batch.Joined, batch.Left, batch.Aborted:
		e.Worker, e.Text = next(), next()
	case batch.Claimed:
		e.Worker, e.Batch = next(), int(number(next()))
		if rest[0] == "alone" {
			e.Text = next()
		}
		e.Tests, rest = rest, nil
	case batch.Start:
		e.Worker, e.Batch, e.Test = next(), int(number(next())), next()
	case batch.Settled:
		e.Worker, e.Batch, e.Text = next(), int(number(next())), next()
		e.Tests, rest = rest, nil
	case batch.Reaped:
		e.Worker, e.Batch, e.Text = next(), int(number(next())), next()
		for len(rest) > 0 {
			id := next()
			if charged, ok := strings.CutPrefix(id, "*"); ok {
				id = charged
				e.Charged = append(e.Charged, id)
			}
			e.Tests = append(e.Tests, id)
		}
	case batch.Resulted:
		e.Test, e.Outcome.Status, e.Outcome.Message = next(), batch.Status(next()), next()
		if len(rest) > 0 {
			e.Gate = next()
		}
	case batch.ProblemFound:
		e.Worker = next()
		e.Problem = batch.Problem{Scope: next(), Message: next(), Details: next()}
	case batch.Finish:
		e.Worker, e.Batch, e.Test = next(), int(number(next())), next()
		e.Outcome.Status, e.Decision, e.Outcome.Seconds = batch.Status(next()), batch.Decision(next()), number(next())
		for len(rest) > 0 {
			key, value, _ := strings.Cut(next(), "=")
			switch key {
			case "message":
				e.Outcome.Message = value
			case "output":
				e.Outcome.Output = value
			case "lines":
				for i := range int(number(value)) {
					e.Outcome.Output += fmt.Sprintf("line %d\n", i+1)
				}
			case "at":
				file, line, _ := strings.Cut(value, ":")
				e.Outcome.File, e.Outcome.Line = file, int(number(line))
			case "case":
				p := append(strings.Split(value, "|"), "", "")
				e.Outcome.Cases = append(e.Outcome.Cases, batch.Case{
					Classname: p[0], Name: p[1], Status: batch.Status(p[2]), Message: p[3], Output: p[4], Seconds: e.Outcome.Seconds / 2,
				})
			default:
				t.Fatalf("%s: unknown option %q", at, key)
			}
		}
	default:
		t.Fatalf("%s: unknown event %q", at, words[1])
	}
	if len(rest) > 0 {
		t.Fatalf("%s: too many words: %q", at, rest)
	}
	return e
}

// parseBeat reads: elapsed seconds, tests, results, requeued; for each worker running=test or idle; and for each gate
// gate=label|tests|workers, of which those with + qualify and the others do not.
func parseBeat(words []string) beat {
	var n [4]float64
	for i := range n {
		n[i], _ = strconv.ParseFloat(words[i], 64)
	}
	b := beat{elapsed: time.Duration(n[0] * float64(time.Second))}
	b.state.Tests, b.state.Results, b.state.Requeued = int(n[1]), int(n[2]), int(n[3])
	for _, w := range words[4:] {
		switch w {
		case "sealed":
			b.state.Markers.Sealed = true
			continue
		case "aborted":
			b.state.Markers.Aborted = true
			continue
		}
		if text, ok := strings.CutPrefix(w, "gate="); ok {
			b.state.Gates = append(b.state.Gates, parseGate(strings.Split(text, "|")))
			continue
		}
		state := batch.WorkerState{ID: fmt.Sprintf("w%d", len(b.state.Workers)+1)}
		if id, ok := strings.CutPrefix(w, "running="); ok {
			state.Open, state.Running = true, []string{id}
		}
		b.state.Workers = append(b.state.Workers, state)
	}
	return b
}

func parseGate(parts []string) batch.GateState {
	g := batch.GateState{Gate: batch.Gate{Name: parts[0]}}
	g.Queued, _ = strconv.Atoi(parts[1])
	for _, id := range strings.Fields(strings.ReplaceAll(parts[2], ",", " ")) {
		if passed, ok := strings.CutPrefix(id, "+"); ok {
			g.Passed = append(g.Passed, passed)
		} else {
			g.Refused = append(g.Refused, id)
		}
	}
	return g
}
