package report

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// fit cuts the middle out of a text that is wider than so many columns of a terminal: of a test's name both ends tell most. A
// character may take two columns, or none.
func fit(s string, columns int) string {
	wide := runewidth.StringWidth(s)
	if wide <= columns {
		return s
	}
	const gap = "…"
	room := columns - runewidth.StringWidth(gap)
	if room < 2 {
		return runewidth.Truncate(s, max(columns, 0), "")
	}
	end := room / 2
	return runewidth.Truncate(s, room-end, "") + gap + runewidth.TruncateLeft(s, wide-end, "")
}

// pad fills a text up to so many columns.
func pad(s string, columns int) string {
	return s + strings.Repeat(" ", max(0, columns-runewidth.StringWidth(s)))
}
