package report

import (
	"fmt"
	"strings"
)

// markdown makes one line of text mean itself in GitHub's Markdown and in the HTML within: every sign that could mean something else
// is written as a character reference, of which no structure is made. https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references
func markdown(line string) string {
	var b strings.Builder
	for i, r := range line {
		switch {
		case i == 0 && strings.ContainsRune("+-=0123456789", r):
			fmt.Fprintf(&b, "&#%d;", r) // it might begin a list
		case r >= 0x80, strings.ContainsRune(harmless, r):
			b.WriteRune(r)
		case (r == ':' || r == '.') && strings.ContainsAny(line[i+1:min(i+2, len(line))], " 0123456789"):
			b.WriteRune(r) // as in a sentence or a number, which no address is
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// harmless are the ASCII characters that mean nothing within a line.
const harmless = ` ()',;?/+-=%"{}^!0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`

// htmlEscapes are for the text of a <pre>.
var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// preformatted shows an excerpt as it is. The blank line before makes the <pre> begin a block of HTML of its own, which ends only
// with </pre>: https://spec.commonmark.org/0.31.2/#html-blocks
func preformatted(lines []excerptLine) string {
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n<pre>\n")
	for _, l := range lines {
		b.WriteString(htmlEscapes.Replace(l.words()))
		b.WriteByte('\n')
	}
	b.WriteString("</pre>\n\n")
	return b.String()
}
