package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// look is what inspect saw of a run.
type look struct {
	// before and now are the run at two moments, watched apart; of one that is over, at one.
	before, now batch.State
	watched     time.Duration
	lease       time.Duration
	// recent are the last entries of the journal, clock the time by which they are dated; zero: unknown.
	recent []batch.Event
	clock  time.Time
}

// longRunning is a time after which a test may hang. It is only said.
const longRunning = 5 * time.Minute

// damaged is what is said of a run whose data is not whole.
func damaged(err *batch.Error) []batch.Finding {
	return []batch.Finding{{Level: batch.Failing, Subject: "data", Text: fmt.Sprintf(
		"%v: Redis lost some of it (eviction, a restart, a failover, somebody's DEL); a controller that holds the list brings the run back, so see that `shardctl run` is there, or begin another run", err)}}
}

// findings goes through the symptoms.
func (l look) findings() []batch.Finding {
	checks := []func(batch.State) []batch.Finding{l.list, l.places, l.backlog, l.workers, l.held, l.gates, l.end}
	var all []batch.Finding
	for _, check := range checks {
		all = append(all, check(l.now)...)
	}
	return all
}

func finding(level batch.Level, subject, format string, args ...any) []batch.Finding {
	return []batch.Finding{{Level: level, Subject: subject, Text: fmt.Sprintf(format, args...)}}
}

// list: an open list waits for ever.
func (l look) list(s batch.State) []batch.Finding {
	switch {
	case s.Markers.Aborted:
		return finding(batch.Doubtful, "list", "the run was aborted by %s: %s; %d of %d tests have a result", s.Abortion.Who, s.Abortion.Why, s.Results, s.Tests)
	case s.Markers.Sealed:
		return finding(batch.Fine, "list", "it is closed, with %d tests", s.Tests)
	}
	return finding(batch.Doubtful, "list", "it is open, with %d tests so far: the run waits for more until `shardctl enqueue --seal` closes it", s.Tests)
}

// waiting counts the tests that no worker holds.
func waiting(s batch.State) int {
	n := s.Queued + s.Requeued
	for _, g := range s.Gates {
		n += g.Queued + g.Requeued
	}
	return n
}

func held(s batch.State) int {
	n := 0
	for _, w := range s.Workers {
		n += w.Held
	}
	return n
}

// places: each test is in one place. The numbers of one look are not all read at once, so only what both looks miss counts.
func (l look) places(s batch.State) []batch.Finding {
	nowhere := func(s batch.State) int { return s.Tests - s.Results - waiting(s) - held(s) }
	if n := nowhere(s); n != 0 && nowhere(l.before) == n {
		return finding(batch.Failing, "places", "%d tests have no result, wait nowhere and are held by nobody: Redis lost a key; a controller queues them again (shardctl run, shardctl wait)", n)
	}
	return finding(batch.Fine, "places", "%d tests have a result, %d wait, %d are held by workers", s.Results, waiting(s), held(s))
}

// backlog: tests wait, and nobody takes them.
func (l look) backlog(s batch.State) []batch.Finding {
	wait, live := waiting(s), 0
	for _, w := range s.Workers {
		if !w.Leaving {
			live++
		}
	}
	switch {
	case s.Markers.Over():
		return nil
	case wait == 0:
		return finding(batch.Fine, "backlog", "no test waits")
	case live == 0:
		return finding(batch.Failing, "backlog", "%d tests wait and no worker is here: start shardworker with this --redis-url and --run-id %s, or see in its log why it did not join or left", wait, s.RunID)
	case s.Queued+s.Requeued > 0 && s.Results == l.before.Results && idle(s) && idle(l.before):
		return finding(batch.Failing, "backlog", "%d tests wait, and the %d workers that are here take none: see their logs, and start others", wait, live)
	}
	return finding(batch.Fine, "backlog", "%d tests wait, and %d workers are here", wait, live)
}

// idle tells whether no worker has a batch.
func idle(s batch.State) bool {
	return !slices.ContainsFunc(s.Workers, func(w batch.WorkerState) bool { return w.Open })
}

// workers: whose beat stands still may be dead.
func (l look) workers(s batch.State) []batch.Finding {
	var all []batch.Finding
	for _, w := range s.Workers {
		i := slices.IndexFunc(l.before.Workers, func(b batch.WorkerState) bool { return b.ID == w.ID })
		if i < 0 || l.watched == 0 || l.before.Workers[i].Beat != w.Beat {
			continue
		}
		all = append(all, finding(batch.Failing, "workers", "%s (%s) gave no sign of life for %v and holds %d tests: it is dead, stopped or cut off; after %v a controller gives its tests to others, so see that one is here (shardctl run, shardctl wait, or another worker)",
			w.ID, w.Info, l.watched.Round(time.Millisecond), w.Held, l.lease)...)
	}
	if len(all) == 0 && len(s.Workers) > 0 {
		all = finding(batch.Fine, "workers", "%d are here, and live", len(s.Workers))
	}
	return all
}

// held: tests that do not end.
func (l look) held(s batch.State) []batch.Finding {
	var all []batch.Finding
	longest, name := time.Duration(0), ""
	for _, w := range s.Workers {
		for _, test := range w.Running {
			since := l.running(w.ID, test)
			if since > longest {
				longest, name = since, test
			}
			if since >= longRunning {
				all = append(all, finding(batch.Doubtful, "held", "%s runs on %s for %v: --test-timeout ends a test that hangs; the worker's machine shows what it does", report.Names([]string{test}, 1), w.ID, since.Round(time.Second))...)
			}
		}
	}
	switch {
	case len(all) > 0:
		return all
	case name != "":
		return finding(batch.Fine, "held", "the longest that runs now is %s, for %v", report.Names([]string{name}, 1), longest.Round(100*time.Millisecond))
	}
	return nil
}

// running returns how long a test has run on a worker, as far as the recent journal tells.
func (l look) running(worker, test string) time.Duration {
	for _, e := range slices.Backward(l.recent) {
		if e.Type == batch.Start && e.Worker == worker && e.Test == test && !l.clock.IsZero() {
			return max(0, l.clock.Sub(e.Time))
		}
	}
	return 0
}

// gates: tests for which no worker that is here qualifies.
func (l look) gates(s batch.State) []batch.Finding {
	var all []batch.Finding
	for _, g := range s.Gates {
		if n := g.Queued + g.Requeued; n > 0 && len(s.Workers) > 0 && len(g.Passed) == 0 && len(report.NotAsked(g, s.Workers)) == 0 {
			all = append(all, finding(batch.Doubtful, "gates", "%d tests wait behind %s, which refuses all workers that are here: start one that qualifies; without one they are given up (--gate-grace)", n, report.GateName(g.String()))...)
		}
	}
	return all
}

// end: what should have ended, or ended with something left.
func (l look) end(s batch.State) []batch.Finding {
	left := waiting(s) + held(s)
	switch {
	case s.Markers.Done && left > 0:
		return finding(batch.Failing, "end", "the run is done, but %d tests are still queued or held: please report this", left)
	case s.Markers.Done:
		return finding(batch.Fine, "end", "the run is done; its queues and sets are empty")
	case s.Markers.Aborted:
		return finding(batch.Fine, "end", "the run is over")
	case s.Markers.Sealed && s.Results == s.Tests && l.before.Results == s.Results:
		return finding(batch.Failing, "end", "all tests have a result, and nobody ends the run: start `shardctl wait` with this --run-id, which tells the verdict")
	}
	return finding(batch.Fine, "end", "%d of %d tests have a result", s.Results, s.Tests)
}
