package recovery

import (
	"time"

	"github.com/shardctl/shardctl/batch"
)

// detector finds workers whose beat stands still.
type detector struct {
	lease time.Duration
	// last is when it looked last, seen what it saw: the beat of each worker and since when it is that.
	last time.Time
	seen map[string]standing
}

type standing struct {
	beat  int64
	since time.Time
}

// forget gives every worker a whole lease again: what happened is unknown.
func (d *detector) forget() { d.seen = nil }

// dead returns those of the workers that have not beaten for a whole lease, given that these were read at now.
func (d *detector) dead(now time.Time, workers []batch.WorkerState) []batch.WorkerState {
	if gap := now.Sub(d.last); gap > d.lease/2 {
		d.forget()
	} else if blind := gap - batch.BeatInterval(d.lease); blind > 0 {
		for id, s := range d.seen { // a busy controller sees less, and must not take that for less beats
			d.seen[id] = standing{s.beat, s.since.Add(blind)}
		}
	}
	d.last = now
	seen := make(map[string]standing, len(workers))
	var dead []batch.WorkerState
	for _, w := range workers {
		s, known := d.seen[w.ID]
		if !known || s.beat != w.Beat {
			s = standing{beat: w.Beat, since: now}
		}
		seen[w.ID] = s
		if now.Sub(s.since) >= d.lease {
			dead = append(dead, w)
		}
	}
	d.seen = seen
	return dead
}
