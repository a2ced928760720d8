package junit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sanitize makes s fit for XML 1.0 and harmless for a terminal, in this order, in one pass:
//
//  1. ANSI escape sequences (ECMA-48: colours, cursor movement, window titles), in their 7-bit form ESC [ … and in their
//     8-bit form U+009B …, are removed.
//  2. What is left of control characters (but tab, newline and carriage return), the non-characters U+FFFE and U+FFFF, and
//     each byte that is not UTF-8, is replaced with U+FFFD.
//
// An escape sequence that is not complete loses its escape character only, so that no text vanishes behind it; and what
// the removal of one sequence brings together is never taken for another one. XML 1.0 allows DEL and the C1 controls
// (U+007F to U+009F); they are replaced all the same, since terminals act on them. A string that needs no change is
// returned as it is.
func Sanitize(s string) string {
	i := firstUnclean(s)
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for i < len(s) {
		if n := escapeLen(s[i:]); n > 0 {
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !clean(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// firstUnclean returns the position of the first character of s that Sanitize would change, or len(s).
func firstUnclean(s string) int {
	for i, r := range s {
		if !clean(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return i
		}
	}
	return len(s)
}

func clean(r rune) bool {
	return legal(r) && (!unicode.IsControl(r) || r < ' ')
}

// legal says whether r is a Char of XML 1.0, https://www.w3.org/TR/xml/#charsets.
func legal(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// escapeLen returns the length of the escape sequence that s starts with, 0 if there is none or if it is not complete.
func escapeLen(s string) int {
	const csi = "\u009b" // the 8-bit form of ESC [
	if body, ok := strings.CutPrefix(s, csi); ok {
		return sequenceLen(len(csi), body, 0x30, 0x40)
	}
	if len(s) < 2 || s[0] != '\x1b' {
		return 0
	}
	switch s[1] {
	case '[':
		return sequenceLen(2, s[2:], 0x30, 0x40)
	case ']', 'P', 'X', '^', '_':
		return controlStringLen(s)
	default:
		return sequenceLen(1, s[1:], 0x30, 0x30)
	}
}

// sequenceLen returns intro plus the length of: parameter bytes from params to 0x3F, intermediate bytes from 0x20 to 0x2F,
// one final byte from final to 0x7E. Without parameters, params equals final.
func sequenceLen(intro int, body string, params, final byte) int {
	i := 0
	for params < final && i < len(body) && body[i] >= params && body[i] <= 0x3F {
		i++
	}
	for i < len(body) && body[i] >= 0x20 && body[i] <= 0x2F {
		i++
	}
	if i == len(body) || body[i] < final || body[i] > 0x7E {
		return 0
	}
	return intro + i + 1
}

// controlStringLen returns the length of a control string (ESC ] … and its like) up to its terminator, BEL or ESC \. One
// that does not end in its own line is no control string, lest a stray opener swallow the rest of an output.
func controlStringLen(s string) int {
	for i := 2; i < len(s); i++ {
		switch {
		case s[i] == '\a':
			return i + 1
		case strings.HasPrefix(s[i:], "\x1b\\"):
			return i + 2
		case s[i] < ' ':
			return 0
		}
	}
	return 0
}

// brackets takes the sense from the commands that GitHub (ActionCommand.TryParse) and Azure Pipelines look for anywhere in a
// line.
var brackets = strings.NewReplacer("##[", "## [", "##vso[", "## vso[", "##teamcity[", "## teamcity[")

// SanitizeLine is Sanitize for what becomes part of a line in the log of a CI job. Commands that count only at the beginning of a
// line, as GitHub's "::name::", are the caller's business: foreign text should begin no line.
func SanitizeLine(s string) string { return brackets.Replace(Sanitize(s)) }
