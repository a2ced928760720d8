package batch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// The simulation runs workers and controllers as single-threaded state machines, in seeded random order, against the real
// scripts. After every request the invariants must hold. Requests and replies get lost, old requests arrive again, workers
// die, and live workers are taken for dead. After the chaos comes a calm, in which the run must end.

// behaviour is what really happens when a test is run.
type behaviour int

const (
	good    behaviour = iota
	failing           // fails each time
	flaky             // fails once, then passes
	poison            // crashes its runner
	killer            // takes its worker down
	ghostly           // is never executed by a runner that ends well
	behaviours
)

type world struct {
	rng     *rand.Rand
	raw     *redis.Client // without faults: what the referee uses
	rdb     *redis.Client // what the actors use
	runID   string
	keys    batch.Keys
	options batch.Options
	tests   []batch.Test
	truth   map[string]behaviour
	// gates of the run, and by worker and gate whether the worker qualifies.
	gates     []batch.Gate
	qualifies map[string]map[batch.Gate]bool
	// runs counts executions of each test by how they ended.
	runs map[string]map[batch.Status]int
	// results as last seen: a result is written once.
	results map[string]string
	// announced are the tests that each worker may be charged for: it started them, or claimed them from the requeue.
	announced map[string]map[string]bool
	losses    map[string]int
	// unblamable are workers that said that they are leaving: they accuse nobody.
	unblamable map[string]bool

	workers     []*simWorker
	controllers []*simController
	calm        bool
	sent        [][]any // requests that may arrive again
	joins       int
	trace       []string
	problem     error
	// control are the markers as last seen.
	control []string
	// damaged: Redis has lost data of the run, so that its state says nothing before it is over. snapshot is what a failover
	// may take it back to.
	fragile, damaged bool
	snapshot         *snapshot
	// faults counts what was done to the run, by kind.
	faults map[string]int
}

var errLost = errors.New("simulated: connection lost")

func newWorld(raw *redis.Client, seed uint64) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 1)), raw: raw, runID: fmt.Sprintf("sim-%d", seed),
		truth: map[string]behaviour{}, qualifies: map[string]map[batch.Gate]bool{}, runs: map[string]map[batch.Status]int{}, results: map[string]string{},
		announced: map[string]map[string]bool{}, losses: map[string]int{}, unblamable: map[string]bool{}, faults: map[string]int{},
	}
	w.keys, _ = batch.NewKeys(w.runID)
	w.options = batch.DefaultOptions()
	w.options.Retries = w.rng.IntN(2)
	w.options.MaxRetriesTotal = w.rng.IntN(4)
	w.options.MaxClaims = 4 + w.rng.IntN(7)
	for i := range w.rng.IntN(3) {
		w.gates = append(w.gates, batch.Gate{Command: fmt.Sprintf("gate %d", i)})
	}
	for i := range 1 + w.rng.IntN(16) {
		id := fmt.Sprintf("t%02d", i)
		test := batch.Test{ID: id, Seconds: float64(w.rng.IntN(3))}
		if n := w.rng.IntN(2 + len(w.gates)); n < len(w.gates) {
			test.Gate = w.gates[n]
		}
		w.tests = append(w.tests, test)
		w.runs[id] = map[batch.Status]int{}
		if w.rng.IntN(3) == 0 {
			w.truth[id] = behaviour(w.rng.IntN(int(behaviours)))
		}
	}
	options := *raw.Options()
	options.MaxRetries = -1
	w.rdb = redis.NewClient(&options)
	w.rdb.AddHook(faults{w})
	for range 1 + w.rng.IntN(3) {
		name := fmt.Sprintf("w%d", len(w.workers))
		w.workers = append(w.workers, &simWorker{w: w, name: name})
		w.qualifies[name] = map[batch.Gate]bool{}
		for _, gate := range w.gates {
			w.qualifies[name][gate] = w.rng.IntN(2) == 0
		}
	}
	w.fragile = w.rng.IntN(3) == 0
	w.options.ExpectWorkers = w.rng.IntN(1 + len(w.workers))
	for range 1 + w.rng.IntN(2) {
		w.controllers = append(w.controllers, &simController{w: w})
	}
	return w
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	if w.problem == nil {
		w.problem = fmt.Errorf(format, args...)
	}
}

