package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/recovery"
)

// ballot is Q_leader in memory, under the rules of lead.lua and resign.lua.
type ballot struct {
	mu   sync.Mutex
	held batch.Leader
	// beaten is when it last changed.
	beaten time.Time
}

func (b *ballot) lead(owner string, seen batch.Leader, stoodStill bool) batch.Leader {
	b.mu.Lock()
	defer b.mu.Unlock()
	if seen.Term > b.held.Term || seen.Term == b.held.Term && seen.Beat > b.held.Beat {
		b.held = seen
	}
	switch {
	case b.held.Owner == owner:
		b.held.Beat++
	case b.held.Owner == "" || stoodStill && b.held == seen:
		b.held = batch.Leader{Owner: owner, Term: b.held.Term + 1}
	default:
		return b.held
	}
	b.beaten = time.Now()
	return b.held
}

func (b *ballot) resign(owner string, term int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held.Owner == owner && b.held.Term == term {
		b.held.Owner = ""
	}
}

func (b *ballot) set(held batch.Leader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = held
}

func (b *ballot) get() (held batch.Leader, beaten time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held, b.beaten
}

// trouble is what befalls one request. A candidate that is held up does not notice that its context ends, as a process
// that is stopped.
type trouble struct {
	// before and after hold the request and its answer up.
	before, after time.Duration
	// err is the answer, unless it is nil; then lost says whether the request reaches Redis, and late how much later.
	err  error
	lost bool
	late time.Duration
}

// candidate is one process: its connection to the ballot, and what it does while it leads.
type candidate struct {
	*ballot
	owner string
	// befalls is asked about each request; it is nil while all is well.
	befalls func() trouble
	cancel  context.CancelFunc
	// linger is how long lead runs on when its context has ended.
	linger time.Duration
	// led gets each leadership as it begins, ended what Campaign returned.
	led   chan *leadership
	ended chan error

	state sync.Mutex
	// good is the start of its last beat that was answered so that it leads.
	good time.Time
}

// leadership is one call of lead.
type leadership struct {
	owner string
	ctx   context.Context
	began time.Time
	// finish makes it return.
	finish chan error
}

// process makes a candidate, run starts its campaign. What ends it is its cancel, or the end of the test.
func process(b *ballot, owner string) *candidate {
	return &candidate{ballot: b, owner: owner, led: make(chan *leadership, 100), ended: make(chan error, 1)}
}

func (c *candidate) run(t *testing.T) *candidate {
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(t.Context())
	var running atomic.Bool
	t.Cleanup(func() {
		c.cancel()
		for range c.ended {
		}
	})
	go func() {
		defer close(c.ended)
		c.ended <- recovery.Campaign(ctx, c, c.owner, lease, func(ctx context.Context) error {
			if running.Swap(true) {
				t.Errorf("%s leads twice at once", c.owner)
			}
			defer running.Store(false)
			l := &leadership{c.owner, ctx, time.Now(), make(chan error, 1)}
			c.led <- l
			select {
			case err := <-l.finish:
				return err
			case <-ctx.Done():
				time.Sleep(c.linger)
				return context.Cause(ctx)
			}
		})
	}()
	return c
}

// befall changes what befalls its requests.
func (c *candidate) befall(f func() trouble) {
	c.state.Lock()
	defer c.state.Unlock()
	c.befalls = f
}

func always(what trouble) func() trouble { return func() trouble { return what } }

func (c *candidate) meet(ctx context.Context, request func()) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.state.Lock()
	var what trouble
	if c.befalls != nil {
		what = c.befalls()
	}
	c.state.Unlock()
	time.Sleep(what.before)
	switch {
	case what.lost:
	case what.late > 0:
		time.AfterFunc(what.late, request)
	default:
		request()
	}
	time.Sleep(what.after)
	return what.err
}

func (c *candidate) Lead(ctx context.Context, owner string, seen batch.Leader, stoodStill bool) (held batch.Leader, err error) {
	began := time.Now()
	var answer batch.Leader
	if err := c.meet(ctx, func() { answer = c.lead(owner, seen, stoodStill) }); err != nil {
		return batch.Leader{}, err
	}
	if answer.Owner == owner {
		c.state.Lock()
		c.good = began
		c.state.Unlock()
	}
	return answer, nil
}

