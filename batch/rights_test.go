package batch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// guarded is a server with a user called guest, who has the rights to the runs that a pattern names.
type guarded struct {
	t     *testing.T
	addr  string
	admin *redis.Client
}

// database of the runs: not 0, so that connections select it.
const database = 1

func newGuarded(t *testing.T, pattern string) *guarded {
	t.Helper()
	addr := batchtest.StartReal(t).Addr
	g := &guarded{t: t, addr: addr, admin: redis.NewClient(&redis.Options{Addr: addr, DB: database})}
	t.Cleanup(func() { _ = g.admin.Close() })
	g.change(append([]string{"on", ">secret"}, batch.Rights(pattern)...)...)
	g.do("acl", "log", "reset")
	return g
}

func (g *guarded) do(args ...any) any {
	g.t.Helper()
	reply, err := g.admin.Do(g.t.Context(), args...).Result()
	if err != nil {
		g.t.Fatalf("%v: %v", args, err)
	}
	return reply
}

// change changes the rules of the guest.
func (g *guarded) change(rules ...string) {
	g.t.Helper()
	args := []any{"acl", "setuser", "guest"}
	for _, rule := range rules {
		args = append(args, rule)
	}
	g.do(args...)
}

// guest connects as the guest, for the time of the test.
func (g *guarded) guest() *redis.Client {
	rdb := redis.NewClient(&redis.Options{
		Addr: g.addr, DB: database, Username: "guest", Password: "secret", ClientName: "shardctl-test", DisableIdentity: true,
	})
	g.t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// The user that Rights describes can do everything, and the server had nothing to refuse.
func TestRights(t *testing.T) {
	const runID = "owner/repo:1.2-x_"
	keys, err := batch.NewKeys(runID)
	if err != nil {
		t.Fatal(err)
	}
	for name, pattern := range map[string]string{"one run": keys.Pattern(), "all runs": batch.AllRuns} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, pattern)
			if err := wholeProtocol(t.Context(), g.guest(), runID); err != nil {
				t.Error(err)
			}
			if log := g.do("acl", "log"); len(log.([]any)) > 0 {
				t.Errorf("the server refused something: %v", log)
			}
			if left := g.admin.Keys(t.Context(), "*").Val(); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// Nothing is granted that the protocol does not need.
func TestRightsAreMinimal(t *testing.T) {
	g := newGuarded(t, batch.AllRuns)
	for _, rule := range batch.Rights(batch.AllRuns) {
		name, ok := strings.CutPrefix(rule, "+")
		if !ok {
			continue
		}
		g.do("flushdb")
		g.do("script", "flush")
		g.change("-" + name)
		err := wholeProtocol(t.Context(), g.guest(), "r")
		g.change("+" + name)
		if !forbidden(err) {
			t.Errorf("without %s: error %v", name, err)
		}
	}
}

// No script calls what is not granted, not even where no test comes by.
func TestRightsCoverTheScripts(t *testing.T) {
	files, err := filepath.Glob("lua/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: %q, error %v", files, err)
	}
	rights := batch.Rights(batch.AllRuns)
	call := regexp.MustCompile(`redis\.p?call\((?:'([A-Z]+)')?`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(rights, "+"+strings.ToLower(m[1])) {
				t.Errorf("%s: %s is not granted", file, m[0])
			}
		}
	}
}

// The guest of a run reaches nothing of others, not even from within a script, and nothing of the server's.
func TestRightsEndAtTheRun(t *testing.T) {
	keys, err := batch.NewKeys("r")
	if err != nil {
		t.Fatal(err)
	}
	g := newGuarded(t, keys.Pattern())
	ctx, guest := t.Context(), g.guest()
	if _, err := batch.Open(ctx, guest, "r", "digest", batch.DefaultOptions()); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"r2", "R", "r/1"} {
		if _, err := batch.Open(ctx, g.admin, other, "digest", batch.DefaultOptions()); err != nil {
			t.Fatal(err)
		}
	}
	g.do("set", "mine", "1")
	for _, request := range [][]any{
		{"hgetall", "{shard:r2}_run"}, {"hgetall", "{shard:R}_run"}, {"hgetall", "{shard:r/1}_run"}, {"del", "{shard:r2}_run"},
		{"del", "mine"}, {"get", "mine"}, {"set", "{shard:r}", "1"},
		{"eval", "return redis.call('HGETALL', KEYS[1])", 1, "{shard:r2}_run"},
		{"eval", "return redis.call('HGETALL', '{shard:r2}_run')", 0},
		{"eval", "return redis.call('FLUSHALL')", 0},
		{"flushall"}, {"flushdb"}, {"config", "get", "*"}, {"keys", "*"}, {"info"}, {"monitor"}, {"shutdown", "nosave"},
		{"acl", "list"}, {"acl", "whoami"}, {"acl", "setuser", "guest", "allkeys"}, {"script", "flush"},
		{"client", "kill", "id", "1"}, {"client", "pause", "1"}, {"publish", "{shard:r}", "x"},
	} {
		if err := guest.Do(ctx, request...).Err(); !forbidden(err) {
			t.Errorf("%v: error %v", request, err)
		}
	}
	for _, other := range []string{"r2", "R", "r/1"} {
		if q, err := batch.Attach(ctx, g.admin, other); err != nil {
			t.Errorf("run %s: %v", other, err)
		} else if _, err := q.State(ctx); err != nil {
			t.Errorf("run %s: %v", other, err)
		}
	}
}

// forbidden tells whether it was for lack of rights that a request failed: by itself, within a script or within a transaction.
func forbidden(err error) bool {
	return err != nil && slices.ContainsFunc([]string{"NOPERM", "The user executing the script can't", "EXECABORT"}, func(text string) bool {
		return strings.Contains(err.Error(), text)
	})
}

