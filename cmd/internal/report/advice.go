package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Advice is something that took time, and what would shorten the run.
type Advice struct {
	// Title is what it is, Text what happened and what can be done, each fit for a line.
	Title, Text string
	// Worth is about how much shorter the run might be; 0: nobody can tell.
	Worth time.Duration
}

// Advise returns what would shorten a run, most worth first. What makes up less than a twentieth of the run is not worth a word.
func (t Timeline) Advise(v Verdict) []Advice {
	if t.End <= 0 || len(t.Lanes) == 0 {
		return nil
	}
	var all []Advice
	add := func(a Advice, ok bool) {
		if ok && a.Worth >= t.End/20 {
			all = append(all, a)
		}
	}
	add(t.longest(v))
	add(t.uneven(v))
	add(t.late())
	add(t.startup())
	add(t.lost())
	add(t.repeats(v))
	add(t.few())
	slices.SortStableFunc(all, func(a, b Advice) int { return cmp.Compare(b.Worth, a.Worth) })
	return all
}

// longest tells of a test that takes longer than each worker's share: no number of workers helps against that.
func (t Timeline) longest(v Verdict) (Advice, bool) {
	sum, most, test := time.Duration(0), time.Duration(0), -1
	for _, l := range t.Lanes {
		for _, s := range l.Spans {
			sum += s.Length()
			if s.Length() > most {
				most, test = s.Length(), s.Test
			}
		}
	}
	share := sum / time.Duration(len(t.Lanes))
	if test < 0 || len(t.Lanes) < 2 || most <= share {
		return Advice{}, false
	}
	return Advice{Worth: min(most-share, t.End-share), Title: "One test is longer than a worker's share",
		Text: fmt.Sprintf("%s took %s, while the tests come to %s a worker. No run is shorter than its longest test: split it, or make it faster.",
			name(v.Tests[test].ID), brief(most), brief(share))}, true
}

// uneven tells of workers that had nothing to do while the last one still ran.
func (t Timeline) uneven(v Verdict) (Advice, bool) {
	if len(t.Lanes) < 2 {
		return Advice{}, false
	}
	lane, span := t.last()
	if lane < 0 {
		return Advice{}, false
	}
	last, idle, others := t.Lanes[lane].Spans[span], time.Duration(0), 0
	for i, l := range t.Lanes {
		if i == lane || l.Reaped || len(l.Spans) == 0 {
			continue
		}
		free := time.Duration(0)
		for _, s := range l.Spans {
			free = max(free, s.End)
		}
		idle += max(0, min(last.End, t.End)-free)
		others++
	}
	if others == 0 {
		return Advice{}, false
	}
	return Advice{Worth: idle / time.Duration(others+1), Title: "The last worker ran on alone",
		Text: fmt.Sprintf("At the end %s %s while the other workers had nothing left, for %s each on average. Tests that take long come first where durations are recorded; "+
			"smaller batches (--batch-size) spread the rest.", name(t.Lanes[lane].ID), last.at(v), brief(idle/time.Duration(others)))}, true
}

// at says what the worker was at.
func (s Span) at(v Verdict) string {
	if s.Attempt.Size > 1 {
		return "was still at a batch of " + count(s.Attempt.Size, "test")
	}
	return "ran " + name(v.Tests[s.Test].ID)
}

// late tells of workers that came when others had worked for a while.
func (t Timeline) late() (Advice, bool) {
	missed, late := time.Duration(0), 0
	for _, l := range t.Lanes {
		if l.Joined > t.End/20 {
			missed += l.Joined
			late++
		}
	}
	return Advice{Worth: missed / time.Duration(len(t.Lanes)), Title: "Workers came late",
		Text: fmt.Sprintf("%s joined %s after the run was opened, on average. Start them before or beside the controller: they wait for the run by themselves.",
			count(late, "worker"), brief(missed/time.Duration(max(1, late))))}, late > 0
}

// startup tells of time in which workers started runners and compiled.
func (t Timeline) startup() (Advice, bool) {
	sum, present, batches := time.Duration(0), time.Duration(0), 0
	for _, l := range t.Lanes {
		sum += l.Startup
		present += l.Left - l.Joined
		batches += len(l.Holds)
	}
	if present <= 0 {
		return Advice{}, false
	}
	return Advice{Worth: sum / time.Duration(len(t.Lanes)), Title: "Starting took its share",
		Text: fmt.Sprintf("Workers spent %s, %.0f%% of their time, on starting: their own start, and that of the runner in each of %s until its first test began "+
			"(compiling included). Caches, larger batches and --persistent help; more workers do not.", brief(sum), 100*float64(sum)/float64(present), batchCount(batches))}, true
}

// lost tells what workers cost that vanished.
func (t Timeline) lost() (Advice, bool) {
	wasted, workers, tests := time.Duration(0), 0, 0
	for _, l := range t.Lanes {
		if !l.Reaped {
			continue
		}
		workers++
		tests += len(l.Taken)
		for _, s := range l.Spans {
			if s.Attempt.End == Vanished || s.Attempt.End == TakenBack {
				wasted += s.Length()
			}
		}
	}
	return Advice{Worth: wasted / time.Duration(len(t.Lanes)), Title: "Workers vanished",
		Text: fmt.Sprintf("%s vanished with %s in hand; %s of work was lost or waited until that was noticed. The table of workers says why each was presumed dead; a "+
			"shorter --lease notices sooner.", count(workers, "worker"), count(tests, "test"), brief(wasted))}, workers > 0
}

// repeats tells what attempts cost that came to nothing.
func (t Timeline) repeats(v Verdict) (Advice, bool) {
	again, tests := time.Duration(0), map[int]bool{}
	for _, l := range t.Lanes {
		for _, s := range l.Spans {
			if final := v.Tests[s.Test].Final(); final != nil && final != s.Attempt && s.Attempt.failed() {
				again += s.Length()
				tests[s.Test] = true
			}
		}
	}
	return Advice{Worth: again / time.Duration(len(t.Lanes)), Title: "Tests ran again",
		Text: fmt.Sprintf("%s of %s that failed, crashed or timed out had to run again. Mend the flaky ones first; a shorter --test-timeout ends hanging ones sooner.",
			brief(again), count(len(tests), "test"))}, len(tests) > 0
}

// few tells what more workers would bring, when they are busy all the time and no test is in the way.
func (t Timeline) few() (Advice, bool) {
	testing, idle, most := time.Duration(0), time.Duration(0), time.Duration(0)
	for _, l := range t.Lanes {
		testing += l.Testing
		idle += l.Idle
		for _, s := range l.Spans {
			most = max(most, s.Length())
		}
	}
	n := time.Duration(len(t.Lanes))
	if idle > (testing+idle)/5 || most > testing/(2*n) {
		return Advice{}, false
	}
	return Advice{Worth: testing/n - testing/(2*n), Title: "The workers had their hands full",
		Text: fmt.Sprintf("They ran tests all the time, %s each. Twice as many would save about %s, as far as the machines have CPUs for them.",
			brief(testing/n), brief(testing/n-testing/(2*n)))}, true
}

func brief(d time.Duration) string { return seconds(d.Seconds()) }

// batchCount returns "1 batch", "2 batches".
func batchCount(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}
