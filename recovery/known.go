package recovery

import (
	"maps"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// Known is what journals of a run told of its tests, should Redis lose it. The zero value knows nothing. It is for one
// controller at a time.
type Known struct {
	// events of each test as the journal tells them, and whether they end in a result.
	events map[string][]batch.Event
	final  map[string]bool
	// former are the events of tests that had a result in a journal which is lost, or was read before. A journal that begins anew
	// tells them again when they were brought back; until then nobody else may know them.
	former map[string][]batch.Event
}

// Add takes the next event of the journal.
func (k *Known) Add(e batch.Event) {
	if e.Type == batch.Opened || k.events == nil {
		if k.former == nil {
			k.former = map[string][]batch.Event{}
		}
		for test := range k.final {
			k.former[test] = k.events[test]
		}
		k.events, k.final = map[string][]batch.Event{}, map[string]bool{}
	}
	if e.Type != batch.Finish && e.Type != batch.Resulted {
		return
	}
	if slices.ContainsFunc(k.events[e.Test], func(told batch.Event) bool { return toldAgain(told, e) }) {
		return // brought back
	}
	k.events[e.Test] = append(k.events[e.Test], e)
	if e.Type == batch.Resulted || e.Decision == batch.Final {
		k.final[e.Test] = true
	}
}

// toldAgain tells whether two events of one test are one. Those without a batch have nothing but what they say to be known by.
func toldAgain(a, b batch.Event) bool {
	if a.Type != b.Type || a.Worker != b.Worker || a.Batch != b.Batch {
		return false
	}
	return a.Batch != batch.NoBatch || a.Decision == b.Decision && a.Outcome.Same(b.Outcome)
}

// Finals returns the events of the tests that have a result, by test.
func (k *Known) Finals() [][]batch.Event {
	all := maps.Clone(k.former)
	if all == nil {
		all = map[string][]batch.Event{}
	}
	for test := range k.final {
		all[test] = k.events[test]
	}
	var finals [][]batch.Event
	for _, test := range slices.Sorted(maps.Keys(all)) {
		finals = append(finals, all[test])
	}
	return finals
}
