package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		-1: "0s", 0: "0s", 0.0124: "0.012s", 0.9994: "0.999s", 0.9996: "1.0s", 3.21: "3.2s", 59.94: "59.9s", 59.96: "1m00s",
		123: "2m03s", 3599.6: "1h00m", 3725: "1h02m",
	} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) = %q, want %q", s, got, want)
		}
	}
}

// FuzzText: whatever a test prints or is called, no line begins with it, and it gives no command.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\nb", "::error::x", "\r\n ::error::x\r::y", "##\x1b[0m[group]x", "###[error]", "\x1b]0;x\x07", "\u009b2J", strings.Repeat("x", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		assertHarmless(t, quote(s, "  ", 6))
		assertHarmless(t, "- "+OneLine(s, 50))
		if strings.ContainsAny(OneLine(s, 50), "\r\n") {
			t.Errorf("%q has several lines", OneLine(s, 50))
		}
		if lines := strings.Count(quote(s, "", 6), "\n"); lines > 7 {
			t.Errorf("%d lines of %q", lines, s)
		}
	})
}

// TestLists: a run in which everything fails ends in a text that can be read.
func TestLists(t *testing.T) {
	h := NewHistory()
	e := Ending{Tests: 500, Results: results{}, Markers: over}
	for i := range e.Tests {
		id := fmt.Sprintf("p::Test%03d", i)
		e.Results[id] = batch.Failed
		h.Add(batch.Event{Type: batch.Finish, Test: id, Worker: "w", Outcome: batch.Outcome{Status: batch.Failed, Output: "why\n"}, Decision: batch.Final})
	}
	h.Add(batch.Event{Type: batch.Done})
	for _, file := range []string{"", "out.xml"} {
		var b strings.Builder
		if err := WriteVerdict(&b, Judge(h, e), TextOptions{JUnit: file}); err != nil {
			t.Fatal(err)
		}
		where := "with --junit FILE a report has all of them"
		if file != "" {
			where = "all of them are in out.xml"
		}
		for text, times := range map[string]int{"| why": 20, "p::Test119": 1, "p::Test120": 0, "- and 380 more; " + where: 1} {
			if got := strings.Count(b.String(), text); got != times {
				t.Errorf("%q stands there %d times, want %d:\n%s", text, got, times, b.String())
			}
		}
	}
}

// TestTornJournal: a journal whose beginning was lost is told, and is not green.
func TestTornJournal(t *testing.T) {
	whole := readJournal(t, "testdata/05-lost.journal")
	for i := range whole.events {
		j := whole
		j.events = whole.events[i:]
		v := Judge(j.history(), j.ending)
		var b strings.Builder
		writePlain(&b, j)
		if err := WriteVerdict(&b, v, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if v.Exit != ExitIncomplete {
			t.Errorf("without %d events: %s", i, v.Sentence())
		}
		assertAgree(t, v, JUnit(v))
	}
}
