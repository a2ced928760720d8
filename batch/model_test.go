package batch_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// model is what should become of a run, in plain Go: which test is where, and what was counted. What a claim takes is the
// script's choice; the model checks that it was allowed to.
type model struct {
	places
	ctx     context.Context
	rdb     *redis.Client
	q       *batch.Queue
	options batch.Options
	gateOf  map[string]batch.Gate
	workers []*modelWorker
	sealed  bool
}

// places is the part of a dump that the model knows. Lists are "queue" and "requeue", behind the hash of a gate, and the sets
// of workers, by id.
type places struct {
	Lists   map[string][]string
	Results map[string]string
	Tries   map[string]batchtest.Tries
}

type modelWorker struct {
	*batch.Member
	batch           batch.Batch // number 0: none is open
	beats           int64
	finished        int
	running         []string
	passed, refused bool
}

func TestModel(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			if runs++; t.Name() == "TestModel/real" && runs%4 > 0 {
				return // the embedded server has shown most of it
			}
			m := model{
				ctx: t.Context(), rdb: rdb, options: batch.DefaultOptions(), gateOf: map[string]batch.Gate{},
				places: places{map[string][]string{}, map[string]string{}, map[string]batchtest.Tries{}},
			}
			m.options.Retries, m.options.MaxClaims = 1, 4
			m.q = must(batch.Open(m.ctx, rdb, fmt.Sprint("model-", runs), "digest", m.options))
			rt.Repeat(map[string]func(*rapid.T){
				"": m.check, "enqueue": m.enqueue, "seal": m.seal, "join": m.join, "claim": m.claim, "report": m.report,
				"settle": m.settle, "beat": m.beat, "gate": m.gate, "leave": m.leave, "reap": m.reap, "finish": m.finish,
			})
		})
	})
}

// must returns the answer to a request that succeeds; rapid takes a panic for a failure.
func must[T any](answer T, err error) T {
	if err != nil {
		panic(err)
	}
	return answer
}

// check compares the run with the model.
func (m *model) check(t *rapid.T) {
	d := must(batchtest.Read(m.ctx, m.rdb, m.q.Keys()))
	must(0, d.Check())
	run := places{map[string][]string{"queue": d.Queue, "requeue": d.Requeue}, d.Results, d.Tries}
	maps.Copy(run.Lists, d.Sets)
	for gate, lists := range d.Behind {
		run.Lists[gate+"queue"], run.Lists[gate+"requeue"] = lists["queue"], lists["requeue"]
	}
	empty := cmpopts.IgnoreMapEntries(func(_ string, list []string) bool { return len(list) == 0 })
	if diff := cmp.Diff(m.places, run, empty, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("the run is not as the model says (-model +run):\n%s", diff)
	}
}

// worker draws one of those that are as wanted, or skips the step.
func (m *model) worker(t *rapid.T, wanted func(w *modelWorker) bool) *modelWorker {
	some := slices.DeleteFunc(slices.Clone(m.workers), func(w *modelWorker) bool { return !wanted(w) })
	possible(t, len(some) > 0)
	return some[rapid.IntRange(0, len(some)-1).Draw(t, "worker")]
}

// possible skips a step that cannot be taken.
func possible(t *rapid.T, now bool) {
	if !now {
		t.SkipNow()
	}
}

func (m *model) held(w *modelWorker) []string                { return slices.Clone(m.Lists[w.ID()]) }
func open(w *modelWorker) bool                               { return w.batch.Number > 0 }
func (m *model) count(test string, f func(*batchtest.Tries)) { edit(m.Tries, test, f) }

func (m *model) list(kind, test string) string {
	if gate := m.gateOf[test]; !gate.None() {
		return gate.Hash() + kind
	}
	return kind
}

