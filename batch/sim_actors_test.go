package batch_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// simWorker does what a worker does, one request at a time.
type simWorker struct {
	w      *world
	name   string
	queue  *batch.Queue
	member *batch.Member
	batch  batch.Batch
	// todo are tests that the runner has not come to; pending are events that Redis has not acknowledged.
	todo    []string
	pending []batch.Event
	// done are all finishes of this process. After it joined anew, unsure says that Redis is to be asked which of them it
	// lacks; late are those. paused are tests of this batch that wait for others.
	done, late []batch.Event
	unsure     bool
	paused     map[string]bool
	// refusing are the gates whose last answer was no and still counts, by hash; asked: the gate of this batch has let the
	// worker pass, or there is none; refused: it has not.
	refusing       map[string]bool
	asked, refused bool
	// lost: Redis has no run under the epoch that it knows; rewound: Redis has an older state of this worker.
	lost, rewound bool
	// leaving: no further claim, because the run is over, the worker was stopped, or it is unqualified for what is left;
	// gone: the run is over for it.
	leaving, stopped, unqualified, gone bool
}

func (s *simWorker) step(ctx context.Context) {
	switch {
	case s.gone:
		return
	case s.queue == nil:
		queue, err := batch.Attach(ctx, s.w.rdb, s.w.runID)
		if err != nil {
			return // not opened yet
		}
		s.queue = queue
	case s.member == nil && s.lost:
		queue, err := s.queue.Reattach(ctx)
		switch {
		case err == nil:
			s.queue, s.lost = queue, false
		case errors.Is(err, batch.Replaced): // another run of this id: this process ends, another comes
			*s = simWorker{w: s.w, name: s.name}
		}
	case s.member == nil:
		s.w.joins++
		member, answer, err := s.queue.Join(ctx, s.name, strconv.Itoa(s.w.joins))
		if errors.Is(err, batch.Ended) {
			s.gone = true
		} else if errors.Is(err, batch.Gone) || errors.Is(err, batch.OtherEpoch) {
			s.lost = true
		} else if err == nil {
			s.member = member
			s.leaving = answer.Markers.Over()
			s.unsure = len(s.done) > 0
		}
	case s.rewound:
		if err := s.member.Leave(ctx, "Redis lost writes"); s.heard(err) {
			s.rejoin()
		}
	case s.w.chance(1):
		s.die()
	case s.w.chance(10):
		s.beat(ctx)
	case s.unsure:
		s.retell(ctx)
	case len(s.late) > 0:
		if _, err := s.member.Report(ctx, batch.NoBatch, s.late); s.heard(err) {
			s.late = nil
		}
	case len(s.pending) > 0 && (len(s.todo) == 0 || s.w.rng.IntN(2) == 0):
		s.report(ctx)
	case len(s.todo) > 0 && !s.asked:
		s.ask(ctx)
	case len(s.todo) > 0:
		s.execute()
	case s.batch.Number > 0:
		how := batch.Requeue
		if s.leaving || s.refused {
			how = batch.HandBack
		}
		if _, err := s.member.Settle(ctx, s.batch.Number, how); s.heard(err) {
			s.batch = batch.Batch{}
		}
	case s.leaving:
		leave := s.member.Leave
		if s.unqualified {
			leave = s.member.LeaveUnqualified
		}
		if err := leave(ctx, "over"); s.heard(err) {
			s.gone = !s.stopped && !s.unqualified
			if !s.gone { // another comes instead
				*s = simWorker{w: s.w, name: s.name}
			}
		}
	case len(s.refusing) > 0 && s.w.rng.IntN(10) == 0: // the time of a no is over
		s.refusing = nil
	default:
		s.claim(ctx)
	}
}

// heard deals with what any request may be answered, and reports whether it was done.
func (s *simWorker) heard(err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, errLost):
	case errors.Is(err, batch.NotJoined):
		s.rejoin()
	case errors.Is(err, batch.Gone), errors.Is(err, batch.OtherEpoch):
		s.rejoin()
		s.lost = true
	case errors.Is(err, batch.Rewound), s.w.damaged && (errors.Is(err, batch.Holding) || errors.Is(err, batch.Stale)):
		s.rewound = true
	default:
		s.w.fail("worker %s: %w", s.name, err)
	}
	return false
}

// rejoin ends a membership of which Redis does not know any more.
func (s *simWorker) rejoin() {
	s.member, s.batch, s.todo, s.pending, s.late = nil, batch.Batch{}, nil, nil, nil
	s.stopped, s.rewound = false, false
}

// retell finds out which of its finishes Redis lacks.
func (s *simWorker) retell(ctx context.Context) {
	var ids []string
	for _, e := range s.done {
		ids = append(ids, e.Test)
	}
	lacking, err := s.queue.Lacking(ctx, ids)
	if err != nil {
		return
	}
	s.unsure = false
	for _, e := range s.done {
		if slices.Contains(lacking, e.Test) {
			s.late = append(s.late, e)
		}
	}
}

