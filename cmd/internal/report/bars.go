package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/shardctl/shardctl/batch"
)

const (
	// frames is how often the bars are drawn anew.
	frames = 150 * time.Millisecond
	// spareRows are those of the terminal that no worker has: the overall bar needs one, and the cursor stands below.
	spareRows = 3
)

// Bars tell of a run while it goes on, on a terminal: a bar for all of it, a line for each worker, and above them, for good, the lines
// of Plain on what does not pass. A frame is one write, so nothing flickers. Whoever follows the journal calls Event and Heartbeat, as
// for Plain, and Tick every now and then, in one goroutine; another one draws.
//
// A terminal that is made narrower may break the lines of the last frame into more, as some do: their remains then stay above, since
// to erase them would erase what failed on terminals that do not.
type Bars struct {
	*Plain
	history  *History
	expected expectation
	clock    clock
	terminal *os.File
	progress *mpb.Progress
	bar      *mpb.Bar
	ticked   time.Time

	mu   sync.Mutex
	view view // what is drawn; guarded by mu
}

// BarsOptions are what bars need to know. The zero value is fine.
type BarsOptions struct {
	PlainOptions
	// Total is how many tests the list holds, 0 if that is not known yet.
	Total int
	// Seconds that tests are expected to take.
	Seconds map[string]float64
	// Age is how long ago the run was opened. 0: unknown.
	Age time.Duration
}

// NewBars begins to draw on a terminal, until Close. The history is told each event before Bars.
func NewBars(terminal *os.File, h *History, o BarsOptions) *Bars {
	b := &Bars{history: h, expected: newExpectation(o.Seconds), terminal: terminal}
	b.view = view{runID: o.RunID, total: o.Total, opened: time.Now().Add(-o.Age)}
	b.progress = mpb.New(mpb.WithOutput(terminal), mpb.WithRefreshRate(frames))
	o.PlainOptions.Brief = true
	b.Plain = NewPlain(b, o.PlainOptions)
	left := decor.Any(func(s decor.Statistics) string { return "\r" + b.look().left(b.columns(s)) }) // behind what the terminal echoes: ^C
	right := decor.Any(func(s decor.Statistics) string { return b.look().right(b.columns(s), time.Now()) })
	rows := mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		for _, row := range b.look().rows(b.columns(s), b.lines()-spareRows, time.Now()) {
			if _, err := fmt.Fprintln(w, row); err != nil {
				return err
			}
		}
		return nil
	})
	b.bar = b.progress.New(0, mpb.BarStyle().Filler("=").Tip(">").Padding(" "),
		mpb.PrependDecorators(left), mpb.AppendDecorators(right), mpb.BarExtender(rows, false))
	return b
}

// columns is how wide a line may be: one column less than the terminal, since some break a line that fills the last one.
func (b *Bars) columns(s decor.Statistics) int { return max(s.AvailableWidth-1, 1) }

// lines is how high the terminal is.
func (b *Bars) lines() int {
	if _, height, err := term.GetSize(int(b.terminal.Fd())); err == nil {
		return height
	}
	return 24
}

// look returns what is to be drawn. Nobody changes what it refers to.
func (b *Bars) look() view {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view
}

// Write prints whole lines above the bars. It may be called by any goroutine, also after Close.
func (b *Bars) Write(lines []byte) (int, error) {
	if n, err := b.progress.Write(lines); err == nil {
		return n, nil
	}
	return b.terminal.Write(lines) // the bars are gone
}

// Event takes the next event of the journal.
func (b *Bars) Event(e batch.Event) {
	b.clock.is(e.Time, time.Now())
	if e.Type == batch.Opened {
		b.expected = newExpectation(b.expected.seconds)
	}
	if e.Type == batch.Resulted || e.Type == batch.Finish && e.Decision == batch.Final {
		b.expected.finished(e.Test)
	}
	b.Plain.Event(e)
	if e.Type == batch.Sealed {
		b.mu.Lock()
		_, _ = fmt.Sscan(e.Text, &b.view.total) // else it stays as it was
		b.view.sealed = true
		b.mu.Unlock()
	}
}

// Heartbeat takes how the run stands: what it says of a run that does not move is shown below the bars.
func (b *Bars) Heartbeat(s batch.State, _ time.Duration) {
	hint := strings.TrimPrefix(b.standstill(s, nil)+shut(s), "; ")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.view.hint, b.view.total, b.view.sealed = hint, s.Tests, s.Markers.Sealed
}

// Tick looks what the workers do, unless it did so since the last frame.
func (b *Bars) Tick() {
	now := time.Now()
	if now.Sub(b.ticked) < frames {
		return
	}
	b.ticked = now
	there := b.clock.at(now)
	var (
		workers []workerRow
		present []running
		busy    time.Duration
	)
	for _, w := range b.history.Workers() {
		busy += w.Busy(there)
		if !w.Left.IsZero() {
			continue
		}
		row := workerRow{name: name(w.ID), short: shortName(w.ID)}
		tests, announced, since := b.history.workingOn(w)
		if len(tests) > 0 {
			doing := running{since: since}
			for _, id := range tests {
				doing.expected += b.expected.of(id)
			}
			present = append(present, doing)
			busy -= max(0, there.Sub(since))
			row.since, row.test, row.more, row.batch = since.Add(b.clock.behind), name(tests[0]), len(tests)-1, !announced
		}
		workers = append(workers, row)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	v := &b.view
	v.workers, v.done, v.failed, v.excused = workers, b.expected.tests, b.failed, b.excused
	left, known := b.expected.left(v.total, busy, there, present, len(workers))
	v.leftKnown, v.end = known && v.sealed, now.Add(left)
	b.bar.SetTotal(int64(v.total), false)
	b.bar.SetCurrent(int64(v.done))
}

// Close removes the bars. What was printed above them stays.
func (b *Bars) Close() {
	b.bar.Abort(true)
	b.progress.Wait()
}