// free takes a test out of wherever it is.
func (m *model) free(test string) {
	for name, list := range m.Lists {
		m.Lists[name] = slices.DeleteFunc(list, func(id string) bool { return id == test })
	}
	m.count(test, func(t *batchtest.Tries) { t.Held = false })
}

// end gives a test its result, or sends it to the requeue if that is not final and it may be claimed again.
func (m *model) end(test string, status batch.Status, final bool) {
	m.free(test)
	if !final && m.Tries[test].Claims < m.options.MaxClaims {
		m.Lists[m.list("requeue", test)] = append(m.Lists[m.list("requeue", test)], test)
		return
	}
	m.Results[test] = string(status)
}

func (m *model) handBack(w *modelWorker, tests []string) {
	kind := map[bool]string{false: "queue", true: "requeue"}[w.batch.Alone]
	for _, test := range slices.Backward(tests) {
		m.free(test)
		m.count(test, func(t *batchtest.Tries) { t.Claims-- })
		m.Lists[m.list(kind, test)] = slices.Insert(m.Lists[m.list(kind, test)], 0, test)
	}
}

// charges: a worker that has finished nothing accuses nobody, as long as another has.
func (m *model) charges(w *modelWorker) bool {
	return w.finished > 0 || !slices.ContainsFunc(m.workers, func(w *modelWorker) bool { return w.finished > 0 })
}

func (m *model) enqueue(t *rapid.T) {
	possible(t, !m.sealed)
	test := batch.Test{ID: fmt.Sprintf("t%02d", len(m.gateOf)), Gate: rapid.SampledFrom([]batch.Gate{{}, {}, {}, gpu}).Draw(t, "gate")}
	must(m.q.Enqueue(m.ctx, []batch.Test{test}))
	m.gateOf[test.ID] = test.Gate
	m.Lists[m.list("queue", test.ID)] = append(m.Lists[m.list("queue", test.ID)], test.ID)
}

func (m *model) seal(t *rapid.T) {
	possible(t, !m.sealed && len(m.gateOf) > 2)
	must(0, m.q.Seal(m.ctx, len(m.gateOf)))
	m.sealed = true
}

func (m *model) join(t *rapid.T) {
	possible(t, len(m.workers) < 3)
	if member, _, err := m.q.Join(m.ctx, "w", "info"); err == nil { // else the run is over
		m.workers = append(m.workers, &modelWorker{Member: member})
	}
}

func (m *model) claim(t *rapid.T) {
	w := m.worker(t, func(w *modelWorker) bool { return !open(w) })
	most := rapid.IntRange(1, 4).Draw(t, "most")
	var refusing []string
	if w.refused {
		refusing = append(refusing, gpu.Hash())
	}
	claim := must(w.Claim(m.ctx, most, true, refusing...))
	w.batch, w.running = claim.Batch, nil
	tests := w.batch.IDs()
	if !open(w) {
		behind := len(m.Lists[gpu.Hash()+"queue"]) + len(m.Lists[gpu.Hash()+"requeue"])
		if len(m.Lists["queue"])+len(m.Lists["requeue"]) > 0 || behind > 0 && !w.refused {
			t.Fatalf("nothing was claimed of %v", m.Lists)
		}
		return
	}
	kind := "queue"
	if w.batch.Alone {
		kind, most = "requeue", 1
	}
	list := m.Lists[m.list(kind, tests[0])]
	first := slices.Sorted(slices.Values(list[:min(len(tests), len(list))]))
	wrongGate := w.batch.Gate != m.gateOf[tests[0]] || w.refused && w.batch.Gate == gpu
	if len(tests) > most || !slices.Equal(tests, first) || wrongGate || w.batch.Alone && len(m.Lists["queue"]) > 0 {
		t.Fatalf("claimed %+v of %v", w.batch, m.Lists)
	}
	for _, test := range tests {
		m.free(test)
		m.count(test, func(t *batchtest.Tries) { t.Claims, t.Worker, t.Held = t.Claims+1, w.ID(), true })
	}
	m.Lists[w.ID()] = tests
}