func (s *simWorker) claim(ctx context.Context) {
	refusing := slices.Sorted(maps.Keys(s.refusing))
	claim, err := s.member.Claim(ctx, 1+s.w.rng.IntN(6), s.w.calm || s.w.rng.IntN(2) == 0, refusing...)
	if !s.heard(err) {
		return
	}
	if claim.Batch.Number == 0 {
		s.unqualified = len(s.refusing) > 0 && s.w.chance(10)
		s.leaving = claim.Markers.Over() || s.unqualified
		return
	}
	s.batch = claim.Batch
	s.asked, s.refused = claim.Batch.Gate.None(), false
	s.todo = claim.Batch.IDs()
	s.paused = map[string]bool{}
	if s.w.chance(5) { // a stop by notice: at most one test goes on
		s.todo, s.leaving, s.stopped = s.todo[:min(len(s.todo), s.w.rng.IntN(2))], true, true
	}
}

// ask has the gate of the batch decide.
func (s *simWorker) ask(ctx context.Context) {
	if s.refusing[s.batch.Gate.Hash()] {
		s.w.fail("worker %s was offered tests behind a gate that refuses it", s.name)
	}
	qualifies := s.w.qualifies[s.name][s.batch.Gate]
	if _, err := s.member.Gate(ctx, s.batch, qualifies, "truth"); !s.heard(err) {
		return
	}
	if qualifies {
		s.asked = true
		return
	}
	if s.refusing == nil {
		s.refusing = map[string]bool{}
	}
	s.refusing[s.batch.Gate.Hash()] = true
	s.todo, s.refused = nil, true
}

func (s *simWorker) beat(ctx context.Context) {
	if !s.stopped {
		_, err := s.member.Beat(ctx, s.batch.Number, s.held())
		s.heard(err)
		return
	}
	member := s.member.ID()
	if _, err := s.member.Drain(ctx, s.batch.Number, s.held()); s.heard(err) {
		s.w.unblamable[member] = true
	}
}

// held are the tests of the batch whose finish is not acknowledged.
func (s *simWorker) held() []string {
	held := slices.Clone(s.todo)
	for _, e := range s.pending {
		if e.Type == batch.Finish {
			held = append(held, e.Test)
		}
	}
	return held
}

func (s *simWorker) execute() {
	test := s.todo[0]
	finish := func(status batch.Status) {
		s.w.runs[test][status]++
		e := batch.Event{Type: batch.Finish, Test: test, Outcome: batch.Outcome{Status: status}}
		s.pending, s.done = append(s.pending, e), append(s.done, e)
		s.todo = s.todo[1:]
	}
	if s.w.truth[test] == ghostly {
		if s.batch.Alone {
			finish(batch.Unexecuted)
		} else {
			s.todo = s.todo[1:]
		}
		return
	}
	s.w.announce(s.member.ID(), test)
	s.pending = append(s.pending, batch.Event{Type: batch.Start, Test: test})
	if len(s.todo) > 1 && !s.paused[test] && s.w.chance(30) { // it waits for others
		s.paused[test] = true
		s.pending = append(s.pending, batch.Event{Type: batch.Pause, Test: test})
		s.todo = append(s.todo[1:], test)
		return
	}
	switch s.w.truth[test] {
	case failing:
		finish(batch.Failed)
	case flaky:
		if s.w.runs[test][batch.Failed] == 0 {
			finish(batch.Failed)
		} else {
			finish(batch.Passed)
		}
	case poison:
		finish(batch.Crashed)
		s.todo = nil // its batch-mates are not executed
	case killer:
		if s.w.calm {
			finish(batch.Timeout)
			s.todo = nil
		} else {
			s.die()
		}
	default:
		finish(batch.Passed)
	}
}

func (s *simWorker) report(ctx context.Context) {
	n := 1 + s.w.rng.IntN(len(s.pending))
	member := s.member.ID()
	if _, err := s.member.Report(ctx, s.batch.Number, s.pending[:n]); s.heard(err) {
		for i, e := range s.pending[:n] {
			again := slices.ContainsFunc(s.pending[i+1:], func(later batch.Event) bool { return later.Test == e.Test })
			if e.Type == batch.Pause && !again {
				delete(s.w.announced[member], e.Test)
			}
		}
		s.pending = s.pending[n:]
	}
}

// referee: nobody but a reap or a result takes a test from a worker that knows of it and has not run it.
func (s *simWorker) referee(dump batchtest.Dump) {
	if s.member == nil || s.w.damaged {
		return
	}
	if int(dump.Workers[s.member.ID()].Batch) != s.batch.Number {
		return // reaped, and perhaps entered again by a delayed join
	}
	for _, test := range s.todo {
		if dump.Results[test] == "" && !slices.Contains(dump.Sets[s.member.ID()], test) {
			s.w.fail("test %s was taken from worker %s, which lives and is to run it", test, s.member.ID())
		}
	}
}

// die is SIGKILL; another worker of the name comes instead.
func (s *simWorker) die() {
	s.w.note("%s is killed", s.name)
	s.w.faults["killed workers"]++
	*s = simWorker{w: s.w, name: s.name}
}

