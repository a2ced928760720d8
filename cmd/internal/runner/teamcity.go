package runner

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// teamcityMessage is a service message of TeamCity, which many test runners write. Attributes have unescaped values.
type teamcityMessage struct {
	name       string
	attributes map[string]string
}

// parseTeamcity reads a line "##teamcity[name key='value' …]"; the format is defined in TeamCity's documentation, "Service
// Messages". False: it is none.
func parseTeamcity(line string) (teamcityMessage, bool) {
	rest, ok := strings.CutPrefix(line, "##teamcity[")
	if !ok {
		return teamcityMessage{}, false
	}
	m := teamcityMessage{attributes: map[string]string{}}
	end := strings.IndexAny(rest, " ]")
	if end <= 0 {
		return m, false
	}
	m.name, rest = rest[:end], rest[end:]
	for {
		rest = strings.TrimLeft(rest, " ")
		if strings.HasPrefix(rest, "]") {
			return m, true
		}
		key, after, ok := strings.Cut(rest, "='")
		if !ok {
			return m, false
		}
		value, n := teamcityValue(after)
		if n < 0 {
			return m, false
		}
		m.attributes[key], rest = value, after[n:]
	}
}

// teamcityValue unescapes s up to the closing quote, and returns how many bytes that is with the quote; -1: there is none.
func teamcityValue(s string) (string, int) {
	var value strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			return value.String(), i + 1
		case c != '|' || i+1 == len(s):
			value.WriteByte(c)
		default:
			i++
			switch s[i] {
			case 'n':
				value.WriteByte('\n')
			case 'r':
				value.WriteByte('\r')
			case 'x':
				value.WriteRune('\u0085')
			case 'l':
				value.WriteRune('\u2028')
			case 'p':
				value.WriteRune('\u2029')
			case '0': // |0xABCD
				code, err := strconv.ParseUint(s[min(i+2, len(s)):min(i+6, len(s))], 16, 32)
				if err != nil || !strings.HasPrefix(s[i:], "0x") || !utf8.ValidRune(rune(code)) {
					value.WriteByte('0')
					continue
				}
				value.WriteRune(rune(code))
				i += 5
			default: // | ' [ ]
				value.WriteByte(s[i])
			}
		}
	}
	return "", -1
}
