package plan

import (
	"cmp"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// early is the part of the expected time over which tests of unknown duration are spread: first claims reach so far, so that
// none of them, which may be long, begins late, and no worker takes many of them.
const early = 0.7

// Order sorts a list as it should wait in the queue: those that are expected to take longest first, and those of unknown duration
// among them, over the first part of the run. Tests of one group count as one and stand side by side. What takes equally long
// stays in the order in which it was listed.
func Order(tests []batch.Test) {
	var known, unknown []block
	total := 0.0
	for _, b := range blocks(tests) {
		if b.seconds > 0 {
			known, total = append(known, b), total+b.seconds
		} else {
			unknown = append(unknown, b)
		}
	}
	slices.SortStableFunc(known, func(a, b block) int { return cmp.Compare(b.seconds, a.seconds) })
	var ordered []batch.Test
	passed, next := 0.0, 0
	for _, b := range known {
		for next < len(unknown) && passed >= total*early*float64(next)/float64(len(unknown)) {
			ordered = append(ordered, unknown[next].tests...)
			next++
		}
		ordered = append(ordered, b.tests...)
		passed += b.seconds
	}
	for _, b := range unknown[next:] {
		ordered = append(ordered, b.tests...)
	}
	copy(tests, ordered)
}

// block are tests that are claimed together, and how long they are expected to take; 0: nothing is known of any.
type block struct {
	tests   []batch.Test
	seconds float64
}

// blocks are the groups of a list, and the tests that are in none, in the order in which they first come.
func blocks(tests []batch.Test) []block {
	var all []block
	at := map[string]int{}
	for _, t := range tests {
		i, ok := at[t.Group]
		if t.Group == "" || !ok {
			i = len(all)
			all = append(all, block{})
			at[t.Group] = i
		}
		all[i].tests = append(all[i].tests, t)
		all[i].seconds += t.Seconds
	}
	return all
}
