package worker

import (
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// mostOutput is how much output of one attempt travels, that of its cases included (about: a note takes the place of what is
// left out).
const mostOutput = 16 << 10

// clip shortens the output of an outcome to what travels.
func clip(o *batch.Outcome) {
	if o.Status == batch.Passed || o.Status == batch.Skipped {
		o.Output = ""
		for i := range o.Cases {
			o.Cases[i].Output = ""
		}
		return
	}
	o.Output = shorten(o.Output, mostOutput)
	left := mostOutput - len(o.Output)
	for i := range o.Cases {
		o.Cases[i].Output = shorten(o.Cases[i].Output, max(0, left))
		left -= len(o.Cases[i].Output)
	}
}

// shorten keeps the beginning and the end of a text, about most bytes of it.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	head, tail := text[:most/4], text[len(text)-most*3/4:]
	return strings.ToValidUTF8(fmt.Sprintf("%s\n[… %d bytes not kept …]\n%s", head, len(text)-most, tail), "\uFFFD")
}
