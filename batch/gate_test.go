package batch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

var (
	gpu    = batch.Gate{Name: "gpu"}
	docker = batch.Gate{Command: "docker info", MAC: "proof"}
)

func (r *run) enqueueBehind(g batch.Gate, ids ...string) {
	r.t.Helper()
	tests := asTests(ids...)
	for i := range tests {
		tests[i].Gate = g
	}
	_, err := r.q.Enqueue(r.ctx, tests)
	r.must(err)
}

// newGatedRun is newRun with tests behind the gate gpu.
func newGatedRun(t *testing.T, rdb *redis.Client, tests, gated []string, change ...func(*batch.Options)) *run {
	t.Helper()
	r := openRun(t, rdb, change...)
	r.enqueue(tests...)
	r.enqueueBehind(gpu, gated...)
	r.must(r.q.Seal(r.ctx, len(tests)+len(gated)))
	r.look()
	return r
}

// gate tells what the gate of a batch answered.
func (w *worker) gate(b batch.Batch, qualifies bool) {
	w.r.t.Helper()
	_, err := w.Gate(w.r.ctx, b, qualifies, "it says so")
	w.r.must(err)
}

// refuses claims one test, has its gate refuse and gives it back.
func (w *worker) refuses(want batch.Gate) {
	w.r.t.Helper()
	b := w.claim(100)
	if b.Gate != want || len(b.Tests) != 1 {
		w.r.t.Errorf("claimed %v behind %q, want one test behind %q", b.IDs(), b.Gate, want)
	}
	w.gate(b, false)
	w.settle(b.Number, batch.HandBack)
	w.r.look()
}

func (w *worker) claimRefusing(most int, gates ...batch.Gate) batch.Batch {
	w.r.t.Helper()
	var hashes []string
	for _, g := range gates {
		hashes = append(hashes, g.Hash())
	}
	c, err := w.Claim(w.r.ctx, most, true, hashes...)
	w.r.must(err)
	return c.Batch
}

// Tests behind a gate have lists of their own; those without keep the spec that every version reads.
func TestEnqueueBehindGates(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		_, err := r.q.Enqueue(r.ctx, []batch.Test{
			{ID: "plain"}, {ID: "gpu 1", Gate: gpu}, {ID: "docker", Gate: docker, Seconds: 1.5}, {ID: "gpu 2", Gate: gpu},
		})
		r.must(err)
		r.expect(func(d *batchtest.Dump) {
			d.Queue = []string{"plain"}
			d.Tests = map[string]string{
				"plain": "1", "gpu 1": `2 {"gate":"` + gpu.Hash() + `"}`, "gpu 2": `2 {"gate":"` + gpu.Hash() + `"}`,
				"docker": `2 {"gate":"` + docker.Hash() + `"}`,
			}
			d.Expected = map[string]string{"docker": "1500000"}
			d.Gates = map[string]string{gpu.Hash(): `{"name":"gpu"}`, docker.Hash(): `{"command":"docker info","mac":"proof"}`}
			d.Behind = map[string]map[string][]string{
				gpu.Hash(): {"queue": {"gpu 1", "gpu 2"}}, docker.Hash(): {"queue": {"docker"}},
			}
		})
		_, err = r.q.Enqueue(r.ctx, []batch.Test{{ID: "plain", Gate: gpu}})
		r.refused(err, batch.Conflict)
		_, err = r.q.Enqueue(r.ctx, []batch.Test{{ID: "gpu 1", Gate: docker}})
		r.refused(err, batch.Conflict)
	})
}

// The first proof of a command counts, whoever has it.
func TestEnqueueAddsProof(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		for _, mac := range []string{"", "first", "second"} {
			r.enqueueBehind(batch.Gate{Command: "docker info", MAC: mac}, "test")
		}
		r.look()
		if got := r.seen.Gates[docker.Hash()]; !strings.Contains(got, `"first"`) {
			t.Errorf("the gate is %s", got)
		}
	})
}