func (m *model) report(t *rapid.T) {
	w := m.worker(t, func(w *modelWorker) bool { return len(m.held(w)) > 0 })
	test := rapid.SampledFrom(m.held(w)).Draw(t, "test")
	event := start(test)
	status := rapid.SampledFrom([]batch.Status{"", batch.Passed, batch.Failed, batch.Crashed}).Draw(t, "status")
	if status != "" {
		event = finish(test, status)
	}
	must(w.Report(m.ctx, w.batch.Number, []batch.Event{event}))
	switch status {
	case "":
		w.running = append(w.running, test)
		return
	case batch.Passed:
		w.finished++
	case batch.Failed:
		w.finished++
		m.count(test, func(t *batchtest.Tries) { t.Failures++ })
	case batch.Crashed:
		if m.charges(w) {
			m.count(test, func(t *batchtest.Tries) { t.Crashes++ })
		}
	}
	tries := m.Tries[test]
	m.end(test, status, status == batch.Passed || tries.Failures > m.options.Retries || tries.Crashes == m.options.MaxCrashes)
}

func (m *model) settle(t *rapid.T) {
	w := m.worker(t, open)
	how := rapid.SampledFrom([]batch.Settlement{batch.Requeue, batch.HandBack}).Draw(t, "how")
	must(w.Settle(m.ctx, w.batch.Number, how))
	if how == batch.HandBack {
		m.handBack(w, m.held(w))
	}
	for _, test := range m.held(w) {
		m.end(test, batch.Lost, false)
	}
	w.batch = batch.Batch{}
}

// beat names some of what the worker holds; the rest goes back.
func (m *model) beat(t *rapid.T) {
	w := m.worker(t, open)
	n := rapid.IntRange(0, len(m.held(w))).Draw(t, "held")
	w.beats++
	must(w.Beat(m.ctx, w.batch.Number, m.held(w)[:n]))
	m.handBack(w, m.held(w)[n:])
}

func (m *model) gate(t *rapid.T) {
	w := m.worker(t, func(w *modelWorker) bool { return w.batch.Gate == gpu })
	w.passed = rapid.Bool().Draw(t, "qualifies")
	w.refused = !w.passed
	must(w.Gate(m.ctx, w.batch, w.passed, "why"))
}

func (m *model) leave(t *rapid.T) {
	w := m.worker(t, func(*modelWorker) bool { return true })
	must(0, w.Leave(m.ctx, "why"))
	m.handBack(w, m.held(w)) // Leave does, before
	m.workers = slices.DeleteFunc(m.workers, func(other *modelWorker) bool { return other == w })
}

func (m *model) reap(t *rapid.T) {
	w := m.worker(t, open)
	if reaped, _, err := m.q.Reap(m.ctx, w.ID(), w.beats, "why"); err != nil || !reaped {
		t.Fatalf("reaped %v, error %v", reaped, err)
	}
	announced := w.batch.Alone && (w.batch.Gate.None() || w.passed)
	for _, test := range m.held(w) {
		if m.charges(w) && (announced || slices.Contains(w.running, test)) {
			m.count(test, func(t *batchtest.Tries) { t.Losses++ })
		}
		m.end(test, batch.Lost, m.Tries[test].Losses == m.options.MaxLosses)
	}
	m.workers = slices.DeleteFunc(m.workers, func(other *modelWorker) bool { return other == w })
}

func (m *model) finish(t *rapid.T) {
	progress := must(m.q.Finish(m.ctx, nil, false))
	done := m.sealed && len(m.Results) == len(m.gateOf) && !slices.ContainsFunc(m.workers, open)
	if done != (progress == batch.IsDone) || m.sealed == (progress == batch.IsUnsealed) {
		t.Fatalf("the run is %s with %d results of %d tests", progress, len(m.Results), len(m.gateOf))
	}
}
