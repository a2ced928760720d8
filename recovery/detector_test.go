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
