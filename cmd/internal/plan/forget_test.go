package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/cmd/internal/flake"
)

// A test that is gone is forgotten after KeepDays with runs. One that was not part of some runs is not, however long nothing ran.
func TestForget(t *testing.T) {
	timings, err := ParseTimings([]byte(`{"version": 1, "tests": {"of an older version": {"seconds": 3}}}`))
	check(t, err)
	day := time.Unix(1_700_000_000, 0)
	record := func(tests ...string) []string {
		m := Measured{Ended: day, Seconds: map[string]float64{}}
		for _, id := range tests {
			m.Seconds[id] = 1
		}
		timings.Learn(m)
		gone := timings.Forget()
		slices.Sort(gone)
		return gone
	}
	record("all", "gone")
	timings.Learn(Measured{Ended: day, Results: map[string]flake.History{"fails": flake.Failed()}})
	day = day.Add(2 * 365 * 24 * time.Hour)
	for run := range 500 {
		if gone := record("all"); len(gone) > 0 {
			t.Fatalf("run %d of one day after two years: %q are forgotten", run, gone)
		}
	}
	for timings.Days.Count < KeepDays {
		day = day.Add(36 * time.Hour)
		if gone := record("all"); len(gone) > 0 {
			t.Fatalf("day %d: %q are forgotten", timings.Days.Count, gone)
		}
	}
	timings.Learn(Measured{Ended: day, Results: map[string]flake.History{"fails": flake.Failed()}})
	day = day.Add(24 * time.Hour)
	if diff := cmp.Diff([]string{"of an older version"}, record("all")); diff != "" {
		t.Error(diff)
	}
	day = day.Add(24 * time.Hour)
	if diff := cmp.Diff([]string{"gone"}, record("all")); diff != "" {
		t.Error(diff)
	}
	if len(timings.Tests) != 2 {
		t.Errorf("left: %v", timings.Tests)
	}
	before := timings.Days
	day = day.Add(-1000 * 24 * time.Hour) // a machine whose clock is wrong
	record("all")
	timings.Learn(Measured{Seconds: map[string]float64{"all": 1}}) // nobody knows when
	if timings.Days != before {
		t.Errorf("%+v, before %+v", timings.Days, before)
	}
}
