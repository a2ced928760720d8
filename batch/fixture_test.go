package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// run is one run on one server, whose whole state a test follows: each step is an action, then expect.
type run struct {
	t   *testing.T
	ctx context.Context
	rdb *redis.Client
	q   *batch.Queue
	// names shows the ids of workers, which have a random part, under fixed names: w, and w' for a second of that name.
	names map[string]string
	// seen is the state as of the last look or expect; sent are all requests to scripts.
	seen batchtest.Dump
	sent [][]any
}

// runOptions are those of openRun: the default, and one expected worker, so that a first claim takes half of what it finds.
func runOptions() batch.Options {
	options := batch.DefaultOptions()
	options.ExpectWorkers = 1
	return options
}

// openRun opens a run of the test's own name with the default options, changed.
func openRun(t *testing.T, rdb *redis.Client, change ...func(*batch.Options)) *run {
	t.Helper()
	options := runOptions()
	for _, f := range change {
		f(&options)
	}
	r := &run{t: t, ctx: t.Context(), rdb: rdb, names: map[string]string{}}
	rdb.AddHook(recorder{r})
	var err error
	r.q, err = batch.Open(r.ctx, rdb, strings.ReplaceAll(t.Name(), "#", "-"), "digest", options)
	r.must(err)
	r.look()
	return r
}

// newRun is openRun with a sealed list.
func newRun(t *testing.T, rdb *redis.Client, tests []string, change ...func(*batch.Options)) *run {
	t.Helper()
	r := openRun(t, rdb, change...)
	r.enqueue(tests...)
	r.must(r.q.Seal(r.ctx, len(tests)))
	r.look()
	return r
}

func (r *run) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// refused expects an error with a code, and that nothing has changed.
func (r *run) refused(err error, code batch.Code) {
	r.t.Helper()
	if !errors.Is(err, code) {
		r.t.Fatalf("got error %v, want %s", err, code)
	}
	r.same()
}

func (r *run) enqueue(ids ...string) {
	r.t.Helper()
	_, err := r.q.Enqueue(r.ctx, asTests(ids...))
	r.must(err)
}

// ids spells lists of tests.
func ids(names string) []string { return strings.Fields(names) }

func asTests(ids ...string) []batch.Test {
	tests := make([]batch.Test, len(ids))
	for i, id := range ids {
		tests[i].ID = id
	}
	return tests
}

// read returns the state under fixed names, and fails the test if an invariant does not hold.
func (r *run) read() batchtest.Dump {
	r.t.Helper()
	d, err := batchtest.Read(r.ctx, r.rdb, r.q.Keys())
	r.must(err)
	if err := d.Check(); err != nil {
		r.t.Fatal(err)
	}
	for _, field := range []string{"epoch", "birth"} {
		if len(d.Run[field]) == 32 { // 128 bits
			d.Run[field] = field
		}
	}
	for _, count := range []string{"joined", "listed", "gates", "known", "known_us", "known_ms2", "left_us", "left_unknown", "shares", "shares_us", "grouped"} {
		delete(d.Run, count) // they follow from the rest, as far as that matters
	}
	named := d
	named.Workers, named.Sets = map[string]batchtest.Worker{}, map[string][]string{}
	for id, w := range d.Workers {
		named.Workers[r.name(id)] = w
	}
	for id, set := range d.Sets {
		named.Sets[r.name(id)] = set
	}
	for id, tries := range d.Tries {
		tries.Worker = r.name(tries.Worker)
		d.Tries[id] = tries
	}
	return named
}

func (r *run) name(id string) string {
	if name, ok := r.names[id]; ok {
		return name
	}
	return id
}

func (r *run) look() { r.t.Helper(); r.seen = r.read() }

// expect compares the whole state with what was seen last, changed.
func (r *run) expect(change func(d *batchtest.Dump)) {
	r.t.Helper()
	want := r.seen
	change(&want)
	r.look()
	if diff := cmp.Diff(want, r.seen, cmpopts.EquateEmpty()); diff != "" {
		r.t.Fatalf("state (-want +got):\n%s", diff)
	}
}

func (r *run) same() { r.t.Helper(); r.expect(func(*batchtest.Dump) {}) }

// edit changes one entry of a map of structs.
func edit[V any](m map[string]V, key string, change func(*V)) {
	v := m[key]
	change(&v)
	m[key] = v
}

