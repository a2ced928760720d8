// Package words does small things to text.
package words

import (
	"slices"
	"strings"
	"unicode"
)

// Slug makes a title fit for a URL: lower-case letters and digits, joined by single hyphens.
func Slug(title string) string {
	parts := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(parts, "-")
}

// Reverse returns the characters of s from last to first.
func Reverse(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}

// IsPalindrome tells whether s reads the same both ways, by its letters alone.
func IsPalindrome(s string) bool {
	letters := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	return letters == Reverse(letters)
}

// Count returns how often each word occurs, whatever its case.
func Count(text string) map[string]int {
	counts := map[string]int{}
	for _, word := range strings.Fields(strings.ToLower(text)) {
		counts[strings.Trim(word, ".,;:!?")]++
	}
	return counts
}

// Initials returns the first letter of each word, as a capital.
func Initials(name string) string {
	var initials strings.Builder
	for _, word := range strings.Fields(name) {
		initials.WriteRune(unicode.ToUpper([]rune(word)[0]))
	}
	return initials.String()
}

// Shorten cuts s to at most most characters, the last of which is then an ellipsis.
func Shorten(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return strings.TrimSpace(string(runes[:most-1])) + "…"
}

// Wrap breaks text into lines of at most width bytes. A longer word gets a line to itself.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
