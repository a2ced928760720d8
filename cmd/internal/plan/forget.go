package plan

import "time"

// Days count the days, of UTC, on which runs were recorded. Records grow old by these and not by the calendar: when nobody ran anything
// for a year, the first run after it, of a part of the tests, must not forget the others.
type Days struct {
	Count int `json:"count,omitempty"`
	// Last is the newest of them, in days since 1970.
	Last int `json:"last,omitempty"`
}

// On returns the days with that of t, if it is a new one. A clock that went back counts nothing.
func (d Days) On(t time.Time) Days {
	if day := int(t.Unix() / (24 * 60 * 60)); day > d.Last {
		return Days{Count: d.Count + 1, Last: day}
	}
	return d
}

// KeepDays is for how many of Days the record of a test is kept that neither passes nor fails.
const KeepDays = 90

// Forget removes the records of tests that neither passed nor failed on any of the last KeepDays, and returns their names. Records of
// older versions, which know no day, count from the first one on.
func (t *Timings) Forget() (gone []string) {
	for id, r := range t.Tests {
		if t.Days.Count-r.Seen > KeepDays {
			gone = append(gone, id)
			delete(t.Tests, id)
		}
	}
	return gone
}
