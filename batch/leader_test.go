package batch_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// election is an election whose whole state a test follows.
type election struct {
	*run
	*batch.Election
	key string
}

func newElection(t *testing.T, rdb *redis.Client) *election {
	t.Helper()
	e := &election{run: &run{t: t, ctx: t.Context(), rdb: rdb}}
	rdb.AddHook(recorder{e.run})
	keys, err := batch.NewKeys(t.Name())
	e.must(err)
	e.key = keys.Leader()
	e.Election, err = batch.NewElection(rdb, t.Name())
	e.must(err)
	return e
}

// lead expects who leads after a request of an owner who has seen a leader.
func (e *election) lead(owner string, seen, want batch.Leader) {
	e.t.Helper()
	e.ask(owner, seen, false, want)
}

// depose expects the same after a request of one to whom the leader stood still.
func (e *election) depose(owner string, seen, want batch.Leader) {
	e.t.Helper()
	e.ask(owner, seen, true, want)
}

func (e *election) ask(owner string, seen batch.Leader, stoodStill bool, want batch.Leader) {
	e.t.Helper()
	got, err := e.Lead(e.ctx, owner, seen, stoodStill)
	e.must(err)
	if got != want {
		e.t.Errorf("%s is answered %+v, want %+v", owner, got, want)
	}
}

// holds expects what Redis has, as owner, term and beat.
func (e *election) holds(owner, term, beat string) {
	e.t.Helper()
	want := map[string]string{"owner": owner, "term": term, "beat": beat}
	if diff := cmp.Diff(want, e.rdb.HGetAll(e.ctx, e.key).Val()); diff != "" {
		e.t.Errorf("Q_leader (-want +got):\n%s", diff)
	}
}

// repeat sends a request again, and expects what Redis has then.
func (e *election) repeat(request []any, owner, term, beat string) {
	e.t.Helper()
	e.must(e.again(request))
	e.holds(owner, term, beat)
}

func TestLead(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		e := newElection(t, rdb)
		none := batch.Leader{}
		e.lead("a", none, batch.Leader{Owner: "a", Term: 1})
		e.lead("a", none, batch.Leader{Owner: "a", Term: 1, Beat: 1})
		seen := batch.Leader{Owner: "a", Term: 1, Beat: 1}
		e.lead("b", none, seen)
		e.holds("a", "1", "1")

		// Only what was seen exactly so is deposed.
		for _, other := range []batch.Leader{{Owner: "a", Term: 1}, {Owner: "a", Beat: 1}, {Owner: "c", Term: 1, Beat: 1}, {Term: 1, Beat: 1}} {
			e.depose("b", other, seen)
		}
		e.lead("b", seen, seen) // it did not stand still
		e.holds("a", "1", "1")
		e.depose("b", seen, batch.Leader{Owner: "b", Term: 2})
		e.holds("b", "2", "0")

		// The former leader cannot take the lead back with what it knew.
		e.depose("a", seen, batch.Leader{Owner: "b", Term: 2})
		e.lead("b", none, batch.Leader{Owner: "b", Term: 2, Beat: 1})
	})
}

func TestResign(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		e := newElection(t, rdb)
		none := batch.Leader{}
		e.must(e.Resign(e.ctx, "a", 1)) // of nothing
		if n := rdb.Exists(e.ctx, e.key).Val(); n != 0 {
			t.Error("a resignation made the key")
		}
		e.lead("a", none, batch.Leader{Owner: "a", Term: 1})
		e.must(e.Resign(e.ctx, "b", 1))
		e.must(e.Resign(e.ctx, "a", 2))
		e.holds("a", "1", "0")
		for range 2 {
			e.must(e.Resign(e.ctx, "a", 1))
			e.holds("", "1", "0")
		}
		resign := e.last()
		e.lead("b", none, batch.Leader{Owner: "b", Term: 2})
		e.must(e.Resign(e.ctx, "b", 2))
		e.lead("a", none, batch.Leader{Owner: "a", Term: 3})
		e.repeat(resign, "a", "3", "0")
	})
}

// A request that arrives again, at any later time, deposes nobody.
func TestDelayedDuplicatesOfLead(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		e := newElection(t, rdb)
		none := batch.Leader{}
		e.lead("a", none, batch.Leader{Owner: "a", Term: 1})
		first := e.last()
		e.repeat(first, "a", "1", "1")
		e.depose("b", batch.Leader{Owner: "a", Term: 1, Beat: 1}, batch.Leader{Owner: "b", Term: 2})
		takeover := e.last()
		e.repeat(first, "b", "2", "0")
		e.repeat(takeover, "b", "2", "1")
		e.depose("c", batch.Leader{Owner: "b", Term: 2, Beat: 1}, batch.Leader{Owner: "c", Term: 3})
		e.repeat(first, "c", "3", "0")
		e.repeat(takeover, "c", "3", "0")

		// After a resignation it makes a leader that may not live; the others wait for a lease.
		e.must(e.Resign(e.ctx, "c", 3))
		e.repeat(first, "a", "4", "0")
	})
}

