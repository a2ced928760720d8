package quarantine

import (
	"fmt"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/gate"
)

// Entry is an entry of .shard.yml.
type Entry struct {
	// Tests are those that it is about.
	Tests gate.Pattern
	// Owner looks after them, Reason is why they are in quarantine.
	Owner, Reason string
	// Until is the last day, in UTC.
	Until time.Time
	// Line of the file on which it begins.
	Line int
}

// Layout is how a day is written, see time.Parse.
const Layout = time.DateOnly

// expired tells whether its last day is over.
func (e Entry) expired(now time.Time) bool { return !now.Before(e.Until.AddDate(0, 0, 1)) }

// quarantine is what the entry means for its tests.
func (e Entry) quarantine() batch.Quarantine {
	return batch.Quarantine{Owner: e.Owner, Reason: e.Reason, Until: e.Until.Format(Layout)}
}

// Rules tell which test is in quarantine. The first entry decides that fits a test and has not expired. They belong to one
// goroutine.
type Rules struct {
	entries []Entry
	now     time.Time
	// fits counts the tests that each entry fits.
	fits []int
}

// NewRules makes Rules of the entries of .shard.yml, as they hold now.
func NewRules(entries []Entry, now time.Time) *Rules {
	return &Rules{entries: entries, now: now, fits: make([]int, len(entries))}
}

// Of returns the quarantine of the test with this id, which may be none.
func (r *Rules) Of(id string) (found batch.Quarantine) {
	for i, e := range r.entries {
		if !e.Tests.Match(id) {
			continue
		}
		r.fits[i]++
		if found.None() && !e.expired(r.now) {
			found = e.quarantine()
		}
	}
	return found
}

// Warnings says, a sentence each, which entries have expired and which fit no test that Of was asked for: a typo, or a test that is
// gone. They are to be removed, or set right.
func (r *Rules) Warnings() []string {
	var all []string
	for i, e := range r.entries {
		entry := fmt.Sprintf(".shard.yml:%d: the quarantine of %q (%s)", e.Line, e.Tests, e.Owner)
		switch {
		case e.expired(r.now) && r.fits[i] > 0:
			all = append(all, fmt.Sprintf("%s ended with %s: its failures fail the run again; mend what it fits, %s, or give it another day",
				entry, e.Until.Format(Layout), tests(r.fits[i])))
		case e.expired(r.now):
			all = append(all, fmt.Sprintf("%s ended with %s and fits no test of this list: remove it", entry, e.Until.Format(Layout)))
		case r.fits[i] == 0:
			all = append(all, entry+" fits no test of this list: is it spelled right, or is the test gone?")
		}
	}
	return all
}

func tests(n int) string {
	if n == 1 {
		return "1 test"
	}
	return fmt.Sprintf("%d tests", n)
}