// failure carries an error out of wholeProtocol.
type failure struct{ error }

func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

func got[T any](value T, err error) T { check(err); return value }

// same checks that a request answered what it should.
func same[T comparable](want, answer T) {
	if answer != want {
		check(fmt.Errorf("got %v, want %v", answer, want))
	}
}

// wholeProtocol makes every request that there is, and returns the first error. It leaves nothing.
func wholeProtocol(ctx context.Context, rdb *redis.Client, runID string) (err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			err = f.error
		default:
			panic(f)
		}
	}()
	check(rdb.Ping(ctx).Err())

	election := got(batch.NewElection(rdb, runID))
	leader := got(election.Lead(ctx, "controller", batch.Leader{}, false))
	leader = got(election.Lead(ctx, "controller", leader, false))
	same(leader, got(election.Lead(ctx, "standby", batch.Leader{}, false)))
	check(election.Resign(ctx, "controller", leader.Term))

	tests := append(asTests(ids("a b c d e f")...), batch.Test{ID: "gated", Seconds: 2, Gate: batch.Gate{Name: "gpu"}})
	q := got(batch.Open(ctx, rdb, runID, "digest", batch.DefaultOptions()))
	same(7, got(q.Enqueue(ctx, tests)))
	check(q.Seal(ctx, 7))

	// One worker dies, and one is drained.
	w, answer, err := q.Join(ctx, "w", "info")
	check(err)
	dead, _, err := q.Join(ctx, "dead", "info")
	check(err)
	lost := got(dead.Claim(ctx, 1, false)).Batch
	same("gated", lost.IDs()[0])
	got(dead.Gate(ctx, lost, true, ""))
	got(dead.Report(ctx, lost.Number, []batch.Event{start("gated")}))
	workers := got(q.Workers(ctx))
	beat := workers[slices.IndexFunc(workers, func(s batch.WorkerState) bool { return s.ID == dead.ID() })].Beat
	reaped, held, err := q.Reap(ctx, dead.ID(), beat, "no beat")
	check(err)
	same(true, reaped)
	same(1, held)
	gpu := tests[6].Gate.Hash()
	b := got(w.Claim(ctx, 1, true, gpu)).Batch
	got(w.Report(ctx, b.Number, []batch.Event{finish("a", batch.Passed)}))
	got(w.Settle(ctx, b.Number, batch.Requeue))
	b = got(w.Claim(ctx, 1, true, gpu)).Batch
	got(w.Beat(ctx, b.Number, b.IDs()))
	got(w.Report(ctx, b.Number, []batch.Event{finish("b", batch.Crashed)}))
	got(w.Settle(ctx, b.Number, batch.Requeue))
	b = got(w.Claim(ctx, 1, true, gpu)).Batch
	got(w.Drain(ctx, b.Number, nil))
	check(w.Leave(ctx, "drained"))
	same(true, got(q.Wait(ctx, answer.Cursor, time.Millisecond)).Cursor != answer.Cursor)
	events := got(q.Events(ctx, batch.JournalStart, 1000, time.Millisecond))
	same(true, len(events) > 0)
	same(true, got(q.Age(ctx)) < time.Hour)
	same(true, got(q.Clients(ctx)).Names["shardctl-test"])
	for _, key := range got(batch.ReadKeys(ctx, rdb, runID)) {
		check(key.Err)
	}
	same(len(events), len(got(q.Recent(ctx, 1000))))

	// Redis loses first a list, then the run.
	check(rdb.Del(ctx, q.Keys().Queue()).Err())
	same(batch.IsUneven, got(q.Finish(ctx, nil, false)))
	same(4, got(q.Audit(ctx)))
	check(rdb.Del(ctx, q.Keys().Tests()).Err())
	q = got(q.Reopen(ctx))
	same(7, got(q.Enqueue(ctx, tests)))
	finals := slices.DeleteFunc(events, func(e batch.Event) bool { return e.Type != batch.Finish || e.Test != "a" })
	same(1, got(q.Restore(ctx, [][]batch.Event{finals})))
	check(q.Seal(ctx, 7))
	same(5, len(got(q.Lacking(ctx, ids("a b c d e f")))))

	// It ends all the same; for the test behind the gate nobody qualifies.
	w, _, err = q.Join(ctx, "w", "info")
	check(err)
	b = got(w.Claim(ctx, 1, true)).Batch
	got(w.Gate(ctx, b, false, "no such device"))
	got(w.Settle(ctx, b.Number, batch.HandBack))
	for range 5 {
		b := got(w.Claim(ctx, 1, true, gpu)).Batch
		got(w.Report(ctx, b.Number, []batch.Event{finish(b.IDs()[0], batch.Passed)}))
		got(w.Settle(ctx, b.Number, batch.Requeue))
	}
	same(1, len(got(q.State(ctx)).Gates))
	check(w.LeaveUnqualified(ctx, "qualifies for nothing that is left"))
	same(batch.IsStuck, got(q.Finish(ctx, nil, false)))
	same(batch.IsDone, got(q.Finish(ctx, nil, true)))
	same(7, len(got(q.Tests(ctx))))
	same("unroutable", got(q.Results(ctx))["gated"])
	got(batch.Clean(ctx, rdb, runID))

	q = got(batch.Open(ctx, rdb, runID, batch.Streaming, batch.DefaultOptions()))
	q = got(q.Reattach(ctx))
	same(batch.IsAborted, got(q.Abort(ctx, batch.Abortion{Why: "enough", Who: "somebody"})))
	got(batch.Clean(ctx, rdb, runID))
	return nil
}
