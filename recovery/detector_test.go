package recovery

import (
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// A controller that looks seldom still finds a dead worker, only later; one that was blind for long starts anew.
func TestDetectorGaps(t *testing.T) {
	const lease = 16 * time.Second // a beat every 2 s
	for name, test := range map[string]struct{ gap, atLeast, atMost time.Duration }{
		"often":  {time.Second, lease, lease + time.Second},
		"seldom": {4 * time.Second, 2 * lease, 2*lease + 4*time.Second}, // of each 4 s it can be sure of 2 s
	} {
		t.Run(name, func(t *testing.T) {
			d := detector{lease: lease}
			began := time.Now()
			now := began
			for ; now.Sub(began) < time.Minute; now = now.Add(test.gap) {
				if len(d.dead(now, []batch.WorkerState{{ID: "w", Beat: 1}}, batch.Clients{})) > 0 {
					break
				}
			}
			if took := now.Sub(began); took < test.atLeast || took > test.atMost {
				t.Errorf("dead after %v, want %v to %v", took, test.atLeast, test.atMost)
			}
		})
	}
	d := detector{lease: lease}
	now := time.Now()
	workers := []batch.WorkerState{{ID: "w", Beat: 1}}
	d.dead(now, workers, batch.Clients{})
	if dead := d.dead(now.Add(time.Hour), workers, batch.Clients{}); len(dead) > 0 {
		t.Errorf("dead after a gap: %v", dead)
	}
}

// A worker whose connections were there and are gone is dead after little more than a beat; one that beats is not, nor one
// whose connections were never seen, nor anybody after the observer's own connections were cut too.
func TestDetectorOfConnections(t *testing.T) {
	const lease = 16 * time.Second // a beat every 2 s
	there := batch.Clients{Own: map[string]bool{"1": true}, Names: map[string]bool{"w": true}}
	gone := batch.Clients{Own: map[string]bool{"1": true}}
	anew := batch.Clients{Own: map[string]bool{"2": true}}
	back := batch.Clients{Own: map[string]bool{"2": true}, Names: map[string]bool{"w": true}}
	for name, test := range map[string]struct {
		clients []batch.Clients // each for a second; the last for ever
		beats   bool
		least   time.Duration // 0: never
	}{
		"killed":                      {[]batch.Clients{there, gone}, false, 3 * time.Second},
		"connects anew":               {[]batch.Clients{there, gone, gone, there}, true, 0},
		"beats through another":       {[]batch.Clients{there, gone}, true, 0},
		"was never seen":              {[]batch.Clients{gone}, false, lease},
		"the server was started anew": {[]batch.Clients{there, anew}, false, lease + time.Second},
		"and it came back":            {[]batch.Clients{there, anew, back, anew}, false, 4 * time.Second},
		"nobody tells":                {[]batch.Clients{{}}, false, lease},
	} {
		t.Run(name, func(t *testing.T) {
			d := detector{lease: lease}
			began := time.Now()
			worker := batch.WorkerState{ID: "w", Client: "w", Beat: 1}
			for n := 0; n < 40; n++ {
				now := began.Add(time.Duration(n) * time.Second)
				if test.beats {
					worker.Beat++
				}
				if dead := d.dead(now, []batch.WorkerState{worker}, test.clients[min(n, len(test.clients)-1)]); len(dead) > 0 {
					if took := now.Sub(began); took < test.least || took > test.least+time.Second || test.least == 0 {
						t.Errorf("dead after %v (%s), want %v", took, dead[0].why, test.least)
					}
					return
				}
			}
			if test.least != 0 {
				t.Errorf("not dead, want it after %v", test.least)
			}
		})
	}
}
