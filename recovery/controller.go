package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Queue is what a controller needs of a run; *batch.Queue has it.
type Queue interface {
	Events(ctx context.Context, after string, most int, wait time.Duration) ([]batch.Event, error)
	Workers(ctx context.Context) ([]batch.WorkerState, error)
	Reap(ctx context.Context, workerID string, beat int64, why string) (reaped bool, held int, err error)
	Finish(ctx context.Context, workers []string, giveUp bool) (batch.Progress, error)
	Abort(ctx context.Context, a batch.Abortion) (batch.Progress, error)
	Restore(ctx context.Context, tests [][]batch.Event) (restored int, err error)
	Audit(ctx context.Context) (found int, err error)
	Clients(ctx context.Context) (batch.Clients, error)
}

// Limits end a run that would otherwise go on for ever. 0 means no limit.
type Limits struct {
	// Run is the longest that the whole run may take.
	Run time.Duration
	// FirstWorker is how long the first worker may take to arrive, NoWorker how long there may be none afterwards.
	FirstWorker, NoWorker time.Duration
	// Outage is how long Redis may be away, Lost how long it may be without the run's data.
	Outage, Lost time.Duration
	// Unqualified is how long tests whose gates all workers refuse may be all that is left, before they are given up. While
	// expected workers have not come yet, it is NoWorker. Here 0 means at once.
	Unqualified time.Duration
	// Failures is how many tests may fail for good, and problems come up, before the run is stopped.
	Failures int
}

// LostLeases is how many leases a run may be gone from Redis before those who do not know its list give it up: whoever does brings
// it back sooner.
const LostLeases = 4

// farewell is how long workers may take to leave a run that is over.
const farewell = 10 * time.Second

// mostNews is how many events of the journal are read at once.
const mostNews = 1000

// Controller supervises one run.
type Controller struct {
	Queue  Queue
	Lease  time.Duration
	Limits Limits
	// Name tells people who stopped a run.
	Name string
	// Renew brings back a run whose data Redis lost, as far as its caller can, and returns it; known are the events of the
	// tests whose result is known, by test. damaged: the run is gone, or is there under another epoch; otherwise its list lost
	// its end. The errors for which Passes holds may pass, and it is called again. nil: a run
	// that is lost is.
	Renew func(ctx context.Context, damaged bool, known [][]batch.Event) (Queue, error)
	// Known is what this process knows of the run's results, from an earlier controller. nil: nothing.
	Known *Known
	// Age is how old the run was when Supervise was called, for Limits.Run.
	Age time.Duration
	// Observe is called with every event of the journal, in order, and once in a while with none so that time is seen to
	// pass. It is called by Supervise's goroutine.
	Observe func(events []batch.Event)

	detector detector
	cursor   string
	// workers as last read; began and lastSeen are when Supervise began and when there last was a worker; good is when
	// Redis last answered.
	workers               []batch.WorkerState
	began, lastSeen, good time.Time
	anyWorker             bool
	// blind: the server does not tell who is connected.
	blind bool
	// sealed: the list was closed, over: the run is done or aborted, as the journal tells.
	sealed, over bool
	// stuck is since when Redis has answered progress, if that is IsStuck or IsShort.
	progress batch.Progress
	stuck    time.Time
	// failed is what Limits.Failures limits; firstFailure says what was the first. Tests in quarantine are not counted.
	failed       map[string]bool
	quarantined  map[string]bool
	firstFailure string
	breaker      breaker
}

// Supervise returns when the run is over and its workers have left, with how it ended: batch.IsDone or batch.IsAborted.
// The error is that of ctx, or of Redis: its data is gone, or it is away for longer than the limit.
func (c *Controller) Supervise(ctx context.Context) (batch.Progress, error) {
	c.detector = detector{lease: c.Lease}
	c.cursor = batch.JournalStart
	c.failed, c.quarantined = map[string]bool{}, map[string]bool{}
	if c.Known == nil {
		c.Known = new(Known)
	}
	c.began = time.Now()
	c.good = c.began
	for {
		progress, err := c.round(ctx)
		if ended, err := c.judge(ctx, progress, err); ended {
			return progress, err
		}
	}
}

