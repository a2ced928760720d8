package plan

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/flake"
)

// Record is what is kept of one test from run to run.
type Record struct {
	// Seconds that a passing attempt takes: an exponentially weighted mean. 0: it never passed.
	Seconds float64 `json:"seconds,omitempty"`
	// Seen is Days.Count of when the test last passed or failed; see Forget.
	Seen int `json:"seen,omitempty"`
	// History of its results.
	flake.History
}

// weight is that of the newest duration in Record.Seconds; most is how far it may be off the mean to count in full: a machine
// that hung for a minute says little about the test.
const (
	weight = 0.3
	most   = 4
)

// Learn returns the record with one more duration.
func (r Record) Learn(seconds float64) Record {
	if r.Seconds <= 0 {
		r.Seconds = seconds
	} else {
		seconds = min(max(seconds, r.Seconds/most), r.Seconds*most)
		r.Seconds += weight * (seconds - r.Seconds)
	}
	return r
}

// Costs are what is lost before the first test of a batch begins, in seconds: a weighted mean, as Record.Seconds.
type Costs struct {
	// First is that of a worker's first batch, which may hold compiling and collecting; Startup that of its others.
	First   float64 `json:"first,omitempty"`
	Startup float64 `json:"startup,omitempty"`
}

// Start is Startup as a duration, as exact as Redis holds it.
func (c Costs) Start() time.Duration { return time.Duration(c.Startup*1e6) * time.Microsecond }

// Fleet are so many workers that were announced and have these costs.
func (c Costs) Fleet(workers int) Fleet {
	more := time.Duration((c.First - c.Startup) * float64(time.Second))
	return Fleet{Workers: workers, Announced: true, Startup: c.Start(), First: max(0, more)}
}

// Timings are the records of a suite by test, and what starting its runner costs. They are JSON:
//
//	{"version": 1, "costs": {"first": 0.9, "startup": 0.17}, "days": {"count": 7, "last": 20779},
//	 "tests": {"tests/test_a.py::test_one": {"seconds": 1.25, "seen": 7, "runs": 12}}}
type Timings struct {
	Version int               `json:"version"`
	Costs   Costs             `json:"costs"`
	Days    Days              `json:"days"`
	Tests   map[string]Record `json:"tests"`
}

// timingsVersion is that of the format.
const timingsVersion = 1

// ParseTimings reads what Timings marshals to. Nothing at all is no timings yet.
func ParseTimings(text []byte) (Timings, error) {
	t := Timings{Version: timingsVersion, Tests: map[string]Record{}}
	if len(text) == 0 {
		return t, nil
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return t, fmt.Errorf("not timings as this program writes them: %w", err)
	}
	if t.Version != timingsVersion {
		return t, fmt.Errorf("timings of version %d, here %d: use one version of this program, or remove them", t.Version, timingsVersion)
	}
	if t.Tests == nil {
		t.Tests = map[string]Record{}
	}
	return t, nil
}

// Measured is what one run tells about durations.
type Measured struct {
	// Ended is when the run did; zero: unknown.
	Ended time.Time
	// Seconds of each test that passed.
	Seconds map[string]float64
	// First and Startup are what Costs are made of; 0: unknown.
	First, Startup time.Duration
	// Results are what the run adds to the history of tests.
	Results map[string]flake.History
}

// Learn takes what a run measured into the timings.
func (t *Timings) Learn(m Measured) {
	t.Days = t.Days.On(m.Ended)
	for id, seconds := range m.Seconds {
		r := t.Tests[id].Learn(seconds)
		r.Seen = t.Days.Count
		t.Tests[id] = r
	}
	for id, adds := range m.Results {
		r := t.Tests[id]
		r.History, r.Seen = r.History.Plus(adds), t.Days.Count
		t.Tests[id] = r
	}
	t.Costs.First = learnCost(t.Costs.First, m.First)
	t.Costs.Startup = learnCost(t.Costs.Startup, m.Startup)
}

func learnCost(known float64, measured time.Duration) float64 {
	if measured <= 0 {
		return known
	}
	return Record{Seconds: known}.Learn(measured.Seconds()).Seconds
}

// Estimate fills in the expected seconds of tests that have none: what is recorded, or the median of the tests of the same
// file. Others stay unknown: the queue treats them so. It returns how many are.
func (t Timings) Estimate(tests []batch.Test) (unknown int) {
	files := map[string][]float64{}
	for id, r := range t.Tests {
		if file := FileOf(id); file != "" && r.Seconds > 0 {
			files[file] = append(files[file], r.Seconds)
		}
	}
	for i := range tests {
		if tests[i].Seconds > 0 {
			continue
		}
		if r := t.Tests[tests[i].ID]; r.Seconds > 0 {
			tests[i].Seconds = r.Seconds
		} else if known := files[FileOf(tests[i].ID)]; len(known) > 0 {
			slices.Sort(known)
			tests[i].Seconds = known[len(known)/2]
		}
		if tests[i].Seconds <= 0 {
			unknown++
		}
	}
	return unknown
}

// FileOf is the part of a test's name that it shares with those of the same file or package: what stands before the first
// "::", "[" or "#"; empty if the name has no such part.
func FileOf(id string) string {
	if i := strings.Index(id, "::"); i >= 0 {
		return id[:i]
	}
	if i := strings.IndexAny(id, "[#"); i > 0 {
		return id[:i]
	}
	return ""
}

// Group sets the groups of tests: by file (what stands before the first "::"), by class (before the last one), or by what a
// regular expression matches: its first group in parentheses, or all of it. What it does not match is in no group.
func Group(tests []batch.Test, by string) error {
	group := FileOf
	switch by {
	case "", "none":
		return nil
	case "file":
	case "class":
		group = func(id string) string {
			if i := strings.LastIndex(strings.SplitN(id, "[", 2)[0], "::"); i >= 0 {
				return id[:i]
			}
			return ""
		}
	default:
		pattern, err := regexp.Compile(by)
		if err != nil {
			return err
		}
		group = func(id string) string {
			match := pattern.FindStringSubmatch(id)
			if match == nil {
				return ""
			}
			return match[min(1, len(match)-1)]
		}
	}
	for i := range tests {
		tests[i].Group = group(tests[i].ID)
	}
	return nil
}