func (w *world) chance(percent int) bool { return !w.calm && w.rng.IntN(100) < percent }

func (w *world) announce(worker, test string) {
	if w.announced[worker] == nil {
		w.announced[worker] = map[string]bool{}
	}
	w.announced[worker][test] = true
}

// step lets one actor do one thing.
func (w *world) step(ctx context.Context) {
	if w.chance(5) && len(w.sent) > 0 {
		args := w.sent[w.rng.IntN(len(w.sent))]
		w.note("a delayed duplicate of %s", describe(args))
		w.faults["late duplicates"]++
		_ = w.raw.Do(ctx, args...).Err() // may well be refused
		w.referee(ctx)
		return
	}
	if w.chance(1) && w.fragile && !slices.Contains(w.control, "done") { // what is lost later is nobody's business any more
		w.damage(ctx)
	}
	if w.chance(2) && len(w.gates) > 0 { // a gate changes its mind
		name, gate := w.workers[w.rng.IntN(len(w.workers))].name, w.gates[w.rng.IntN(len(w.gates))]
		w.qualifies[name][gate] = !w.qualifies[name][gate]
	}
	if n := w.rng.IntN(len(w.workers) + len(w.controllers)); n < len(w.workers) {
		w.workers[n].step(ctx)
	} else {
		w.controllers[n-len(w.workers)].step(ctx)
	}
}

// referee checks what must hold between any two scripts.
func (w *world) referee(ctx context.Context) batchtest.Dump {
	dump, err := batchtest.Read(ctx, w.raw, w.keys)
	if err != nil {
		w.fail("dump: %w", err)
		return dump
	}
	w.control = dump.Control
	if w.damaged {
		w.refereeOfDamage(dump)
		return dump
	}
	if err := dump.Check(); err != nil {
		w.fail("%w", err)
	}
	for id, status := range w.results {
		if dump.Results[id] != status {
			w.fail("invariant 2: the result of %s was %s and is %q now", id, status, dump.Results[id])
		}
	}
	for id, status := range dump.Results {
		if status == string(batch.Unroutable) && w.results[id] == "" {
			w.unroutable(id, dump)
		}
	}
	w.results = dump.Results
	for _, s := range w.workers {
		s.referee(dump)
	}
	w.executed(dump)
	for id, worker := range dump.Workers {
		passed := worker.Gate == "" || slices.Contains(strings.Fields(worker.Passed), worker.Gate)
		if worker.Alone && passed && len(dump.Sets[id]) == 1 { // the claim was the announcement, though its answer may be lost
			w.announce(id, dump.Sets[id][0])
		}
	}
	for id, tries := range dump.Tries {
		if tries.Losses > w.losses[id] && (!w.announced[tries.Worker][id] || w.unblamable[tries.Worker]) {
			w.fail("invariant 6: %s was charged with the loss of %s, which did not run it", id, tries.Worker)
		}
		w.losses[id] = tries.Losses
	}
	return dump
}

// executed checks that each result is that of a real execution.
func (w *world) executed(dump batchtest.Dump) {
	for id, status := range dump.Results {
		if status != string(batch.Lost) && status != string(batch.Unroutable) && w.runs[id][batch.Status(status)] == 0 {
			w.fail("invariant 1: %s is %s, its executions were %v", id, status, w.runs[id])
		}
	}
}

// unroutable checks that a test was given up only because nobody qualifies for its gate.
func (w *world) unroutable(id string, dump batchtest.Dump) {
	i := slices.IndexFunc(w.tests, func(t batch.Test) bool { return t.ID == id })
	for name, worker := range dump.Workers {
		if !worker.Leaving && !worker.Refuses(w.tests[i].Gate.Hash()) {
			w.fail("test %s was given up although worker %s has not refused its gate", id, name)
		}
	}
	if left := slices.Concat(dump.Queue, dump.Requeue); len(left) > 0 {
		w.fail("test %s was given up while %v wait", id, left)
	}
}

// faults is the network between the actors and Redis.
type faults struct{ w *world }

