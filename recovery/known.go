package recovery

import (
	"maps"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// known is what the journal told of the tests, should Redis lose it.
type known struct {
	events map[string][]batch.Event
	final  map[string]bool
}

func (k *known) add(e batch.Event) {
	if e.Type == batch.Opened || k.events == nil { // a journal that begins anew tells again what was brought back
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
	var finals [][]batch.Event
	for _, test := range slices.Sorted(maps.Keys(k.final)) {
		finals = append(finals, k.events[test])
	}
	return finals
}