// What Redis lost of the leader is put back by whoever has seen it, and is what the latest of them saw. Only if nobody has
// does whoever comes first lead, in a first term.
func TestLeadAfterLoss(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		e := newElection(t, rdb)
		none, seen := batch.Leader{}, batch.Leader{Owner: "b", Term: 2}
		b := func(beat int64) batch.Leader { return batch.Leader{Owner: "b", Term: 2, Beat: beat} }
		lose := func() { t.Helper(); e.must(rdb.Del(e.ctx, e.key).Err()) }
		e.lead("a", none, batch.Leader{Owner: "a", Term: 1})
		e.depose("b", batch.Leader{Owner: "a", Term: 1}, seen)

		lose()
		e.lead("b", b(7), b(8)) // the leader goes on
		lose()
		e.lead("a", b(7), b(7)) // a candidate is first
		if ttl := rdb.TTL(e.ctx, e.key).Val(); ttl < 23*time.Hour {
			t.Errorf("what was put back expires in %v", ttl)
		}
		putBack := e.last()
		e.lead("c", batch.Leader{Owner: "a", Term: 1, Beat: 30}, b(7)) // of an earlier term
		e.lead("c", b(6), b(7))
		e.lead("b", b(8), b(9))
		e.repeat(putBack, "b", "2", "9")
		e.lead("c", none, b(9))

		lose()
		e.depose("a", b(9), batch.Leader{Owner: "a", Term: 3}) // it stood still before
		lose()
		e.lead("c", batch.Leader{Term: 3, Beat: 1}, batch.Leader{Owner: "c", Term: 4}) // who led had resigned
		lose()
		e.lead("d", none, batch.Leader{Owner: "d", Term: 1}) // it comes just then
		e.lead("d", batch.Leader{Owner: "d", Term: 1}, batch.Leader{Owner: "d", Term: 1, Beat: 1})
		e.lead("c", batch.Leader{Owner: "c", Term: 4}, batch.Leader{Owner: "c", Term: 4, Beat: 1})
		e.lead("d", batch.Leader{Owner: "d", Term: 1, Beat: 1}, batch.Leader{Owner: "c", Term: 4, Beat: 1})
	})
}

// The key belongs to the run, expires as its others do, and is not touched when the run is opened.
func TestLeaderBesideRun(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		e := newElection(t, rdb)
		e.lead("a", batch.Leader{}, batch.Leader{Owner: "a", Term: 1})
		r := openRun(t, rdb)
		if d := r.seen; d.Strangers != nil {
			t.Errorf("strangers: %q", d.Strangers)
		}
		e.holds("a", "1", "0")
		if ttl := rdb.TTL(e.ctx, e.key).Val(); ttl > 24*time.Hour || ttl < 23*time.Hour {
			t.Errorf("it expires in %v", ttl)
		}
		_, err := batch.Clean(r.ctx, rdb, t.Name())
		r.must(err)
		if n := rdb.Exists(e.ctx, e.key).Val(); n != 0 {
			t.Error("it is left by clean")
		}
	})
}

func TestLeadErrors(t *testing.T) {
	if _, err := batch.NewElection(nil, "a b"); err == nil {
		t.Error("a run id with a blank is allowed")
	}
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		e := newElection(t, rdb)
		if _, err := e.Lead(e.ctx, "", batch.Leader{}, false); err == nil {
			t.Error("an empty owner is allowed")
		}
		e.must(rdb.Set(e.ctx, e.key, "no hash", 0).Err())
		if _, err := e.Lead(e.ctx, "a", batch.Leader{}, false); err == nil || batch.Transient(err) {
			t.Errorf("got error %v of a key that is no hash", err)
		}
		e.must(rdb.Del(e.ctx, e.key).Err())
		e.must(rdb.HSet(e.ctx, e.key, "owner", "b", "term", "x", "beat", "0").Err())
		if _, err := e.Lead(e.ctx, "a", batch.Leader{}, false); err == nil || batch.Transient(err) {
			t.Errorf("got error %v of a term that is no number", err)
		}
	})
}
