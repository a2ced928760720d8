package report

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shardctl/shardctl/junit"
)

const (
	// maxName and maxMessage are the most characters that a line shows of a name and of any other foreign text.
	maxName    = 300
	maxMessage = 300
)

// clean makes foreign text harmless inside of a line that begins with text of ours.
func clean(s string) string { return junit.SanitizeLine(s) }

// OneLine makes foreign text a part of a line: line breaks become blanks, and what is longer than most characters is cut.
func OneLine(s string, most int) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, clean(s)))
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return s
}

func name(s string) string    { return OneLine(s, maxName) }
func message(s string) string { return OneLine(s, maxMessage) }

// withMessage returns ": s", or nothing if s is blank.
func withMessage(s string) string {
	if s = message(s); s != "" {
		return ": " + s
	}
	return ""
}

// quote returns an excerpt of foreign text, each line behind indent and "| ", which keeps a CI system from reading a line as a
// command to it.
func quote(s, indent string, most int) string {
	var b strings.Builder
	for _, l := range excerpt(s, most) {
		if l.cut > 0 {
			fmt.Fprintf(&b, "%s%s\n", indent, l.words())
		} else {
			fmt.Fprintf(&b, "%s| %s\n", indent, l.text)
		}
	}
	return b.String()
}

// excerptLine is a line of foreign text, or stands for as many as were cut.
type excerptLine struct {
	text string
	cut  int
}

// words says what the line stands for.
func (l excerptLine) words() string {
	if l.cut > 0 {
		return fmt.Sprintf("… %s cut here …", count(l.cut, "line"))
	}
	return l.text
}

// excerpt returns the lines of foreign text, of which each is harmless where it begins no line. Of more than most lines the middle is
// cut; the first third and the rest at the end stay. A carriage return ends a line too, since GitHub's runner takes it so. Blank text
// has no lines.
func excerpt(s string, most int) []excerptLine {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(clean(s))
	s = strings.Trim(s, "\n")
	if strings.TrimSpace(s) == "" {
		return nil
	}
	lines := strings.Split(s, "\n")
	head, tail := len(lines), len(lines)
	if len(lines) > most {
		head = most / 3
		tail = len(lines) - (most - head)
	}
	var some []excerptLine
	for i, l := range lines {
		switch {
		case i < head || i >= tail:
			if n := utf8.RuneCountInString(l); n > maxLine {
				l = fmt.Sprintf("%s… (%d more characters)", string([]rune(l)[:maxLine]), n-maxLine)
			}
			some = append(some, excerptLine{text: strings.TrimRight(l, " \t")})
		case i == head:
			some = append(some, excerptLine{cut: tail - head})
		}
	}
	return some
}

// maxLine is the most characters that an excerpt shows of a line.
const maxLine = 500

// count returns "1 test", "2 tests".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// seconds returns a duration as a person reads it: 0.012s, 3.2s, 2m03s, 1h02m.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < 0:
		return "0s"
	case d < time.Second-time.Millisecond/2:
		return fmt.Sprintf("%.3gs", d.Round(time.Millisecond).Seconds())
	case d < 59950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour-time.Second/2:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