func TestEnqueueRefusesGates(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		var tests []batch.Test
		for i := range batch.MaxGates + 1 {
			tests = append(tests, batch.Test{ID: fmt.Sprint(i), Gate: batch.Gate{Command: fmt.Sprint(i)}})
		}
		if _, err := r.q.Enqueue(r.ctx, tests); err == nil {
			t.Error("too many gates were taken")
		}
		_, err := r.q.Enqueue(r.ctx, tests[:batch.MaxGates])
		r.must(err)
		r.look()
		_, err = r.q.Enqueue(r.ctx, tests[batch.MaxGates:])
		r.refused(err, batch.TooManyGates)

		for _, g := range []batch.Gate{
			{Name: "both", Command: "both"}, {Command: "nul\x00"}, {Command: "\xff"}, {Command: strings.Repeat("x", 1<<15)},
		} {
			if _, err := r.q.Enqueue(r.ctx, []batch.Test{{ID: "t", Gate: g}}); err == nil {
				t.Errorf("gate %.20q was taken", g)
			}
		}
		r.same()
	})
}

// A delayed answer for an earlier batch does not undo the worker's last word.
func TestGateAnswersLate(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newGatedRun(t, rdb, nil, ids("g1 g2"))
		w := r.join("w")
		w.gate(w.claim(1), false)
		refusal := r.last()
		w.settle(1, batch.HandBack)
		w.gate(w.claim(1), true)
		r.look()
		r.must(r.again(refusal))
		r.same()
	})
}

// A worker is offered one test of a gate that it never asked. What it refuses returns to the head of its list, uncharged, and
// is not offered to it again; the one that qualifies gets all, first, and at once when nobody else may take them.
func TestGate(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newGatedRun(t, rdb, ids("a b c d"), ids("g1 g2 g3 g4 g5"))
		no, yes := r.join("no"), r.join("yes")
		b := no.claim(100)
		batchSummary{1, false, ids("g1")}.diff(t, b)
		if diff := cmp.Diff([]batch.Test{{ID: "g1", Gate: gpu}}, b.Tests); diff != "" || b.Gate != gpu {
			t.Errorf("the gate is %q, the tests (-want +got):\n%s", b.Gate, diff)
		}
		r.expect(func(d *batchtest.Dump) {
			claimed(d, "no", 1, false, "g1")
			edit(d.Workers, "no", func(w *batchtest.Worker) { w.Gate, w.Asked = gpu.Hash(), true })
			d.Behind[gpu.Hash()]["queue"] = ids("g2 g3 g4 g5")
		})
		no.gate(b, false)
		r.expect(func(d *batchtest.Dump) {
			edit(d.Workers, "no", func(w *batchtest.Worker) { w.Refused = gpu.Hash() })
		})
		no.settle(1, batch.HandBack)
		r.expect(func(d *batchtest.Dump) {
			delete(d.Sets, "no")
			edit(d.Workers, "no", func(w *batchtest.Worker) { w.Gate, w.Open = "", false })
			edit(d.Tries, "g1", func(t *batchtest.Tries) { t.Claims, t.Held = 0, false })
			d.Behind[gpu.Hash()]["queue"] = ids("g1 g2 g3 g4 g5")
		})
		batchSummary{2, false, ids("a")}.diff(t, no.claimRefusing(100, gpu))

		b = yes.claim(100)
		batchSummary{1, false, ids("g1")}.diff(t, b)
		yes.gate(b, true)
		yes.report(1, finish("g1", batch.Passed))
		yes.settle(1, batch.Requeue)
		batchSummary{2, false, ids("g2 g3 g4 g5")}.diff(t, yes.claim(100))
		r.look()
		state, err := r.q.State(r.ctx)
		r.must(err)
		want := []batch.GateState{{Gate: gpu, Passed: []string{yes.ID()}, Refused: []string{no.ID()}}}
		if diff := cmp.Diff(want, state.Gates); diff != "" {
			t.Errorf("gates (-want +got):\n%s", diff)
		}

		// What it did not execute runs alone, behind the same gate, and after the queue.
		yes.settle(2, batch.Requeue)
		r.look()
		if got := r.seen.Behind[gpu.Hash()]["requeue"]; !slices.Equal(got, ids("g2 g3 g4 g5")) {
			t.Errorf("to run alone behind the gate: %v", got)
		}
		for _, want := range []batchSummary{{3, false, ids("b")}, {4, false, ids("c")}, {5, false, ids("d")}, {6, true, ids("g2")}} {
			b := yes.claim(1)
			want.diff(t, b)
			yes.report(b.Number, finish(b.Tests[0].ID, batch.Passed))
			yes.settle(b.Number, batch.Requeue)
		}
		no.settle(2, batch.HandBack)
		batchSummary{3, false, ids("a")}.diff(t, no.claimRefusing(100, gpu))
		no.report(3, finish("a", batch.Passed))
		no.settle(3, batch.Requeue)
		if b := no.claimRefusing(100, gpu); b.Number != 0 {
			t.Errorf("got batch %+v of tests that it refuses", b)
		}
		r.look()
	})
}

