// Package flake keeps of each test how often it failed, and how often it passed only in one of several attempts, from run to run.
package flake

import "fmt"

// Keep is how many runs count: a test that was mended, or began to fail, shows within so many.
const Keep = 100

// History is what is kept of one test. The zero value is that of a test that never ran. Its JSON lies beside what else is kept of the
// test: embed it.
type History struct {
	// Runs in which the test passed or failed; one that was skipped, or never came to an end, tells nothing. Less than Keep, since
	// older runs fade.
	Runs int `json:"runs,omitempty"`
	// Flaky is how many of them it passed only after it had failed; Failed how many it failed for good.
	Flaky  int `json:"flaky,omitempty"`
	Failed int `json:"failed,omitempty"`
}

// Passed returns what a run adds in which the test passed at once, Flaky and Failed what the others add.
func Passed() History { return History{Runs: 1} }

// Flaky is explained at Passed.
func Flaky() History { return History{Runs: 1, Flaky: 1} }

// Failed is explained at Passed.
func Failed() History { return History{Runs: 1, Failed: 1} }

// Plus returns the history with another one, the order of which does not matter: mostly what one run adds, or what shards of one run
// have to add. When it comes to Keep runs, all that is known counts half.
func (h History) Plus(other History) History {
	h = History{Runs: h.Runs + other.Runs, Flaky: h.Flaky + other.Flaky, Failed: h.Failed + other.Failed}.sane()
	for h.Runs >= Keep {
		h = History{Runs: h.Runs / 2, Flaky: h.Flaky / 2, Failed: h.Failed / 2}
	}
	return h
}

// sane mends what no runs can have made: somebody may have edited the file.
func (h History) sane() History {
	h.Runs = max(h.Runs, 0)
	h.Failed = min(max(h.Failed, 0), h.Runs)
	h.Flaky = min(max(h.Flaky, 0), h.Runs-h.Failed)
	return h
}

// Rate is the part of the runs (0 to 1) in which the test was flaky, 0 for one that never ran.
func (h History) Rate() float64 {
	h = h.sane()
	if h.Runs == 0 {
		return 0
	}
	return float64(h.Flaky) / float64(h.Runs)
}

// String says it for a person: "flaky in 3 and failed in 1 of the last 42 runs". Empty: it never ran.
func (h History) String() string {
	h = h.sane()
	switch {
	case h.Runs == 0:
		return ""
	case h.Runs == 1:
		return fmt.Sprintf("flaky in %d and failed in %d of 1 run before", h.Flaky, h.Failed)
	}
	return fmt.Sprintf("flaky in %d and failed in %d of the last %d runs", h.Flaky, h.Failed, h.Runs)
}