// judge tells whether the rounds are over, and with what error.
func (c *Controller) judge(ctx context.Context, progress batch.Progress, err error) (ended bool, _ error) {
	switch {
	case err == nil && (progress == batch.IsDone || progress == batch.IsAborted):
		err := c.seeOff(ctx)
		if ctx.Err() != nil {
			err = nil // stopped while workers leave a run that is over: it has its verdict
		}
		return true, err
	case ctx.Err() != nil:
		return true, context.Cause(ctx)
	case err == nil:
		c.good = time.Now()
		return false, nil
	case c.over && errors.Is(err, batch.Gone):
		return true, err // it was cleaned away
	case c.Renew != nil && (errors.Is(err, batch.Gone) || errors.Is(err, batch.OtherEpoch)):
		if c.Limits.Lost > 0 && time.Since(c.good) > c.Limits.Lost {
			// Workers that still find the run are told, as far as Redis has it.
			_, _ = c.Queue.Abort(ctx, batch.Abortion{Why: err.Error(), Who: c.Name})
			return true, fmt.Errorf("nobody who knows its list has brought the run back within %v: %w", c.Limits.Lost, err)
		}
		if err = c.renew(ctx, true); err == nil {
			return false, nil
		}
		if ctx.Err() != nil {
			return true, context.Cause(ctx)
		}
		if !Passes(err) {
			return true, err
		}
	case !batch.Transient(err):
		return true, err
	case c.Limits.Outage > 0 && time.Since(c.good) > c.Limits.Outage:
		return true, fmt.Errorf("Redis has not answered for %v, giving up: %w", c.Limits.Outage, err)
	}
	c.detector.forget() // the workers could not reach Redis either
	c.pause(ctx)
	return false, nil
}

// Passes tells whether an error of bringing a run back may pass: it may be damaged once more meanwhile.
func Passes(err error) bool {
	for _, code := range []batch.Code{batch.Gone, batch.OtherEpoch, batch.Incomplete} {
		if errors.Is(err, code) {
			return true
		}
	}
	return batch.Transient(err)
}

// renew goes on with the run as Renew brings it back, whose journal begins anew if it was damaged.
func (c *Controller) renew(ctx context.Context, damaged bool) error {
	q, err := c.Renew(ctx, damaged, c.Known.Finals())
	if err != nil {
		return err
	}
	c.Queue = q
	if damaged {
		c.cursor = batch.JournalStart
	}
	c.detector.forget()
	return nil
}

func (c *Controller) pause(ctx context.Context) {
	select {
	case <-time.After(c.tick()):
	case <-ctx.Done():
	}
}

// tick is how long the controller waits for news before it looks at the workers: half a beat, so that none is missed.
func (c *Controller) tick() time.Duration { return batch.BeatInterval(c.Lease) / 2 }

// round waits for news, tells the observer, looks after the workers and tries to finish.
func (c *Controller) round(ctx context.Context) (batch.Progress, error) {
	news, err := c.follow(ctx, min(c.tick(), c.detector.next(time.Now())))
	if err != nil {
		return "", err
	}
	if c.Limits.Failures > 0 && len(c.failed) >= c.Limits.Failures {
		return c.Queue.Abort(ctx, batch.Abortion{Why: c.enough(), Who: c.Name, EnoughFailures: true})
	}
	if reason := c.breaker.reason(); reason != "" && len(news) < mostNews { // what is still to be read may refute it
		return c.Queue.Abort(ctx, batch.Abortion{Why: reason, Who: c.Name})
	}
	if err := c.restore(ctx, news); err != nil {
		return "", err
	}
	now := time.Now()
	looked := false
	if now.Sub(c.detector.last) >= c.tick() || c.detector.next(now) <= 0 || anyJoined(news) {
		looked = true
		if err := c.reapDead(ctx); err != nil {
			return "", err
		}
		if reason := c.overdue(now); reason != "" {
			return c.Queue.Abort(ctx, batch.Abortion{Why: reason, Who: c.Name})
		}
	}
	if !looked && !mayFinish(news) {
		return batch.IsBusy, nil
	}
	ids := make([]string, len(c.workers))
	for i, w := range c.workers {
		ids[i] = w.ID
	}
	return c.finish(ctx, ids, now)
}