func (c *candidate) Resign(ctx context.Context, owner string, term int64) error {
	return c.meet(ctx, func() { c.resign(owner, term) })
}

// kill ends the process as SIGKILL does: nothing that it asks reaches Redis any more.
func (c *candidate) kill() {
	c.befall(always(trouble{lost: true, err: errAway}))
	c.cancel()
}

// leads waits until the candidate leads.
func (c *candidate) leads(t *testing.T) *leadership {
	t.Helper()
	select {
	case l := <-c.led:
		return l
	case <-time.After(time.Hour):
		t.Fatalf("%s never leads", c.owner)
		return nil
	}
}

// waits expects that the candidate does not lead for a while.
func (c *candidate) waits(t *testing.T, most time.Duration) {
	t.Helper()
	select {
	case l := <-c.led:
		t.Fatalf("%s leads after %v", c.owner, time.Since(l.began))
	case <-time.After(most):
	}
}

// lost waits until a leadership is lost, and returns why.
func (l *leadership) lost(t *testing.T) *recovery.LostLead {
	t.Helper()
	select {
	case <-l.ctx.Done():
	case <-time.After(time.Hour):
		t.Fatalf("%s leads for ever", l.owner)
	}
	var lost *recovery.LostLead
	if !errors.As(context.Cause(l.ctx), &lost) {
		t.Fatalf("the lead of %s ended because of %v", l.owner, context.Cause(l.ctx))
	}
	return lost
}

var beat = batch.BeatInterval(lease)

func TestFirstCandidateLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a := process(new(ballot), "a").run(t)
		l := a.leads(t)
		if !l.began.Equal(began) {
			t.Errorf("it leads after %v", l.began.Sub(began))
		}
		time.Sleep(10 * lease)
		if held, _ := a.get(); l.ctx.Err() != nil || held.Term != 1 || held.Beat < 70 {
			t.Errorf("after ten leases: %v, %+v", context.Cause(l.ctx), held)
		}
		a.cancel()
		if err := <-a.ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// Whenever between two beats the leader dies, the others wait for a lease since its last beat, and not much longer.
func TestTakesOverFromTheDead(t *testing.T) {
	for moment := time.Duration(0); moment < beat; moment += beat / 8 {
		synctest.Test(t, func(t *testing.T) {
			a := process(new(ballot), "a").run(t)
			a.leads(t)
			time.Sleep(3*time.Second + moment)
			b := process(a.ballot, "b")
			b.befall(always(trouble{after: beat / 200}))
			b.run(t)
			time.Sleep(2*lease - 3*time.Second + beat/16)
			a.kill()
			_, last := a.get()
			if since := b.leads(t).began.Sub(last); since < lease || since > lease+beat+beat/5 {
				t.Errorf("b leads %v after the last beat of a, the lease is %v", since, lease)
			}
		})
	}
}

// A request that fails proves nothing of the leader, so that its lease begins anew; also if it was to take over.
func TestErrorStartsLeaseAnew(t *testing.T) {
	for which := range 18 { // 16 times half a beat make a lease, and the request after that takes over
		synctest.Test(t, func(t *testing.T) {
			b := process(&ballot{held: batch.Leader{Owner: "dead", Term: 1}}, "b")
			asked := 0
			var failed time.Time
			b.befall(func() trouble {
				if asked++; asked <= which {
					return trouble{}
				}
				if failed.IsZero() {
					failed = time.Now()
					return trouble{lost: true, err: errAway}
				}
				return trouble{}
			})
			b.run(t)
			if since := b.leads(t).began.Sub(failed); since < lease || since > lease+beat {
				t.Errorf("b leads %v after its request %d failed", since, which+1)
			}
		})
	}
}