// The gate whose first test takes longest comes first. While others may qualify, each takes a share.
func TestGateShare(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb, func(o *batch.Options) { o.ExpectWorkers = 3 })
		tests := []batch.Test{{ID: "short", Gate: gpu, Seconds: 1}}
		for i := range 12 {
			tests = append(tests, batch.Test{ID: fmt.Sprintf("long %02d", i), Gate: docker, Seconds: 2})
		}
		_, err := r.q.Enqueue(r.ctx, tests)
		r.must(err)
		one := r.join("one")
		b := one.claim(100)
		batchSummary{1, false, []string{"long 00"}}.diff(t, b)
		one.gate(b, true)
		one.settle(1, batch.HandBack)
		for number, want := range []int{2, 3} { // of 12: two are missing, one of them came and has not been asked; that one refuses
			b = one.claim(100)
			if len(b.Tests) != want || b.Gate != docker {
				t.Errorf("batch %d has %d tests, want %d", number, len(b.Tests), want)
			}
			one.settle(b.Number, batch.HandBack)
			if number == 0 {
				r.join("two").refuses(docker)
			}
		}
		r.look()
	})
}

// A gate that refused some time ago is asked again when there is nothing else to do.
func TestGateAgain(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newGatedRun(t, rdb, ids("a"), ids("g h"))
		w := r.join("w")
		w.refuses(gpu)
		batchSummary{2, false, ids("a")}.diff(t, w.claim(100))
		w.report(2, finish("a", batch.Failed))
		w.settle(2, batch.Requeue)
		b := w.claim(100)
		batchSummary{3, false, ids("g")}.diff(t, b)
		w.gate(b, true)
		r.look()
		if got := r.seen.Workers["w"]; got.Passed != gpu.Hash() || got.Refused != "" {
			t.Errorf("its last word is not yes: %+v", got)
		}
		w.settle(3, batch.Requeue)
		batchSummary{4, false, ids("h")}.diff(t, w.claim(100))
		r.look()
	})
}

// A worker that dies while it asks the gate of a test that is to run alone charges it with nothing.
func TestGateIsNoAnnouncement(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		for _, passed := range []bool{false, true} {
			r := newGatedRun(t, rdb, nil, ids("g"))
			w := r.join("w")
			w.claim(1)
			w.settle(1, batch.Requeue)
			b := w.claim(1)
			if !b.Alone {
				t.Fatalf("batch %+v is not alone", b)
			}
			want := 0
			if passed {
				w.gate(b, true)
				want = 1
			}
			w.reaped()
			if got := r.seen.Tries["g"].Losses; got != want {
				t.Errorf("charged with %d losses, want %d", got, want)
			}
			_, err := batch.Clean(r.ctx, rdb, r.q.RunID())
			r.must(err)
		}
	})
}

func TestFinishWhenStuck(t *testing.T) {
	stays := func(*run, *worker) {}
	for _, c := range []struct {
		name string
		// more happens after the worker refused the only gate.
		more func(r *run, w *worker)
		want batch.Progress
	}{
		{"all refuse", stays, batch.IsStuck},
		{"it asks again", func(_ *run, w *worker) { w.claim(1) }, batch.IsStuck},
		{"a worker that was not asked", func(r *run, _ *worker) { r.join("new") }, batch.IsBusy},
		{"a worker that asks for the first time", func(r *run, _ *worker) { r.join("new").claim(1) }, batch.IsBusy},
		{"a leaving worker that was not asked", func(r *run, _ *worker) {
			_, err := r.join("new").Drain(r.ctx, batch.NoBatch, nil)
			r.must(err)
		}, batch.IsStuck},
		{"it qualifies now", func(_ *run, w *worker) { w.gate(w.claim(1), true) }, batch.IsBusy},
		{"nobody is left", func(_ *run, w *worker) { w.reaped() }, batch.IsBusy},
		{"nobody qualified and stayed", func(r *run, w *worker) { r.must(w.LeaveUnqualified(r.ctx, "why")) }, batch.IsStuck},
		{"it left", func(r *run, w *worker) { r.must(w.Leave(r.ctx, "why")) }, batch.IsBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := newGatedRun(t, rdb, nil, ids("g h"))
				w := r.join("w")
				w.refuses(gpu)
				c.more(r, w)
				r.finish(c.want)
			})
		})
	}
	t.Run("workers are missing", func(t *testing.T) {
		batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
			r := newGatedRun(t, rdb, nil, ids("g"), func(o *batch.Options) { o.ExpectWorkers = 2 })
			w := r.join("w")
			w.refuses(gpu)
			r.finish(batch.IsShort)
			two := r.join("two")
			two.refuses(gpu)
			r.finish(batch.IsStuck)
			two.reaped() // it has come, and went
			r.finish(batch.IsStuck)
		})
	})
}