// finish tries to finish, and gives up what a run is stuck on when it has been that for long enough.
func (c *Controller) finish(ctx context.Context, workers []string, now time.Time) (batch.Progress, error) {
	progress, err := c.Queue.Finish(ctx, workers, false)
	if err != nil {
		return "", err
	}
	switch {
	case progress == batch.IsUneven:
		return progress, c.mend(ctx)
	case progress == batch.IsUnsealed && c.sealed:
		return progress, c.renew(ctx, false)
	}
	if progress != c.progress {
		c.progress, c.stuck = progress, now
	}
	patience, limited := c.Limits.Unqualified, true
	if progress == batch.IsShort {
		patience, limited = c.Limits.NoWorker, c.Limits.NoWorker > 0
	} else if progress != batch.IsStuck {
		return progress, nil
	}
	if limited && now.Sub(c.stuck) >= patience {
		return c.Queue.Finish(ctx, workers, true)
	}
	return progress, nil
}

// mend brings back what Redis lost of a run that otherwise is whole.
func (c *Controller) mend(ctx context.Context) error {
	if _, err := c.Queue.Restore(ctx, c.Known.Finals()); err != nil {
		return err
	}
	_, err := c.Queue.Audit(ctx)
	return err
}

// restore brings back the results of tests that somebody who does not know them has queued again.
func (c *Controller) restore(ctx context.Context, news []batch.Event) error {
	audited := map[string]bool{}
	for _, e := range news {
		if e.Type == batch.Audited {
			for _, test := range e.Tests {
				audited[test] = true
			}
		}
	}
	if len(audited) == 0 {
		return nil
	}
	known := slices.DeleteFunc(c.Known.Finals(), func(events []batch.Event) bool { return !audited[events[0].Test] })
	_, err := c.Queue.Restore(ctx, known)
	return err
}

// follow reads what is new in the journal, waiting for it if wait is not negative.
func (c *Controller) follow(ctx context.Context, wait time.Duration) ([]batch.Event, error) {
	events, err := c.Queue.Events(ctx, c.cursor, mostNews, wait)
	if err != nil {
		return nil, err
	}
	if len(events) > 0 {
		c.cursor = events[len(events)-1].ID
	}
	for _, e := range events {
		if e.Type == batch.Opened { // a journal that begins anew tells again what was brought back
			c.sealed, c.over = false, false
			c.quarantined = map[string]bool{}
		}
		c.count(e)
		c.breaker.add(e)
		c.Known.Add(e)
		c.sealed = c.sealed || e.Type == batch.Sealed
		c.over = c.over || e.Type == batch.Aborted || e.Type == batch.Done
	}
	c.Observe(events)
	return events, nil
}

// count counts what failed for good.
func (c *Controller) count(e batch.Event) {
	what := ""
	switch {
	case e.Type == batch.Quarantined:
		for _, test := range e.Tests {
			c.quarantined[test] = true
		}
	case e.Type == batch.ProblemFound:
		what = e.Problem.Scope + ": " + e.Problem.Message
	case e.Type == batch.Resulted, e.Type == batch.Finish && e.Decision == batch.Final:
		switch e.Outcome.Status {
		case batch.Passed, batch.Skipped, batch.Unroutable:
		case batch.Failed, batch.Crashed, batch.Timeout:
			if !c.quarantined[e.Test] {
				what = e.Test
			}
		default:
			what = e.Test
		}
	}
	if what == "" || c.failed[what] {
		return // each machine tells a problem, and a result that was brought back is told again
	}
	if c.failed[what] = true; len(c.failed) == 1 {
		c.firstFailure = what
	}
}

