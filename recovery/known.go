package recovery

import (
	"maps"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// known is what the journal told of the tests, should Redis lose it.
type known struct {
	// events of each test as the journal tells them, and whether they end in a result.
	events map[string][]batch.Event
	final  map[string]bool
	// former are the events of tests that had a result in a journal which is lost. A journal that begins anew tells them again when
	// they were brought back; until then nobody else may know them.
	former map[string][]batch.Event
}

func (k *known) add(e batch.Event) {
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
	for _, told := range k.events[e.Test] {
		if e.Batch != batch.NoBatch && told.Worker == e.Worker && told.Batch == e.Batch {
			return // brought back, and told again
		}
	}
	k.events[e.Test] = append(k.events[e.Test], e)
	if e.Type == batch.Resulted || e.Decision == batch.Final {
		k.final[e.Test] = true
	}
}

// finals are the events of the tests that have a result.
func (k *known) finals() [][]batch.Event {
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