// finished changes a state to one where a worker brought a test to a result.
func finished(d *batchtest.Dump, name, test string, status batch.Status) {
	d.Sets[name] = slices.DeleteFunc(d.Sets[name], func(id string) bool { return id == test })
	if len(d.Sets[name]) == 0 {
		delete(d.Sets, name)
	}
	d.Results[test] = string(status)
	edit(d.Tries, test, func(t *batchtest.Tries) { t.Held = false })
	edit(d.Workers, name, func(w *batchtest.Worker) { w.Report++; w.Finished++ })
}

// worker is a member whose requests must succeed.
type worker struct {
	*batch.Member
	r    *run
	name string
}

func (r *run) join(name string) *worker {
	r.t.Helper()
	m, _, err := r.q.Join(r.ctx, name, "info")
	r.must(err)
	shown := name
	for id := range r.names {
		if strings.HasPrefix(id, name+".") {
			shown += "'"
		}
	}
	r.names[m.ID()] = shown
	r.look()
	return &worker{Member: m, r: r, name: shown}
}

func (w *worker) claim(most int) batch.Batch {
	w.r.t.Helper()
	c, err := w.Claim(w.r.ctx, most, true)
	w.r.must(err)
	return c.Batch
}

func (w *worker) report(number int, events ...batch.Event) {
	w.r.t.Helper()
	_, err := w.Report(w.r.ctx, number, events)
	w.r.must(err)
}

func (w *worker) settle(number int, how batch.Settlement) {
	w.r.t.Helper()
	_, err := w.Settle(w.r.ctx, number, how)
	w.r.must(err)
}

func (w *worker) beat(number int, held ...string) {
	w.r.t.Helper()
	_, err := w.Beat(w.r.ctx, number, held)
	w.r.must(err)
}

// runs claims up to most tests, finishes all of them with a status and settles.
func (w *worker) runs(most int, status batch.Status) batch.Batch {
	w.r.t.Helper()
	b := w.claim(most)
	for _, id := range b.IDs() {
		w.report(b.Number, finish(id, status))
	}
	w.settle(b.Number, batch.Requeue)
	w.r.look()
	return b
}

// reaped removes the worker as presumed dead, and looks.
func (w *worker) reaped() {
	w.r.t.Helper()
	workers, err := w.r.q.Workers(w.r.ctx)
	w.r.must(err)
	i := slices.IndexFunc(workers, func(s batch.WorkerState) bool { return s.ID == w.ID() })
	if ok, _, err := w.r.q.Reap(w.r.ctx, w.ID(), workers[i].Beat, "no beat"); err != nil || !ok {
		w.r.t.Fatalf("reap: %v, error %v", ok, err)
	}
	w.r.look()
}

func start(test string) batch.Event { return batch.Event{Type: batch.Start, Test: test} }
func pause(test string) batch.Event { return batch.Event{Type: batch.Pause, Test: test} }
func finish(test string, status batch.Status) batch.Event {
	return batch.Event{Type: batch.Finish, Test: test, Outcome: batch.Outcome{Status: status}}
}

// journal returns the run's events without what differs from run to run.
func (r *run) journal() []batch.Event {
	r.t.Helper()
	events, err := r.q.Events(r.ctx, batch.JournalStart, 1000, -1)
	r.must(err)
	for i := range events {
		events[i].ID, events[i].Time, events[i].Worker = "", time.Time{}, r.name(events[i].Worker)
	}
	return events
}

// decisions are the journal's finishes, as "test status decision".
func (r *run) decisions() []string {
	var list []string
	for _, e := range r.journal() {
		if e.Type == batch.Finish {
			list = append(list, fmt.Sprintf("%s %s %s", e.Test, e.Outcome.Status, e.Decision))
		}
	}
	return list
}

// raw sends a request with numbers of the test's own choice, under the present epoch.
func (r *run) raw(script string, workers []*worker, args ...any) error {
	keys := batch.DeclaredKeys(r.q.Keys())
	for _, w := range workers {
		keys = append(keys, r.q.Keys().Worker(w.ID()))
	}
	epoch := r.rdb.HGet(r.ctx, r.q.Keys().Run(), "epoch").Val()
	return batch.Scripts()[script].Run(r.ctx, r.rdb, keys, append([]any{epoch}, args...)...).Err()
}

// last returns the last request to a script, to be sent again later.
func (r *run) last() []any { return r.sent[len(r.sent)-1] }

// again sends a request as it was, whatever the answer: a delayed duplicate.
func (r *run) again(request []any) error { return r.rdb.Do(r.ctx, request...).Err() }

type recorder struct{ r *run }

func (h recorder) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (h recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if strings.HasPrefix(cmd.Name(), "eval") && !redis.HasErrorPrefix(err, "NOSCRIPT") {
			h.r.sent = append(h.r.sent, slices.Clone(cmd.Args()))
		}
		return err
	}
}