// A candidate that looks seldom takes over later, and one that was blind for long begins anew: it may have been the blind
// one while the leader beat.
func TestSlowLooksProveLess(t *testing.T) {
	for name, test := range map[string]struct{ delay, atLeast, atMost time.Duration }{
		"seldom":  {3 * time.Second, 2 * lease, 2*lease + 3*beat},  // of each 4 s it can be sure of 2 s
		"blind":   {lease/2 + time.Second, 25 * lease, 26 * lease}, // until it sees well, after 24 leases
		"at once": {0, lease, lease + beat},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				b := process(&ballot{held: batch.Leader{Owner: "dead", Term: 1}}, "b")
				b.befall(always(trouble{before: test.delay}))
				time.AfterFunc(24*lease, func() { b.befall(nil) })
				b.run(t)
				if took := b.leads(t).began.Sub(began); took < test.atLeast || took > test.atMost {
					t.Errorf("b leads after %v, want %v to %v", took, test.atLeast, test.atMost)
				}
			})
		})
	}
}

// A leader whose request hangs, with all of its process but the clock, loses the lead before another has it. When it
// comes back it stands in line.
func TestPausedLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := process(new(ballot), "a").run(t)
		first := a.leads(t)
		b := process(a.ballot, "b").run(t)
		time.Sleep(2 * lease)
		a.befall(always(trouble{before: 3 * lease}))
		_, last := a.get()
		lost := first.lost(t)
		if since := time.Since(last); since > lease || lost.To != (batch.Leader{}) {
			t.Errorf("it lost the lead %v after its last beat: %v", since, lost)
		}
		over := time.Now()
		second := b.leads(t)
		if spare := second.began.Sub(over); spare < lease/8 {
			t.Errorf("another leads %v after it lost the lead", spare)
		}
		a.befall(nil)
		a.waits(t, 10*lease)
		if second.ctx.Err() != nil {
			t.Error("the new leader lost the lead:", context.Cause(second.ctx))
		}
		b.cancel()
		if third := a.leads(t); time.Since(third.began) > 0 || third.ctx.Err() != nil {
			t.Error(context.Cause(third.ctx))
		}
	})
}

func TestDeposedLeaderIsTold(t *testing.T) {
	for name, other := range map[string]batch.Leader{
		"another":             {Owner: "b", Term: 2},
		"itself, a term over": {Owner: "a", Term: 3, Beat: 1}, // others led in between
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := process(new(ballot), "a").run(t)
				l := a.leads(t)
				time.Sleep(lease)
				a.set(other)
				changed := time.Now()
				lost := l.lost(t)
				if lost.To.Owner != other.Owner || lost.To.Term != other.Term || time.Since(changed) > beat {
					t.Errorf("it is told %v later: %v", time.Since(changed), lost)
				}
			})
		})
	}
}

// When Redis loses who leads, the leader goes on, whoever asks first; and if it died just then, it is given its lease, also by
// a candidate that never heard of it.
func TestLostLeaderIsPutBack(t *testing.T) {
	for name, test := range map[string]struct{ dies, outage bool }{
		"lives":                           {},
		"dies":                            {dies: true},
		"lives, and Redis was away":       {outage: true},
		"dies, while Redis is still away": {dies: true, outage: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := process(new(ballot), "a").run(t)
				led := a.leads(t)
				b := process(a.ballot, "b").run(t)
				time.Sleep(2*lease + beat/8) // a beat of a is later than the next look of b
				if test.outage {
					for _, c := range []*candidate{a, b} {
						c.befall(always(trouble{lost: true, err: errAway}))
					}
					time.Sleep(2 * lease)
				}
				a.set(batch.Leader{})
				b.befall(nil)
				if test.dies {
					a.kill()
				} else {
					a.befall(nil)
				}
				lost := time.Now()
				time.Sleep(beat * 3 / 4) // b has looked
				stranger := process(a.ballot, "stranger").run(t)
				if test.dies {
					if since := b.leads(t).began.Sub(lost); since < lease-3*beat/2 || since > lease+beat { // a's last beat may be lost, too
						t.Errorf("b leads %v after the loss", since)
					}
					stranger.waits(t, 3*lease)
					return
				}
				if test.outage {
					led = a.leads(t) // anew: it could not be sure
				}
				b.waits(t, 3*lease)
				stranger.waits(t, time.Second)
				if held, _ := a.get(); led.ctx.Err() != nil || held.Owner != "a" || held.Term != 1 {
					t.Errorf("%+v leads; the lead of a ended: %v", held, context.Cause(led.ctx))
				}
			})
		})
	}
}

