package plan

import (
	"cmp"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// Split returns the tests of shard index (from 0) of total, in the order of the list. It gives each test, longest first, to the
// shard with the least to do; tests of unknown duration count as the mean. It depends on nothing but its arguments: machines
// with the same list and durations split alike, and their shards together are the list.
func Split(tests []batch.Test, index, total int) []batch.Test {
	mean, known := 0.0, 0
	for _, t := range tests {
		if t.Seconds > 0 {
			mean, known = mean+t.Seconds, known+1
		}
	}
	if known == 0 {
		mean, known = 1, 1
	}
	mean /= float64(known)
	seconds := func(t batch.Test) float64 {
		if t.Seconds > 0 {
			return t.Seconds
		}
		return mean
	}
	order := make([]int, len(tests))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(seconds(tests[b]), seconds(tests[a])), cmp.Compare(tests[a].ID, tests[b].ID))
	})
	load := make([]float64, total)
	mine := make([]bool, len(tests))
	for _, i := range order {
		least := 0
		for shard := range load {
			if load[shard] < load[least] {
				least = shard
			}
		}
		load[least] += seconds(tests[i])
		mine[i] = least == index
	}
	var shard []batch.Test
	for i, t := range tests {
		if mine[i] {
			shard = append(shard, t)
		}
	}
	return shard
}
