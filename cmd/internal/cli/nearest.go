package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the words in the order of how near they are to what was typed, the nearest first.
func Nearest(typed string, words []string) []string {
	sorted := slices.Clone(words)
	slices.SortStableFunc(sorted, func(a, b string) int {
		return cmp.Compare(distance(typed, a), distance(typed, b))
	})
	return sorted
}

// distance is how many letters have to change. What is only in another case is nearly the same, and so is what is spelt with other dashes.
func distance(a, b string) int {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }
	return levenshtein.ComputeDistance(plain(a), plain(b))
}

// MeantBy is a question for a message about an unknown word: "; did you mean retries?". It is empty if no word is near.
func MeantBy(typed string, words []string) string {
	if len(words) == 0 {
		return ""
	}
	nearest := Nearest(typed, words)[0]
	if d := distance(typed, nearest); d <= 1 || 2*d <= len(nearest) {
		return "; did you mean " + nearest + "?"
	}
	return ""
}
