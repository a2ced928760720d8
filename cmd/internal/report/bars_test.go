package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"

	"github.com/shardctl/shardctl/batch"
)

// screen is a terminal as far as bars need one: it wraps lines, and knows how to move up and to erase.
type screen struct {
	t       *testing.T
	columns int

	mu     sync.Mutex
	rows   []string // all that ever stood there
	row    int
	column int
	unread []byte
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(append(s.unread, p...))
	s.unread = nil
	for len(text) > 0 {
		var up int
		switch {
		case text[0] == '\n':
			s.row++
			text = text[1:]
		case text[0] == '\r':
			s.column = 0
			text = text[1:]
		case strings.HasPrefix(text, "\x1b[J"):
			s.rows = s.rows[:min(len(s.rows), s.row)]
			text = text[3:]
		case text[0] == '\x1b':
			end := strings.IndexAny(text, "AJ")
			if end < 0 {
				s.unread = []byte(text)
				return len(p), nil
			}
			if _, err := fmt.Sscanf(text, "\x1b[%dA", &up); err != nil {
				s.t.Errorf("unknown sequence %.10q", text)
			}
			s.row = max(s.row-up, 0)
			text = text[end+1:]
		default:
			end := strings.IndexAny(text, "\x1b\r\n")
			if end < 0 {
				end = len(text)
			}
			for _, r := range text[:end] {
				s.put(r)
			}
			text = text[end:]
		}
	}
	return len(p), nil
}

func (s *screen) put(r rune) {
	if s.column+runewidth.RuneWidth(r) > s.columns {
		s.row, s.column = s.row+1, 0
	}
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, "")
	}
	line := s.rows[s.row]
	if at := runewidth.StringWidth(line); at > s.column {
		line = runewidth.Truncate(line, s.column, "")
	} else {
		line += strings.Repeat(" ", s.column-at)
	}
	s.rows[s.row] = line + string(r)
	s.column += runewidth.RuneWidth(r)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, row := range s.rows {
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	return b.String()
}

// onTerminal gives bars a terminal, and what stands on it.
func onTerminal(t *testing.T, columns, lines int) (*os.File, *screen) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	if err := pty.Setsize(slave, &pty.Winsize{Cols: uint16(columns), Rows: uint16(lines)}); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, columns: columns}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(s, master) // ends with the slave
	}()
	t.Cleanup(func() {
		slave.Close()
		<-read
		master.Close()
	})
	return slave, s
}

func (s *screen) waitFor(what string) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(s.String(), what); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%q does not appear in\n%s", what, s)
		}
	}
}

