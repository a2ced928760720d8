package plan

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// DescribeSplit says how a list is split, and what a shard of it has. It begins with a digest of all that Split depends on: machines
// that say the same one split alike.
func DescribeSplit(tests, part []batch.Test, index, total int) string {
	digest, known := sha256.New(), 0
	for _, t := range tests {
		fmt.Fprintf(digest, "%s\n%s\n%v\n", t.ID, t.Group, t.Seconds)
		if t.Seconds > 0 {
			known++
		}
	}
	return fmt.Sprintf("split %x of %d tests, %d of them of known duration, into %d shards: shard %d has %d",
		digest.Sum(nil)[:6], len(tests), known, total, index+1, len(part))
}

// Split returns the tests of shard index (from 0) of total, in the order of the list. It gives each test, longest first, to the
// shard with the least to do; tests of unknown duration count as the mean, those of one group as one. It depends on nothing but its arguments: machines
// with the same list and durations split alike, and their shards together are the list.
func Split(tests []batch.Test, index, total int) []batch.Test {
	all := blocks(tests)
	mean, known := 0.0, 0
	for _, b := range all {
		if b.seconds > 0 {
			mean, known = mean+b.seconds, known+1
		}
	}
	if known == 0 {
		mean, known = 1, 1
	}
	mean /= float64(known)
	seconds := func(b block) float64 {
		if b.seconds > 0 {
			return b.seconds
		}
		return mean
	}
	slices.SortStableFunc(all, func(a, b block) int {
		return cmp.Or(cmp.Compare(seconds(b), seconds(a)), cmp.Compare(a.tests[0].ID, b.tests[0].ID))
	})
	load := make([]float64, total)
	mine := map[string]bool{}
	for _, b := range all {
		least := 0
		for shard := range load {
			if load[shard] < load[least] {
				least = shard
			}
		}
		load[least] += seconds(b)
		if least == index {
			for _, t := range b.tests {
				mine[t.ID] = true
			}
		}
	}
	var shard []batch.Test
	for _, t := range tests {
		if mine[t.ID] {
			shard = append(shard, t)
		}
	}
	return shard
}
