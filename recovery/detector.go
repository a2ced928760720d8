package recovery

import (
	"fmt"
	"math"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// detector finds workers whose beat stands still: for a whole lease, or for little more than a beat if their connections,
// which were there, are gone. The kernel closes those of a process that was killed.
type detector struct {
	lease time.Duration
	// last is when it looked last, seen what it saw: the beat of each worker and since when it is that.
	last time.Time
	seen map[string]standing
	// own are the observer's own connections as last seen: if none of them is left, the server may have been started again,
	// and all connections were closed.
	own map[string]bool
}

type standing struct {
	beat  int64
	since time.Time
	// connected: the worker's connections were seen on this server. cut: they were, and are gone.
	connected, cut bool
}

// death is a worker that is presumed dead, and why.
type death struct {
	worker batch.WorkerState
	why    string
}

// forget gives every worker a whole lease again: what happened is unknown.
func (d *detector) forget() { d.seen, d.own = nil, nil }

// cutPatience is how long the beat of a worker without connections may stand still: it may be connecting anew.
func (d *detector) cutPatience() time.Duration { return batch.BeatInterval(d.lease) * 5 / 4 }

// dead returns those of the workers that gave no sign of life, given that these were read at now, and who was connected
// then; no names: the server does not tell.
func (d *detector) dead(now time.Time, workers []batch.WorkerState, clients batch.Clients) []death {
	if gap := now.Sub(d.last); gap > d.lease/2 {
		d.forget()
	} else if blind := gap - batch.BeatInterval(d.lease); blind > 0 {
		for id, s := range d.seen { // a busy controller sees less, and must not take that for less beats
			s.since = s.since.Add(blind)
			d.seen[id] = s
		}
	}
	d.last = now
	renewed := !overlap(d.own, clients.Own)
	d.own = clients.Own
	seen := make(map[string]standing, len(workers))
	var dead []death
	for _, w := range workers {
		s, known := d.seen[w.ID]
		if !known || s.beat != w.Beat {
			s = standing{beat: w.Beat, since: now, connected: s.connected}
		}
		if renewed {
			s.connected, s.since = false, now
		}
		there := w.Client != "" && clients.Names[w.Client]
		s.connected = s.connected || there
		s.cut = s.connected && !there
		seen[w.ID] = s
		switch still := now.Sub(s.since); {
		case still >= d.lease:
			dead = append(dead, death{w, fmt.Sprintf("no sign of life for %v", d.lease)})
		case s.cut && still >= d.cutPatience():
			dead = append(dead, death{w, "its connection is closed and its beat stands still"})
		}
	}
	d.seen = seen
	return dead
}

// next returns how long it is, at now, until a worker without connections is to be presumed dead.
func (d *detector) next(now time.Time) time.Duration {
	next := time.Duration(math.MaxInt64)
	for _, s := range d.seen {
		if s.cut {
			next = min(next, s.since.Add(d.cutPatience()).Sub(now))
		}
	}
	return next
}

// overlap reports whether two sets share something, or one of them is unknown.
func overlap(a, b map[string]bool) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	for id := range a {
		if b[id] {
			return true
		}
	}
	return false
}