// simController opens the run, enqueues the list bit by bit, seals it and supervises.
type simController struct {
	w     *world
	queue *batch.Queue
	// next is the first test that is not enqueued; restored: what it knows of a run that was damaged is back; sealed: the
	// list was closed.
	next             int
	restored, sealed bool
	// known are the finishes of the journal as far as it was read, by test; cursor is how far.
	known  map[string][]batch.Event
	cursor string
	// lost: the data of the run is lost or damaged; missing: tests are nowhere; stuck: see batch.IsStuck.
	lost, missing, stuck bool
}

func (c *simController) step(ctx context.Context) {
	switch {
	case c.queue == nil:
		queue, err := batch.Open(ctx, c.w.rdb, c.w.runID, "digest", c.w.options)
		if c.heard(err) {
			*c = simController{w: c.w, queue: queue, restored: true, known: map[string][]batch.Event{}, cursor: batch.JournalStart}
		}
	case c.w.chance(2): // killed and started again
		c.w.faults["killed controllers"]++
		*c = simController{w: c.w}
	case c.lost:
		queue, err := c.queue.Reopen(ctx)
		if c.heard(err) {
			c.queue, c.lost, c.missing, c.next, c.restored, c.sealed, c.cursor = queue, false, false, 0, false, false, batch.JournalStart
		}
	case c.next < len(c.w.tests):
		end := min(len(c.w.tests), c.next+1+c.w.rng.IntN(5))
		if _, err := c.queue.Enqueue(ctx, c.w.tests[c.next:end]); c.heard(err) {
			c.next = end
		}
	case !c.restored:
		_, err := c.queue.Restore(ctx, c.finals())
		c.restored = c.heard(err)
	case !c.sealed:
		c.sealed = c.heard(c.queue.Seal(ctx, len(c.w.tests)))
	case c.missing:
		_, err := c.queue.Audit(ctx)
		c.missing = !c.heard(err)
	case c.w.rng.IntN(3) == 0:
		c.follow(ctx)
	case c.w.rng.IntN(2) == 0:
		c.finish(ctx)
	default:
		c.reap(ctx)
	}
}

func (c *simController) finish(ctx context.Context) {
	progress, err := c.queue.Finish(ctx, nil, c.stuck && c.w.rng.IntN(3) == 0)
	c.heard(err)
	c.stuck = progress == batch.IsStuck
	switch progress {
	case batch.IsUnsealed: // it was, so writes were lost
		c.next, c.restored, c.sealed = 0, false, false
	case batch.IsUneven:
		c.missing, c.restored = true, false
	}
}

// follow reads on in the journal.
func (c *simController) follow(ctx context.Context) {
	events, err := c.queue.Events(ctx, c.cursor, 1+c.w.rng.IntN(20), -1)
	if err != nil {
		return
	}
	for _, e := range events {
		c.cursor = e.ID
		if e.Type == batch.Finish || e.Type == batch.Resulted {
			c.known[e.Test] = append(c.known[e.Test], e)
		}
	}
}

// finals are the events of the tests whose result is known.
func (c *simController) finals() [][]batch.Event {
	var finals [][]batch.Event
	for _, t := range c.w.tests {
		events := c.known[t.ID]
		if slices.ContainsFunc(events, func(e batch.Event) bool { return e.Type == batch.Resulted || e.Decision == batch.Final }) {
			finals = append(finals, events)
		}
	}
	return finals
}

func (c *simController) heard(err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, errLost):
	case errors.Is(err, batch.Ended):
		c.lost = false // somebody has brought it to its end
	case errors.Is(err, batch.Gone), errors.Is(err, batch.OtherEpoch):
		c.lost = true
	case errors.Is(err, batch.Incomplete) && c.w.damaged: // a failover took back what was enqueued
		c.next, c.restored = 0, false
	case errors.Is(err, batch.Replaced) && c.w.damaged: // another controller has begun anew
		*c = simController{w: c.w}
	default:
		c.w.fail("controller: %w", err)
	}
	return false
}

// reap takes any worker for dead now and then, and all that are dead in the calm.
func (c *simController) reap(ctx context.Context) {
	workers, err := c.queue.Workers(ctx)
	if !c.heard(err) || len(workers) == 0 {
		return
	}
	// Ids have a random part; a seed must mean one schedule.
	slices.SortFunc(workers, func(a, b batch.WorkerState) int { return cmp.Compare(a.Info, b.Info) })
	victim := workers[c.w.rng.IntN(len(workers))]
	live := slices.ContainsFunc(c.w.workers, func(s *simWorker) bool { return s.member != nil && s.member.ID() == victim.ID })
	if live && !c.w.chance(15) {
		return
	}
	beat := victim.Beat
	if c.w.chance(20) {
		beat-- // seen before its last beat
	}
	reaped, _, err := c.queue.Reap(ctx, victim.ID, beat, "no beat")
	if live && reaped {
		c.w.faults["false suspicions"]++
	}
	if c.heard(err) && reaped && beat != victim.Beat {
		c.w.fail("worker %s was reaped although it has beaten since", victim.ID)
	}
}