// A candidate that comes just when Redis has lost who leads is told by the leader's next beat.
func TestStrangerGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := process(new(ballot), "a").run(t)
		led := a.leads(t)
		time.Sleep(2*lease + beat/8)
		a.set(batch.Leader{})
		began := time.Now()
		stranger := process(a.ballot, "stranger").run(t)
		if lost := stranger.leads(t).lost(t); lost.To.Owner != "a" || time.Since(began) > 2*beat {
			t.Errorf("it is told after %v: %v", time.Since(began), lost)
		}
		stranger.waits(t, 3*lease)
		if led.ctx.Err() != nil {
			t.Error("the leader lost the lead:", context.Cause(led.ctx))
		}
	})
}

// While Redis is away for all, a leader trusts itself for most of a lease. Whatever it lost then, nobody takes the lead away
// for a lease after Redis is back: it could not beat.
func TestOutageDeposesNobody(t *testing.T) {
	for name, test := range map[string]struct {
		outage time.Duration
		loses  bool
	}{"short": {lease / 2, false}, "long": {5 * lease, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := process(new(ballot), "a").run(t)
				l := a.leads(t)
				b := process(a.ballot, "b").run(t)
				time.Sleep(lease + time.Second)
				for _, c := range []*candidate{a, b} {
					c.befall(always(trouble{lost: true, err: errAway}))
				}
				time.Sleep(test.outage)
				if lost := l.ctx.Err() != nil; lost != test.loses {
					t.Errorf("after %v the lead was lost: %v", test.outage, lost)
				}
				b.befall(nil)
				if test.loses {
					b.waits(t, lease-beat) // a comes back just in time
				}
				a.befall(nil)
				if test.loses {
					l = a.leads(t)
				}
				b.waits(t, 3*lease)
				if held, _ := a.get(); held.Owner != "a" || held.Term != 1 || l.ctx.Err() != nil {
					t.Errorf("%+v leads", held)
				}
			})
		})
	}
}

// An orderly end hands over at the next look of another, whether the process ends or what it did.
func TestResignHandsOver(t *testing.T) {
	failure := errors.New("it failed")
	for name, test := range map[string]struct {
		end  func(a *candidate, l *leadership)
		want error
	}{
		"stopped":  {func(a *candidate, l *leadership) { a.cancel() }, context.Canceled},
		"finished": {func(a *candidate, l *leadership) { l.finish <- nil }, nil},
		"failed":   {func(a *candidate, l *leadership) { l.finish <- failure }, failure},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := process(new(ballot), "a").run(t)
				l := a.leads(t)
				b := process(a.ballot, "b").run(t)
				time.Sleep(lease)
				test.end(a, l)
				if err := <-a.ended; !errors.Is(err, test.want) {
					t.Errorf("the campaign ended with %v, want %v", err, test.want)
				}
				resigned := time.Now()
				if l := b.leads(t); l.began.Sub(resigned) > beat {
					t.Errorf("b leads %v later", l.began.Sub(resigned))
				}
				if held, _ := a.get(); held.Term != 2 {
					t.Errorf("in term %d", held.Term)
				}
			})
		})
	}
}

// What lead returns does not end the campaign when the leadership was lost.
func TestLoserStaysCandidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := process(new(ballot), "a").run(t)
		a.leads(t)
		a.set(batch.Leader{Owner: "gone", Term: 2}) // which never beats
		if l := a.leads(t); time.Since(l.began) > 0 || l.ctx.Err() != nil {
			t.Error(context.Cause(l.ctx))
		}
		if held, _ := a.get(); held.Term != 3 {
			t.Errorf("in term %d", held.Term)
		}
	})
}

func TestRefusalEndsCampaign(t *testing.T) {
	refused := errors.New("NOPERM this user has no permissions")
	synctest.Test(t, func(t *testing.T) {
		a := process(new(ballot), "a").run(t)
		l := a.leads(t)
		b := process(a.ballot, "b").run(t)
		time.Sleep(lease)
		for _, c := range []*candidate{b, a} {
			c.befall(always(trouble{lost: true, err: refused}))
			if err := <-c.ended; !errors.Is(err, refused) {
				t.Errorf("%s ended with %v", c.owner, err)
			}
		}
		if !errors.Is(context.Cause(l.ctx), refused) {
			t.Error(context.Cause(l.ctx))
		}
	})
}