// enough says why a run with so many failures is stopped.
func (c *Controller) enough() string {
	return fmt.Sprintf("enough tests failed (--fail-fast is 1, --max-failures here %d), first %s", c.Limits.Failures, c.firstFailure)
}

// mayFinish tells whether something happened after which a run can be complete.
func mayFinish(events []batch.Event) bool {
	for _, e := range events {
		switch e.Type {
		case batch.Settled, batch.Sealed, batch.Reaped, batch.Left, batch.Resulted, batch.Done, batch.Aborted:
			return true
		}
	}
	return false
}

// anyJoined tells whether there is somebody new, whose connections are to be seen before they may break.
func anyJoined(events []batch.Event) bool {
	return slices.ContainsFunc(events, func(e batch.Event) bool { return e.Type == batch.Joined })
}

func (c *Controller) reapDead(ctx context.Context) error {
	workers, err := c.Queue.Workers(ctx)
	if err != nil {
		return err
	}
	clients, err := c.clients(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	c.workers = workers
	if len(workers) > 0 {
		c.lastSeen, c.anyWorker = now, true
	}
	for _, dead := range c.detector.dead(now, workers, clients) {
		if _, _, err := c.Queue.Reap(ctx, dead.worker.ID, dead.worker.Beat, dead.why); err != nil {
			return err
		}
	}
	return nil
}

// clients returns who is connected, nobody if the server does not tell: then it is not asked again.
func (c *Controller) clients(ctx context.Context) (batch.Clients, error) {
	if c.blind {
		return batch.Clients{}, nil
	}
	clients, err := c.Queue.Clients(ctx)
	if batch.Transient(err) || ctx.Err() != nil {
		return batch.Clients{}, err
	}
	c.blind = err != nil
	return clients, nil
}

// overdue says which limit is passed, or nothing.
func (c *Controller) overdue(now time.Time) string {
	passed := func(since time.Time, limit time.Duration) bool { return limit > 0 && now.Sub(since) > limit }
	switch {
	case passed(c.began.Add(-c.Age), c.Limits.Run):
		return fmt.Sprintf("the run took longer than --run-timeout %v", c.Limits.Run)
	case !c.anyWorker && passed(c.began, c.Limits.FirstWorker):
		return fmt.Sprintf("no worker joined within %v: is any shardworker started with this run id and this Redis?", c.Limits.FirstWorker)
	case c.anyWorker && passed(c.lastSeen, c.Limits.NoWorker):
		return fmt.Sprintf("there was no live worker for --worker-timeout %v", c.Limits.NoWorker)
	}
	return ""
}

// seeOff follows the journal of a run that is over until its workers have left, so that what they still report is heard.
func (c *Controller) seeOff(ctx context.Context) error {
	deadline := time.Now().Add(farewell)
	for {
		over := time.Now().After(deadline)
		workers, err := c.Queue.Workers(ctx)
		if err == nil && (len(workers) == 0 || over) {
			return c.Drain(ctx)
		}
		if err == nil {
			_, err = c.follow(ctx, c.tick())
		}
		switch {
		case err == nil:
		case over || !batch.Transient(err):
			return err
		default:
			c.pause(ctx)
		}
	}
}

// Drain tells the observer what is left of the journal, without waiting for more. It is for after Supervise.
func (c *Controller) Drain(ctx context.Context) error {
	for {
		events, err := c.follow(ctx, -1)
		if err != nil || len(events) == 0 {
			return err
		}
	}
}

// Reap sends the tests of a worker that is known to be dead to the requeue at once.
func Reap(ctx context.Context, q Queue, workerID, why string) error {
	workers, err := q.Workers(ctx)
	for _, w := range workers {
		if w.ID == workerID {
			_, _, reapErr := q.Reap(ctx, w.ID, w.Beat, why)
			err = errors.Join(err, reapErr)
		}
	}
	return err
}