// TestBars runs a run on a terminal: what failed stays above, the bars fit, and at the end they are gone.
func TestBars(t *testing.T) {
	long := "github.com/some/body/with/a/very/long/path::TestWith日本語Wide/and_a_subtest_that_has_a_long_name/and\x1b[2Janother"
	for _, c := range []struct {
		columns, lines, workers int
		shows                   []string
	}{
		{120, 24, 3, []string{"1 of 4 tests, 1 failed [", "] 0:", "time left unknown", "  w1 ", "  w2 ", "  w3  idle", "github.com/some/body/with/a/very/long/path", "…", "another"}},
		{40, 24, 3, []string{"1/4, 1 failed [", "  w1 ", "  w3  idle", "github", "other"}},
		{40, 8, 30, []string{"1/4", "  w1 ", "and 26 more workers, 26 of them idle"}},
		{12, 5, 4, []string{"1/4"}},
		{3, 3, 2, []string{"1"}},
	} {
		t.Run(fmt.Sprintf("%dx%d", c.columns, c.lines), func(t *testing.T) {
			t.Parallel()
			terminal, screen := onTerminal(t, c.columns, c.lines)
			h := NewHistory()
			b := NewBars(terminal, h, BarsOptions{PlainOptions: PlainOptions{RunID: "r"}, Total: 4})
			tell := func(e batch.Event) {
				e.Time = time.Now()
				h.Add(e)
				b.Event(e)
			}
			tell(batch.Event{Type: batch.Opened})
			tell(batch.Event{Type: batch.Sealed, Text: "4"})
			for i := range c.workers {
				tell(batch.Event{Type: batch.Joined, Worker: fmt.Sprintf("w%d.0123abcd", i+1)})
			}
			tell(batch.Event{Type: batch.Claimed, Worker: "w1.0123abcd", Batch: 1, Tests: []string{"a", long, "c"}})
			tell(batch.Event{Type: batch.Start, Worker: "w1.0123abcd", Batch: 1, Test: "a"})
			tell(batch.Event{Type: batch.Finish, Worker: "w1.0123abcd", Batch: 1, Test: "a", Decision: batch.Final,
				Outcome: batch.Outcome{Status: batch.Failed, Message: "::error::" + long}})
			tell(batch.Event{Type: batch.Start, Worker: "w1.0123abcd", Batch: 1, Test: long})
			tell(batch.Event{Type: batch.Claimed, Worker: "w2.0123abcd", Batch: 1, Text: "alone", Tests: []string{"d"}})
			b.Tick()
			for _, text := range c.shows {
				screen.waitFor(text)
			}
			fmt.Fprintln(b, "a line of somebody else")
			b.Heartbeat(batch.State{Tests: 4, Markers: batch.Markers{Sealed: true}, Results: 1}, 0)
			time.Sleep(3 * frames)
			drawn := screen.String()
			b.Close()
			fmt.Fprintln(b, "after the end")
			end := fmt.Sprintf("%s\n", wrapped("after the end", c.columns))
			screen.waitFor(end)
			above := wrapped(fmt.Sprintf("FAIL    a failed on w1.0123abcd: %s", message("::error::"+long)), c.columns) + "\n" + wrapped("a line of somebody else", c.columns) + "\n"
			if got, want := screen.String(), above+end; got != want {
				t.Errorf("in the end there is\n%swant\n%s", got, want)
			}
			if !strings.HasPrefix(drawn, above) {
				t.Errorf("the bars touch what stands above them:\n%s", drawn)
			}
			if bars := strings.Count(strings.TrimPrefix(drawn, above), "\n"); bars > c.lines-spareRows+1 {
				t.Errorf("%d rows of bars on a terminal of %d:\n%s", bars, c.lines, drawn)
			}
		})
	}
}

// wrapped is a line as a terminal breaks it.
func wrapped(line string, columns int) string {
	s := &screen{columns: columns}
	_, _ = s.Write([]byte(line))
	return strings.TrimSuffix(s.String(), "\n")
}

// A terminal that is resized is drawn on in its new size.
func TestBarsOnAResizedTerminal(t *testing.T) {
	t.Parallel()
	terminal, screen := onTerminal(t, 120, 20)
	h := NewHistory()
	b := NewBars(terminal, h, BarsOptions{Total: 7})
	defer b.Close()
	b.Tick()
	screen.waitFor("0 of 7 tests")
	if err := pty.Setsize(terminal, &pty.Winsize{Cols: 40, Rows: 10}); err != nil {
		t.Fatal(err)
	}
	screen.waitFor("0/7+ [")
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{
		{"abc", 3, "abc"}, {"abcdef", 5, "ab…ef"}, {"abcdef", 4, "ab…f"}, {"abcdef", 2, "ab"}, {"abcdef", 0, ""}, {"abcdef", -1, ""},
		{"日本語日本語", 7, "日… 語"}, {"日本語日本語", 12, "日本語日本語"}, {"日本語", 1, ""}, {"e\u0301e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301…e\u0301"},
	} {
		got := fit(c.text, c.columns)
		if got != c.want {
			t.Errorf("fit(%q, %d) = %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

// FuzzFit: what is cut is never wider than it may be, and what fits is not cut.
func FuzzFit(f *testing.F) {
	f.Add("日本語 abc", 5)
	f.Add("👩‍👩‍👧‍👦 family", 4)
	f.Fuzz(func(t *testing.T, s string, columns int) {
		s = name(s)
		columns = min(max(columns, 0), 300)
		got := fit(s, columns)
		if wide := runewidth.StringWidth(got); wide > columns {
			t.Errorf("%q has %d columns, not %d", got, wide, columns)
		}
		if runewidth.StringWidth(s) <= columns && got != s {
			t.Errorf("%q was cut to %q", s, got)
		}
	})
}