func TestCandidateIsStopped(t *testing.T) {
	why := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		b := &ballot{held: batch.Leader{Owner: "other", Term: 1}}
		ctx, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(lease/2, func() { stop(why) })
		err := recovery.Campaign(ctx, process(b, "a"), "a", lease, func(context.Context) error {
			t.Error("it leads")
			return nil
		})
		if held, _ := b.get(); err != why || held.Owner != "other" {
			t.Errorf("%v, %+v leads", err, held)
		}
	})
}

// Whatever befalls four candidates, no two of them have a context that lasts, and none has one for a lease after its last
// good beat began; when all is well again, one leads.
func TestNoTwoLeadersInAnySchedule(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { anySchedule(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func anySchedule(t *testing.T, random *rand.Rand) {
	var mu sync.Mutex // for random, and leaders
	var leaders []*leadership
	upTo := func(most time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(random.Int64N(int64(most) + 1))
	}
	chance := func(percent int) bool { return upTo(99) < time.Duration(percent) }

	// watch follows one leadership after the other.
	watch := func(c *candidate) {
		for l := range c.led {
			mu.Lock()
			for _, other := range leaders {
				if other.ctx.Err() == nil {
					t.Errorf("%s leads while %s does", l.owner, other.owner)
				}
			}
			leaders = append(leaders, l)
			mu.Unlock()
			<-l.ctx.Done()
			c.state.Lock()
			if since := time.Since(c.good); since > lease {
				t.Errorf("%s lost the lead %v after its last good beat", l.owner, since)
			}
			c.state.Unlock()
		}
	}
	b := new(ballot)
	born := 0
	begin := func() *candidate {
		c := process(b, fmt.Sprint("candidate ", born))
		c.linger = upTo(lease / 2)
		c.run(t)
		born++
		go watch(c)
		return c
	}
	end := func(c *candidate) {
		c.cancel()
		<-c.ended
		close(c.led)
	}

	requests := func() trouble {
		what := trouble{before: upTo(beat / 8), after: upTo(beat / 8)}
		switch {
		case chance(2): // stopped before, or after Redis was asked
			what.before = upTo(2 * lease)
		case chance(2):
			what.after = upTo(2 * lease)
		case chance(1):
			what.err, what.lost = errAway, true
		case chance(1): // the answer is lost
			what.err = errAway
		case chance(1): // and Redis gets the request later
			what.err, what.late = errAway, upTo(2*lease)
		}
		return what
	}
	var all [4]*candidate
	for i := range all {
		all[i] = begin()
		all[i].befall(requests)
	}
	for range 40 {
		time.Sleep(upTo(lease))
		i := int(upTo(3))
		switch {
		case chance(25): // some cannot reach Redis, or none
			for _, c := range all {
				if chance(60) {
					c.befall(always(trouble{lost: true, err: errAway}))
				}
			}
			time.Sleep(upTo(2 * lease))
			for _, c := range all {
				c.befall(requests)
			}
		case chance(30):
			if chance(50) {
				all[i].kill()
			}
			end(all[i])
			all[i] = begin()
			all[i].befall(requests)
		}
	}
	for _, c := range all {
		c.befall(nil)
	}
	time.Sleep(6 * lease) // what was held up comes back, and a lease passes
	mu.Lock()
	now := 0
	for _, l := range leaders {
		if l.ctx.Err() == nil {
			now++
		}
	}
	if now != 1 || len(leaders) < 3 {
		t.Errorf("in the end %d lead, after %d leaderships", now, len(leaders))
	}
	mu.Unlock()
	for _, c := range all {
		end(c)
	}
}

// The real scripts hand over as the fake does.
func TestCampaignOnServers(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		e, err := batch.NewElection(rdb, "run")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		begun := make(chan string)
		next := make(chan struct{})
		for _, owner := range []string{"a", "b"} {
			go func() {
				ended <- recovery.Campaign(t.Context(), e, owner, lease/16, func(ctx context.Context) error {
					begun <- owner
					<-next
					return ctx.Err()
				})
			}()
		}
		first := <-begun
		next <- struct{}{}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if second := <-begun; second == first {
			t.Errorf("%s leads twice", first)
		}
		next <- struct{}{}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
