package runner

import (
	"regexp"
	"slices"
	"strings"
)

// Reproduce returns the command, for a POSIX shell, that runs one test again without this program; "" if id is no Go test.
func (g *Go) Reproduce(id string) string {
	pkg, name, err := parseGoID(id)
	if err != nil {
		return ""
	}
	words := slices.Concat([]string{"go", "test"}, g.args.list, g.args.test)
	if name != goPackageUnit {
		words = slices.Insert(words, 2, "-run", "^"+regexp.QuoteMeta(name)+"$")
	}
	// The package comes before flags that only the tests know, which end go's own.
	words = slices.Insert(words, 2, pkg)
	for i, word := range words {
		words[i] = ShellQuote(word)
	}
	return strings.Join(words, " ")
}

var shellSafe = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// ShellQuote makes one word of a POSIX shell's command line.
func ShellQuote(word string) string {
	if shellSafe.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
