package report

import "time"

const (
	// wantedTests and wantedWork are how many tests have to be done, in how much of workers' time, before their pace says something
	// of the rest.
	wantedTests = 5
	wantedWork  = 2 * time.Second
	// wantedShare is the least part of the tests whose expected time must be known for an estimate without a pace.
	wantedShare = 0.8
)

// expectation estimates when a run will be over: from what its tests are expected to take, and the pace at which its workers got
// through what is done. A test of which nothing is known counts as the mean of the others.
type expectation struct {
	seconds map[string]float64 // expected, by test; not changed here
	sum     float64            // of all of them
	// done is the expected time of the tests that have a result, and tests their number.
	done  float64
	tests int
}

func newExpectation(seconds map[string]float64) expectation {
	e := expectation{seconds: seconds}
	for _, s := range seconds {
		e.sum += s
	}
	return e
}

// of returns what a test is expected to take; in units of one test if nothing is known of any.
func (e *expectation) of(id string) float64 {
	if s, ok := e.seconds[id]; ok && s > 0 {
		return s
	}
	if e.sum == 0 {
		return 1
	}
	return e.sum / float64(len(e.seconds))
}

// finished takes a test that has its result.
func (e *expectation) finished(id string) {
	e.done += e.of(id)
	e.tests++
}

// running is what a worker does: tests expected to take so long together, since when.
type running struct {
	expected float64
	since    time.Time
}

// left returns how long a run of total tests will go on, and whether that can be told. busy is the workers' time that went into what is
// done, now what they do at present; workers is how many there are.
func (e *expectation) left(total int, busy time.Duration, now time.Time, present []running, workers int) (time.Duration, bool) {
	rest := total - e.tests
	if rest <= 0 || workers == 0 {
		return 0, false
	}
	pace := 1.0 // expected seconds that a worker gets done in a second
	switch {
	case e.tests >= wantedTests && busy >= wantedWork && e.done > 0:
		pace = e.done / busy.Seconds()
	case e.sum == 0 || float64(len(e.seconds)) < wantedShare*float64(total):
		return 0, false
	}
	unknown := max(0, total-len(e.seconds))
	remaining := e.sum + float64(unknown)*e.of("") - e.done
	last := 0.0 // when the worker that has most to do is through with it
	for _, r := range present {
		elapsed := now.Sub(r.since).Seconds()
		remaining -= min(r.expected, elapsed*pace)
		last = max(last, r.expected/pace-elapsed)
	}
	seconds := max(last, remaining/pace/float64(min(workers, rest)), 0)
	return time.Duration(seconds * float64(time.Second)), true
}

// workingOn says what a worker does by the journal: the tests that it announced, or else all of its batch. Nothing if it has none.
func (h *History) workingOn(w *Worker) (tests []string, announced bool, since time.Time) {
	var held []string
	for _, id := range w.open.tests {
		t := h.tests[id]
		if t == nil {
			continue
		}
		a := t.held(w.ID, w.open.number)
		if a == nil {
			continue
		}
		held = append(held, id)
		began := a.Started
		if began.IsZero() && a.Alone {
			began = a.Claimed // which is its announcement
		}
		if began.IsZero() {
			continue
		}
		tests = append(tests, id)
		if since.IsZero() || began.Before(since) {
			since = began
		}
	}
	if len(tests) > 0 {
		return tests, true, since
	}
	return held, false, w.open.since
}

// clock tells Redis's time, as far as the journal shows it.
type clock struct {
	// behind is how much later it is here than there; the least that was seen, since news takes its time.
	behind time.Duration
	set    bool
}

// is says that it was at least that late there at now.
func (c *clock) is(there, now time.Time) {
	if behind := now.Sub(there); !c.set || behind < c.behind {
		c.behind, c.set = behind, true
	}
}

// at returns Redis's time at now.
func (c *clock) at(now time.Time) time.Time { return now.Add(-c.behind) }
