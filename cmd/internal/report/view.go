package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

// view is what bars show of a run at one moment. Times are those of the local clock.
type view struct {
	runID                        string
	done, total, failed, excused int
	sealed                       bool
	opened                       time.Time
	// end is when the run will be over, if leftKnown.
	end       time.Time
	leftKnown bool
	workers   []workerRow
	// hint says what the run waits for, if it does not move.
	hint string
}

// workerRow is what one worker does.
type workerRow struct {
	// name is its id, short what people called it, which several may be.
	name, short string
	// test is the first of those that it runs, of which there are so many more; none: it is idle. batch: nobody knows which of these.
	test  string
	more  int
	batch bool
	since time.Time
}

// narrow is how many columns of a terminal are too few for whole words.
const narrow = 80

// left is what stands left of the overall bar.
func (v view) left(columns int) string {
	text := fmt.Sprintf("%d/%d", v.done, v.total)
	if columns >= narrow {
		text = fmt.Sprintf("%d of %s", v.done, count(v.total, "test"))
		if !v.sealed {
			text += " so far"
		}
	} else if !v.sealed {
		text += "+"
	}
	if v.failed > 0 {
		text += fmt.Sprintf(", %d failed", v.failed)
	}
	if v.excused > 0 && columns >= narrow {
		text += fmt.Sprintf(", %d quarantined", v.excused)
	}
	return fit(text, columns)
}

// right is what stands right of it, in so many columns at most.
func (v view) right(columns int, now time.Time) string {
	elapsed := clockwise(now.Sub(v.opened))
	switch {
	case v.leftKnown && columns >= narrow/2:
		return fmt.Sprintf("%s, about %s left", elapsed, roughly(v.end.Sub(now)))
	case v.leftKnown:
		return fmt.Sprintf("~%s left", roughly(v.end.Sub(now)))
	case columns >= narrow/2 && v.done < v.total:
		return elapsed + ", time left unknown"
	}
	return elapsed
}

// clockwise is a duration of which the digits keep their places.
func clockwise(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// roughly says no more than an estimate knows.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return "1s"
	case d < 10*time.Second:
		return d.Round(time.Second).String()
	case d < time.Minute:
		return d.Round(5 * time.Second).String()
	case d < 10*time.Minute:
		return seconds(d.Round(10 * time.Second).Seconds())
	}
	return seconds(d.Round(time.Minute).Seconds())
}

// rows are the lines below the overall bar: of the workers as many as there is room for.
func (v view) rows(columns, most int, now time.Time) []string {
	var rows []string
	hint := v.hint != "" && most > 0
	if hint {
		most--
	}
	shown := v.workers
	if len(shown) > most {
		shown = shown[:max(most-1, 0)]
	}
	shown = shortNames(shown)
	wide := 0
	for _, w := range shown {
		wide = max(wide, runewidth.StringWidth(w.name))
	}
	wide = min(wide, max(columns/4, 8))
	for _, w := range shown {
		rows = append(rows, fit(w.row(columns, wide, now), columns))
	}
	if rest := v.workers[len(shown):]; len(rest) > 0 && most > 0 {
		idle := 0
		for _, w := range rest {
			if w.test == "" {
				idle++
			}
		}
		rows = append(rows, fit(fmt.Sprintf("  and %s, %d of them idle", count(len(rest), "more worker"), idle), columns))
	}
	if hint {
		rows = append(rows, fit("  "+v.hint, columns))
	}
	return rows
}

// row is a line: name, for how long, what.
func (w workerRow) row(columns, wide int, now time.Time) string {
	head := "  " + pad(fit(w.name, wide), wide) + "  "
	switch {
	case w.test == "":
		return head + "idle"
	case w.batch && w.more > 0:
		return head + fmt.Sprintf("%7s  %s", clockwise(now.Sub(w.since)), "a batch of "+count(w.more+1, "test"))
	}
	head += fmt.Sprintf("%7s  ", clockwise(now.Sub(w.since)))
	tail := ""
	if w.more > 0 {
		tail = fmt.Sprintf(" +%d", w.more)
	}
	return head + fit(w.test, columns-runewidth.StringWidth(head+tail)) + tail
}

// shortNames gives workers the short names that tell them apart, if all of them do.
func shortNames(workers []workerRow) []workerRow {
	seen := map[string]bool{}
	for _, w := range workers {
		if seen[w.short] {
			return workers
		}
		seen[w.short] = true
	}
	workers = slices.Clone(workers)
	for i := range workers {
		workers[i].name = workers[i].short
	}
	return workers
}

// shortName is a worker's id without its random part.
func shortName(id string) string {
	if i := strings.LastIndexByte(id, '.'); i > 0 {
		id = id[:i]
	}
	return name(id)
}
