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
// among them, over the first part of the run. Tests that take equally long stay in the order in which they were listed.
func Order(tests []batch.Test) {
	var known, unknown []batch.Test
	total := 0.0
	for _, t := range tests {
		if t.Seconds > 0 {
			known, total = append(known, t), total+t.Seconds
		} else {
			unknown = append(unknown, t)
		}
	}
	slices.SortStableFunc(known, func(a, b batch.Test) int { return cmp.Compare(b.Seconds, a.Seconds) })
	ordered, passed, next := tests[:0], 0.0, 0
	for _, t := range known {
		for next < len(unknown) && passed >= total*early*float64(next)/float64(len(unknown)) {
			ordered = append(ordered, unknown[next])
			next++
		}
		ordered = append(ordered, t)
		passed += t.Seconds
	}
	_ = append(ordered, unknown[next:]...) // in tests' own array, which holds as many
}