// What nobody may run is given up: where it waits, and where it is held by a worker that asks once more.
func TestGiveUp(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newGatedRun(t, rdb, ids("a"), ids("g h i"))
		one, two := r.join("one"), r.join("two")
		one.refuses(gpu)
		two.refuses(gpu)
		if progress, err := r.q.Finish(r.ctx, nil, true); progress != batch.IsBusy || err != nil {
			t.Fatalf("%s, %v although a test waits", progress, err)
		}
		r.same()
		batchSummary{2, false, ids("a")}.diff(t, one.claimRefusing(1, gpu))
		one.report(2, finish("a", batch.Passed))
		one.settle(2, batch.Requeue)
		batchSummary{2, false, ids("g")}.diff(t, two.claim(1))
		r.look()
		for range 2 {
			if progress, err := r.q.Finish(r.ctx, nil, true); progress != batch.IsBusy || err != nil {
				t.Fatalf("%s, %v", progress, err)
			}
		}
		r.expect(func(d *batchtest.Dump) {
			clear(d.Behind)
			delete(d.Sets, "two")
			for _, id := range ids("g h i") {
				d.Results[id] = string(batch.Unroutable)
				if id != "g" {
					d.Tries[id] = batchtest.Tries{}
				}
			}
			edit(d.Tries, "g", func(t *batchtest.Tries) { t.Held = false })
		})
		var got []batch.Event
		for _, e := range r.journal() {
			switch e.Type {
			case batch.Resulted, batch.Refused, batch.Qualified:
				e.Outcome.Message = ""
				got = append(got, e)
			}
		}
		given := func(id string) batch.Event {
			return batch.Event{
				Type: batch.Resulted, Test: id, Outcome: batch.Outcome{Status: batch.Unroutable}, Gate: "gpu",
				Text: "no worker qualifies for its gate",
			}
		}
		refused := batch.Event{Type: batch.Refused, Worker: "one", Batch: 1, Gate: "gpu", Text: "it says so"}
		refusedToo := refused
		refusedToo.Worker = "two"
		if diff := cmp.Diff([]batch.Event{refused, refusedToo, given("h"), given("i"), given("g")}, got); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}

		// The gate has changed its mind, too late.
		two.gate(batch.Batch{Number: 2, Gate: gpu}, true)
		two.report(2, finish("g", batch.Passed))
		two.settle(2, batch.Requeue)
		r.finish(batch.IsDone)
		r.look()
		if got := r.seen.Results["g"]; got != string(batch.Unroutable) {
			t.Errorf("the result is %s now", got)
		}
	})
}

// Gates that Redis lost are never passed.
func TestLostGates(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newGatedRun(t, rdb, nil, ids("g"))
		w := r.join("w")
		r.must(rdb.Del(r.ctx, r.q.Keys().Gates()).Err())
		if _, err := r.q.Finish(r.ctx, nil, false); !errors.Is(err, batch.Gone) {
			t.Errorf("finish: %v, want Gone", err)
		}
		if _, err := w.Claim(r.ctx, 1, true); !errors.Is(err, batch.Gone) {
			t.Errorf("claim: %v, want Gone", err)
		}
	})
}

func TestLongGate(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		long := batch.Gate{Command: "x" + strings.Repeat("é\n\"/", 2000)}
		r.enqueueBehind(long, "t")
		w := r.join("w")
		b := w.claim(1)
		if b.Gate != long {
			t.Errorf("the gate came as %q", b.Gate)
		}
		w.gate(b, false)
		journal := r.journal()
		if label := journal[len(journal)-1].Gate; len(label) > 210 || !strings.HasPrefix(long.Command, strings.TrimSuffix(label, "...")) {
			t.Errorf("the journal has %q", label)
		}
	})
}
