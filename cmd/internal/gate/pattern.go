package gate

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Pattern says which tests, by their whole id:
//
//   - /regexp/ matches anywhere in it, by the syntax of Go (https://pkg.go.dev/regexp/syntax): /(?i)cuda/.
//   - Anything else is a glob that covers all of it: "*" stands for any characters, "/" included, or none, "?" for one, and every
//     other character for itself. So "[" needs no care: *::test_sum[cuda-*] means a parameter of pytest.
type Pattern struct {
	text string
	re   *regexp.Regexp
}

// ParsePattern makes a Pattern of its text, as a person writes it.
func ParsePattern(text string) (Pattern, error) {
	expr := `(?s)\A` + globs.Replace(regexp.QuoteMeta(text)) + `\z`
	switch {
	case text == "" || text == "//":
		return Pattern{}, errors.New(`the pattern is empty; "*" matches every test`)
	case strings.HasPrefix(text, "/") && (len(text) == 1 || !strings.HasSuffix(text, "/")):
		return Pattern{}, fmt.Errorf(`the pattern %q begins with "/" but does not end with it: write /regexp/, or "*%s" if test ids begin with "/"`, text, text)
	case strings.HasPrefix(text, "/"):
		expr = text[1 : len(text)-1]
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return Pattern{}, fmt.Errorf("the pattern %q: %w", text, err)
	}
	return Pattern{text: text, re: re}, nil
}

// globs turns what QuoteMeta made of the two special characters of a glob into what they mean.
var globs = strings.NewReplacer(`\*`, `.*`, `\?`, `.`)

// Match tells whether p means the test with this id.
func (p Pattern) Match(id string) bool { return p.re.MatchString(id) }

// String returns the text that p was made of.
func (p Pattern) String() string { return p.text }
