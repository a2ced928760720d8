package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Election is what Campaign needs; *batch.Election has it.
type Election interface {
	Lead(ctx context.Context, owner string, seen batch.Leader, stoodStill bool) (batch.Leader, error)
	Resign(ctx context.Context, owner string, term int64) error
}

// LostLead is the cause with which the context of a leader ends when it cannot be sure any more that it leads.
type LostLead struct {
	// To is who leads now; zero if no beat was answered in time, so that somebody else may lead.
	To batch.Leader
	// After is how long no beat was answered, if that is why.
	After time.Duration
}

func (e *LostLead) Error() string {
	if e.To == (batch.Leader{}) {
		return fmt.Sprintf("no beat of this leader was answered for %v: somebody else may lead by now", e.After)
	}
	return fmt.Sprintf("%s leads now, in term %d", e.To.Owner, e.To.Term)
}

// trust is how long a leader trusts itself, from the START of its last good beat: others count the lease from when they
// first saw that beat, which is later. The margin of an eighth is for what runs on for a while after its context ended, and
// for clocks that do not run equally fast.
func trust(lease time.Duration) time.Duration { return lease - lease/8 }

// Campaign takes part in an election until lead returns or ctx ends. While owner leads it runs lead, once per leadership,
// with a context that ends with the cause *LostLead before anybody else can lead; lead must return soon then, what it
// returns is ignored, and the candidate waits for its next turn. owner is a name that nobody else ever has in this run.
//
// It returns what lead returned, also if lead returned because ctx ended; the cause of ctx if that ended while it did not
// lead; or an error of Redis that is not batch.Transient. The others are ridden out for as long as ctx lasts. In each case
// it resigns first, so that the next leader need not wait for the lease.
//
// A candidate takes over only from a leader that it has seen standing still for a whole lease, on its own monotonic clock.
// After an outage of Redis that lease begins anew. When Redis lost who leads, that is put back by the first who asks and has seen
// it, so that the leader, who knows most, goes on; only a candidate that comes just then may be quicker.
//
// Two may lead for a beat when that happens, or for most of a lease when a machine slept and its clock with it. Nothing but
// work is wasted then, as every request to the run is safe with any number of leaders.
func Campaign(ctx context.Context, e Election, owner string, lease time.Duration, lead func(ctx context.Context) error) error {
	c := &candidate{election: e, owner: owner, lease: lease, rival: rival{lease: lease}}
	defer c.resign(ctx)
	for {
		trusted, err := c.stand(ctx)
		if err != nil {
			return err
		}
		if over, err := c.govern(ctx, trusted, lead); over {
			return err
		}
	}
}

// candidate takes part in one election. Only Campaign's goroutine uses it.
type candidate struct {
	election Election
	owner    string
	lease    time.Duration
	rival    rival
	// held is who leads, as last answered.
	held batch.Leader
}

// ask beats, looks or takes over. An answer that takes half a lease is of no use any more: looks with such a gap between
// them prove nothing, and a leader's trust is nearly gone.
func (c *candidate) ask(ctx context.Context, stoodStill bool) (batch.Leader, error) {
	ctx, cancel := context.WithTimeout(ctx, c.lease/2)
	defer cancel()
	held, err := c.election.Lead(ctx, c.owner, c.held, stoodStill)
	if err != nil {
		return batch.Leader{}, err
	}
	c.held = held
	return held, nil
}

// resign does not outlast ctx by more than a beat. If it fails, the others wait for the lease.
func (c *candidate) resign(ctx context.Context) {
	if c.held.Owner != c.owner {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), batch.BeatInterval(c.lease))
	defer cancel()
	_ = c.election.Resign(ctx, c.owner, c.held.Term)
}

// stand returns when this candidate leads, with until when it may trust that. It looks every half beat, as controllers look
// after workers, so that it misses no beat of the leader.
func (c *candidate) stand(ctx context.Context) (trusted time.Time, err error) {
	stoodStill := false
	for ctx.Err() == nil {
		asked := time.Now()
		held, err := c.ask(ctx, stoodStill)
		now := time.Now()
		stoodStill = false
		switch {
		case ctx.Err() != nil:
			continue
		case err != nil && !batch.Transient(err):
			return time.Time{}, err
		case err != nil:
			c.rival.forget() // the leader could not reach Redis either
		case held.Owner == c.owner:
			if trusted := asked.Add(trust(c.lease)); now.Before(trusted) {
				return trusted, nil
			}
		case c.rival.standsStill(now, held):
			stoodStill = true
			continue
		}
		select {
		case <-time.After(batch.BeatInterval(c.lease) / 2):
		case <-ctx.Done():
		}
	}
	return time.Time{}, context.Cause(ctx)
}

// govern runs lead for as long as this candidate leads, and reports whether the campaign is over, and with what error.
func (c *candidate) govern(ctx context.Context, trusted time.Time, lead func(ctx context.Context) error) (over bool, err error) {
	leading, end := context.WithCancelCause(ctx)
	// The clock ends the trust, not the goroutine that beats: that may be held up by a request.
	expiry := time.AfterFunc(time.Until(trusted), func() { end(&LostLead{After: trust(c.lease)}) })
	defer expiry.Stop()
	var result error // of lead; read when it has returned
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		result = lead(leading)
		end(nil)
	}()
	refusal := c.hold(leading, end, expiry)
	<-returned
	why := context.Cause(leading) // whatever came first
	var lost *LostLead
	switch {
	case errors.As(why, &lost):
		return false, nil
	case refusal != nil && errors.Is(why, refusal):
		return true, refusal
	}
	return true, result
}

// hold beats until the leadership ends, and puts its expiry off with each good beat. The error is that of Redis if that is
// why it ended.
func (c *candidate) hold(leading context.Context, end context.CancelCauseFunc, expiry *time.Timer) error {
	term := c.held.Term
	ticker := time.NewTicker(batch.BeatInterval(c.lease))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-leading.Done():
			return nil
		}
		asked := time.Now()
		held, err := c.ask(leading, false)
		switch {
		case leading.Err() != nil:
			return nil
		case err != nil && !batch.Transient(err):
			end(err)
			return err
		case err != nil: // the trust lasts a while yet
		case held.Owner != c.owner || held.Term != term: // another term of its own: somebody led in between
			end(&LostLead{To: held})
		default:
			expiry.Reset(time.Until(asked.Add(trust(c.lease))))
		}
	}
}

// rival is who leads, as a candidate sees it. The rule is the detector's for workers that stand still for a whole lease.
type rival struct {
	lease time.Duration
	// held is what was seen last, and at what time that was; since is from when on it counts as standing still.
	held        batch.Leader
	last, since time.Time
}

// forget gives the rival a whole lease again: what happened is unknown.
func (r *rival) forget() { r.last = time.Time{} }

// standsStill reports whether the leader, given that it was seen so at now, has not beaten for a whole lease.
func (r *rival) standsStill(now time.Time, held batch.Leader) bool {
	gap := now.Sub(r.last)
	if held != r.held || gap > r.lease/2 {
		r.held, r.since = held, now
	} else if blind := gap - batch.BeatInterval(r.lease); blind > 0 {
		r.since = r.since.Add(blind) // a busy candidate sees less, and must not take that for less beats
	}
	r.last = now
	return now.Sub(r.since) >= r.lease
}
