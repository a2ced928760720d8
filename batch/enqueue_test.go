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

func TestEnqueue(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		total, err := r.q.Enqueue(r.ctx, []batch.Test{{ID: "b", Seconds: 1.5}, {ID: "a"}, {ID: "b", Seconds: 9}})
		r.must(err)
		if total != 2 {
			t.Errorf("got %d tests, want 2", total)
		}
		r.expect(func(d *batchtest.Dump) {
			d.Tests = map[string]string{"b": "1", "a": "1"}
			d.Expected = map[string]string{"b": "1500000"}
			d.Queue = ids("b a")
		})

		// A second producer, whose list overlaps, adds to the end.
		total, err = r.q.Enqueue(r.ctx, asTests("c", "a", "d"))
		r.must(err)
		if total != 4 {
			t.Errorf("got %d tests, want 4", total)
		}
		r.expect(func(d *batchtest.Dump) {
			d.Tests["c"], d.Tests["d"] = "1", "1"
			d.Queue = ids("b a c d")
		})

		// A test that left the queue does not come back by being enqueued again.
		w := r.join("w")
		first := w.runs(1, batch.Passed)
		held := w.claim(1)
		r.look()
		r.enqueue(append(first.IDs(), held.IDs()...)...)
		r.same()
	})
}

func TestEnqueueRefuses(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b"))
		enqueue := func(tests ...string) error {
			_, err := r.q.Enqueue(r.ctx, asTests(tests...))
			return err
		}
		r.must(enqueue("b", "a")) // a repeat, after the seal
		r.same()
		r.refused(enqueue("a", "new"), batch.ListSealed)
		if text := enqueue("new").Error(); !strings.Contains(text, `sealed, test "new" cannot be added`) {
			t.Errorf("the error does not say what is wrong: %s", text)
		}

		// A test with another spec: of a newer version, or somebody else's.
		r.must(rdb.HSet(r.ctx, r.q.Keys().Tests(), "b", "2 gate").Err())
		r.look()
		r.refused(enqueue("a", "b"), batch.Conflict)

		_, err := r.q.Abort(r.ctx, batch.Abortion{Why: "", Who: ""})
		r.must(err)
		r.look()
		r.refused(enqueue("a"), batch.Ended)
	})
}

// Whoever enqueues a list of 100,000 does so in chunks; a second controller with the same list changes nothing, whether
// the first one is through or was killed half-way.
func TestEnqueueMany(t *testing.T) {
	list := make([]batch.Test, 100_000)
	want := make([]string, len(list))
	for i := range list {
		list[i].ID = fmt.Sprintf("pkg/%d::Test%d", i%97, i)
		want[i] = list[i].ID
	}
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		for _, tests := range [][]batch.Test{list[:20_500], list} {
			total, err := r.q.Enqueue(r.ctx, tests)
			r.must(err)
			if total != len(tests) {
				t.Errorf("got %d tests of %d", total, len(tests))
			}
		}
		r.must(r.q.Seal(r.ctx, len(list)))
		if got := rdb.LRange(r.ctx, r.q.Keys().Queue(), 0, -1).Val(); !slices.Equal(got, want) {
			t.Errorf("the queue holds %d tests, not the %d of the list in their order", len(got), len(want))
		}
		got, err := r.q.Tests(r.ctx)
		r.must(err)
		if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("Tests returns %d ids, not the list's %d", len(got), len(want))
		}
	})
}

func TestSeal(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		r.enqueue("a", "b")
		r.look()
		r.refused(r.q.Seal(r.ctx, 3), batch.Incomplete)
		r.refused(r.q.Seal(r.ctx, 1), batch.Incomplete)
		if text := r.q.Seal(r.ctx, 3).Error(); !strings.Contains(text, "holds 2 tests") {
			t.Errorf("the error does not say what is wrong: %s", text)
		}
		r.must(r.q.Seal(r.ctx, 2))
		r.expect(func(d *batchtest.Dump) {
			d.Control = ids("sealed")
			d.Run["total"] = "2"
		})
		r.must(r.q.Seal(r.ctx, 2))
		r.same()
		r.refused(r.q.Seal(r.ctx, 3), batch.Incomplete)
		_, err := r.q.Abort(r.ctx, batch.Abortion{Why: "", Who: ""})
		r.must(err)
		r.look()
		r.refused(r.q.Seal(r.ctx, 2), batch.Ended)
	})
}

func TestCheckID(t *testing.T) {
	for id, problem := range map[string]string{
		"a":                                     "",
		strings.Repeat("x", batch.MaxIDBytes):   "",
		"":                                      "empty",
		strings.Repeat("ä", batch.MaxIDBytes):   "bytes",
		strings.Repeat("x", batch.MaxIDBytes+1): "bytes",
		"a\x00b":                                "NUL",
		"a\nb":                                  "line break",
		"a\rb":                                  "line break",
		"a\xff":                                 "UTF-8",
	} {
		err := batch.CheckID(id)
		if problem == "" && err != nil || problem != "" && (err == nil || !strings.Contains(err.Error(), problem)) {
			t.Errorf("%.40q: got error %v, want one that says %q", id, err, problem)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%.40q: the error has %d bytes", id, len(err.Error()))
		}
	}
	r := openRun(t, batchtest.Embedded(t))
	if _, err := r.q.Enqueue(r.ctx, asTests("a", "b", "c\n")); err == nil || errors.As(err, new(*batch.Error)) {
		t.Errorf("got error %v for an id with a line break", err)
	}
	r.same() // not even those before it
}

// Names that a shell, a pattern or JSON would take apart go through the whole cycle as they are.
func TestAwkwardIDs(t *testing.T) {
	list := []string{
		"with space", " leading and trailing ", "tab\there", `quo"te's`, `back\slash\n`, "-v", "--", "*", "[a]", "{b}", "%s%d",
		"ünï ćødé ☃ 測試 🙂", "a\u2028b", "\x01\x7f", "</script>&amp;", "$(date)`id`", "null", "0", "false", strings.Repeat("long", 2500),
	}
	slices.Sort(list)
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, list)
		w := r.join("w")
		var got []string
		for {
			b := w.claim(3)
			if b.Number == 0 {
				break
			}
			w.beat(b.Number, b.IDs()...)
			for _, id := range b.IDs() {
				w.report(b.Number, start(id))
			}
			workers, err := r.q.Workers(r.ctx)
			r.must(err)
			if diff := cmp.Diff(b.IDs(), workers[0].Running); diff != "" {
				t.Errorf("running (-want +got):\n%s", diff)
			}
			for _, id := range b.IDs() {
				w.report(b.Number, finish(id, batch.Passed))
			}
			w.settle(b.Number, batch.Requeue)
			got = append(got, b.IDs()...)
		}
		slices.Sort(got)
		if diff := cmp.Diff(list, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
		results, err := r.q.Results(r.ctx)
		r.must(err)
		ran := map[string]batch.Status{}
		for _, id := range list {
			ran[id] = batch.Passed
		}
		if diff := cmp.Diff(ran, results); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		for _, e := range r.journal() {
			if e.Type == batch.Finish && !slices.Contains(list, e.Test) {
				t.Errorf("the journal names test %q", e.Test)
			}
		}
	})
}
