package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

const (
	// maxGate and maxReason are the most characters that a sentence shows of a gate, which may be a whole script, and of what
	// somebody said about it.
	maxGate   = 80
	maxReason = 80
	// maxGates is how many gates get a sentence of their own.
	maxGates = 3
)

// GateName names a gate, of which label is the name or command, as part of a line: gate "gpu".
func GateName(label string) string {
	if label = OneLine(label, maxGate); label != "" {
		return `gate "` + label + `"`
	}
	return "a gate"
}

// words says who answered what, those that said the same together, in parts that are fit for a line. Whoever passed comes
// first: with them the tests might have run. most is the most characters of a reason.
func (g *Gate) words(most int) []string {
	type answer struct{ verb, note string }
	by := map[answer][]string{}
	var said []answer
	for _, a := range g.Answers {
		is := answer{"refused by ", OneLine(a.Reason, most)}
		if a.Passed {
			is = answer{"passed by ", "no longer here"}
		}
		if a.Passed && a.Late {
			is.note = "too late"
		}
		if by[is] == nil {
			said = append(said, is)
		}
		by[is] = append(by[is], a.Worker)
	}
	slices.SortStableFunc(said, func(a, b answer) int { return cmp.Compare(a.verb, b.verb) })
	var parts []string
	for _, is := range said {
		parts = append(parts, is.verb+Names(by[is], 3)+reason(is.note))
	}
	return parts
}

// behind are the unroutable tests of one gate.
type behind struct {
	*Gate
	tests []Judged
}

// unroutable returns the tests for which no worker qualified, by the labels of their gates.
func (v Verdict) unroutable() []behind {
	groups := map[string]*behind{}
	for _, j := range v.with(batch.Unroutable) {
		g := j.Gate
		if g == nil {
			g = &Gate{} // the journal does not tell
		}
		if groups[g.Label] == nil {
			groups[g.Label] = &behind{Gate: g}
		}
		groups[g.Label].tests = append(groups[g.Label].tests, j)
	}
	var sorted []behind
	for _, label := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, *groups[label])
	}
	return sorted
}

// gateSentences says for which gates no worker qualified, a sentence each.
func gateSentences(gates []behind) []string {
	var all []string
	for i, b := range gates {
		if i == maxGates {
			tests := 0
			for _, other := range gates[i:] {
				tests += len(other.tests)
			}
			return append(all, fmt.Sprintf("%s behind %s, for which no live worker qualified",
				are(tests), count(len(gates)-i, "other gate")))
		}
		text := fmt.Sprintf("%s behind %s, for which no live worker qualified", are(len(b.tests)), GateName(b.Label))
		if said := b.words(maxReason); len(said) > 0 {
			text += ": " + strings.Join(said[:min(len(said), 2)], "; ")
			if len(said) > 2 {
				text += "; and " + count(len(said)-2, "more answer")
			}
		}
		all = append(all, text)
	}
	return all
}

// are returns "1 test is", "2 tests are".
func are(tests int) string {
	if tests == 1 {
		return "1 test is"
	}
	return count(tests, "test") + " are"
}