func (f faults) DialHook(next redis.DialHook) redis.DialHook { return next }
func (f faults) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (f faults) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		w := f.w
		if !strings.HasPrefix(cmd.Name(), "eval") {
			return next(ctx, cmd)
		}
		if w.chance(4) {
			w.note("lost on the way, or late: %s", describe(cmd.Args()))
			w.faults["lost requests"]++
			w.sent = append(w.sent, slices.Clone(cmd.Args()))
			cmd.SetErr(errLost)
			return errLost
		}
		err := next(ctx, cmd)
		w.note("%s -> %s", describe(cmd.Args()), reply(cmd))
		w.sent = append(w.sent, slices.Clone(cmd.Args()))
		dump := w.referee(ctx)
		if w.chance(20) {
			f.repeat(ctx, cmd, dump)
		}
		if w.chance(6) {
			w.note("its reply is lost")
			w.faults["lost replies"]++
			cmd.SetErr(errLost)
			return errLost
		}
		return err
	}
}

// repeat does the same request again at once: nothing but a beat count may change (invariant 7).
func (f faults) repeat(ctx context.Context, cmd redis.Cmder, before batchtest.Dump) {
	f.w.faults["repeated requests"]++
	_ = f.w.raw.Do(ctx, cmd.Args()...).Err()
	after := f.w.referee(ctx)
	for _, dump := range []batchtest.Dump{before, after} {
		for id, worker := range dump.Workers {
			worker.Beat = 0
			dump.Workers[id] = worker
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		f.w.fail("invariant 7: repeating %s changed:\n%s", describe(cmd.Args()), diff)
	}
}

func describe(args []any) string {
	var name string
	for n, script := range batch.Scripts() {
		if script.Hash() == args[1] {
			name = n
		}
	}
	var keys int
	fmt.Sscan(fmt.Sprint(args[2]), &keys)
	return strings.TrimSpace(fmt.Sprintln(append([]any{name}, args[min(len(args), 4+keys):]...)...))
}

func reply(cmd redis.Cmder) string {
	if err := cmd.Err(); err != nil {
		return err.Error()
	}
	if cmd, ok := cmd.(*redis.Cmd); ok {
		return fmt.Sprint(cmd.Val())
	}
	return ""
}

// ended checks the end of a run in the calm.
func (w *world) ended(ctx context.Context) {
	dump := w.referee(ctx)
	if w.damaged { // sets of workers that Redis forgot expire
		for _, id := range slices.Collect(maps.Keys(dump.Sets)) {
			if _, ok := dump.Workers[id]; !ok {
				delete(dump.Sets, id)
			}
		}
		if err := dump.Check(); err != nil {
			w.fail("%w", err)
		}
	}
	if !slices.Contains(dump.Control, "done") {
		w.fail("invariant 8: the calm did not end the run: %+v", dump)
	}
	if len(dump.Results) != len(w.tests) {
		w.fail("invariant 1: %d results of %d tests", len(dump.Results), len(w.tests))
	}
	if left := slices.Concat(dump.Queue, dump.Requeue, slices.Collect(maps.Keys(dump.Sets)), slices.Collect(maps.Keys(dump.Behind))); len(left) > 0 {
		w.fail("after the end the queues and sets hold %v", left)
	}
}

// simulate runs the schedule of one seed, and returns the faults that it had, by kind.
func simulate(t *testing.T, raw *redis.Client, seed uint64) map[string]int {
	ctx := t.Context()
	w := newWorld(raw, seed)
	defer w.rdb.Close()
	for _, script := range batch.Scripts() { // else the first request of each kind would be two
		if err := script.Load(ctx, raw).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for range 40 + w.rng.IntN(200) {
		w.step(ctx)
		if w.problem != nil {
			break
		}
	}
	w.calm = true
	for n := 0; w.problem == nil && !w.over(); n++ {
		if n == 5_000 {
			w.fail("invariant 8: the calm does not end: %+v", w.referee(ctx))
		}
		w.step(ctx)
	}
	if w.problem == nil {
		w.ended(ctx)
	}
	if w.problem != nil {
		t.Fatalf("seed %d: %v\n\nwhat happened:\n%s", seed, w.problem, strings.Join(w.trace, "\n"))
	}
	if _, err := batch.Clean(ctx, raw, w.runID); err != nil {
		t.Fatal(err)
	}
	return w.faults
}

func (w *world) over() bool {
	for _, worker := range w.workers {
		if !worker.gone {
			return false
		}
	}
	return true
}
