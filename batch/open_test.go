package batch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

func TestOpen(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		mine := batch.Options{
			Retries: 1, MaxRetriesTotal: 8, MaxCrashes: 2, MaxLosses: 3, MaxClaims: 4, MaxOutput: 5, Lease: 6 * time.Second, ExpectWorkers: 7, Startup: 8 * time.Millisecond,
		}
		r := openRun(t, rdb, func(o *batch.Options) { *o = mine })
		r.seen = batchtest.Dump{Tries: map[string]batchtest.Tries{}, Workers: map[string]batchtest.Worker{}, Sets: map[string][]string{}}
		r.expect(func(d *batchtest.Dump) {
			d.Run = map[string]string{
				"epoch": "epoch", "birth": "birth", "manifest": "digest", "schema": "3", "lease": "6000", "retries": "1", "max_retries_total": "8",
				"max_crashes": "2", "max_losses": "3", "max_claims": "4", "max_output": "5", "expect_workers": "7", "startup_us": "8000",
			}
		})

		// Another controller with the same list finds the run, and its options.
		r.enqueue("a", "b")
		r.join("w")
		other, err := batch.Open(r.ctx, rdb, r.q.RunID(), "digest", batch.DefaultOptions())
		r.must(err)
		if diff := cmp.Diff(mine, other.Options()); diff != "" {
			t.Errorf("options (-want +got):\n%s", diff)
		}
		r.same()
		r.must(other.Seal(r.ctx, 2)) // it is trusted under the same epoch
	})
}

func TestOpenRefuses(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, nil)
		open := func(manifest string) error {
			_, err := batch.Open(r.ctx, rdb, r.q.RunID(), manifest, batch.DefaultOptions())
			return err
		}
		r.refused(open("another"), batch.Mismatch)
		r.refused(open(batch.Streaming), batch.Mismatch)
		if text := open("another").Error(); !strings.Contains(text, "under way with another list of tests, or another runner") {
			t.Errorf("the error does not say what is wrong: %s", text)
		}
		_, err := r.q.Finish(r.ctx, nil, false)
		r.must(err)
		r.look()
		r.refused(open("digest"), batch.Ended)
		r.refused(open("another"), batch.Mismatch)
		if text := open("digest").Error(); !strings.Contains(text, "over (done)") || !strings.Contains(text, "clean") {
			t.Errorf("the error does not say what to do: %s", text)
		}
	})
}

func TestOpenRefusesAbortedRun(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		_, err := r.q.Abort(r.ctx, batch.Abortion{Why: "enough", Who: "me"})
		r.must(err)
		r.look()
		_, err = batch.Open(r.ctx, rdb, r.q.RunID(), "digest", batch.DefaultOptions())
		r.refused(err, batch.Ended)
	})
}

func TestOpenRefusesOtherSchema(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a"))
		r.must(rdb.HSet(r.ctx, r.q.Keys().Run(), "schema", "99").Err())
		r.look()
		for name, find := range map[string]func() (*batch.Queue, error){
			"open": func() (*batch.Queue, error) {
				return batch.Open(r.ctx, rdb, r.q.RunID(), "digest", batch.DefaultOptions())
			},
			"attach": func() (*batch.Queue, error) { return batch.Attach(r.ctx, rdb, r.q.RunID()) },
		} {
			_, err := find()
			if err == nil || !strings.Contains(err.Error(), "schema 99, here 3") {
				t.Errorf("%s: got error %v, want one that names both schemas", name, err)
			}
			if batch.Transient(err) {
				t.Errorf("%s: another schema does not pass by itself", name)
			}
		}
		r.same()
	})
}

// What is left of a run whose Q_run is gone is removed with all its workers, and a new run begins.
func TestOpenAfterDataLoss(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb)
		fresh := r.seen
		r.enqueue(ids("a b c d e f g h")...)
		one, two := r.join("one"), r.join("two")
		one.runs(1, batch.Failed)
		one.claim(3)
		two.claim(3)
		epoch := rdb.HGet(r.ctx, r.q.Keys().Run(), "epoch").Val()
		r.must(rdb.Del(r.ctx, r.q.Keys().Run()).Err())

		var err error
		r.q, err = batch.Open(r.ctx, rdb, r.q.RunID(), "another", runOptions())
		r.must(err)
		r.seen = fresh
		r.expect(func(d *batchtest.Dump) { d.Run["manifest"] = "another" })
		if rdb.HGet(r.ctx, r.q.Keys().Run(), "epoch").Val() == epoch {
			t.Error("the new run has the epoch of the old one")
		}
		if diff := cmp.Diff([]batch.Event{{Type: batch.Opened}}, r.journal()); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// Every request of a queue, and of a worker that holds a batch, is refused when the run's data is gone, not whole, or of
// another epoch; and changes nothing. Missing data never reads as success.
func TestLostData(t *testing.T) {
	for _, loss := range []struct {
		name  string
		cause func(r *run)
		code  batch.Code
	}{
		{"run", func(r *run) { r.must(r.rdb.Del(r.ctx, r.q.Keys().Run()).Err()) }, batch.Gone},
		{"everything", func(r *run) { _, err := batch.Clean(r.ctx, r.rdb, r.q.RunID()); r.must(err) }, batch.Gone},
		{"a test of the sealed list", func(r *run) { r.must(r.rdb.HDel(r.ctx, r.q.Keys().Tests(), "a").Err()) }, batch.Gone},
		{"the sealed list", func(r *run) { r.must(r.rdb.Del(r.ctx, r.q.Keys().Tests()).Err()) }, batch.Gone},
		{"epoch", func(r *run) {
			r.must(r.rdb.Del(r.ctx, r.q.Keys().Run()).Err())
			_, err := batch.Open(r.ctx, r.rdb, r.q.RunID(), "digest", batch.DefaultOptions())
			r.must(err)
		}, batch.OtherEpoch},
	} {
		t.Run(loss.name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := newRun(t, rdb, ids("a b c d"))
				w := r.join("w")
				w.claim(2)
				loss.cause(r)
				before, err := batchtest.Read(r.ctx, rdb, r.q.Keys())
				r.must(err)
				for name, request := range requests(r, w) {
					if err := request(); !errors.Is(err, loss.code) {
						t.Errorf("%s: got error %v, want %s", name, err, loss.code)
					} else if batch.Transient(err) {
						t.Errorf("%s: a refusal is no transient error", name)
					}
				}
				after, err := batchtest.Read(r.ctx, rdb, r.q.Keys())
				r.must(err)
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("state (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// requests are all requests of a queue, and of a worker, but for Open.
func requests(r *run, w *worker) map[string]func() error {
	return map[string]func() error{
		"enqueue":         func() error { _, err := r.q.Enqueue(r.ctx, asTests("a")); return err },
		"enqueue nothing": func() error { _, err := r.q.Enqueue(r.ctx, nil); return err },
		"seal":            func() error { return r.q.Seal(r.ctx, 4) },
		"join":            func() error { _, _, err := r.q.Join(r.ctx, "w", ""); return err },
		"claim":           func() error { _, err := w.Claim(r.ctx, 1, true); return err },
		"report": func() error {
			_, err := w.Report(r.ctx, 1, []batch.Event{finish("b", batch.Passed)})
			return err
		},
		"settle": func() error { _, err := w.Settle(r.ctx, 1, batch.HandBack); return err },
		"beat":   func() error { _, err := w.Beat(r.ctx, 1, nil); return err },
		"leave":  func() error { return w.Leave(r.ctx, "over") },
		"reap":   func() error { _, _, err := r.q.Reap(r.ctx, w.ID(), 0, "no beat"); return err },
		"finish": func() error { _, err := r.q.Finish(r.ctx, nil, false); return err },
		"abort":  func() error { _, err := r.q.Abort(r.ctx, batch.Abortion{Why: "why", Who: "who"}); return err },
		"state":  func() error { _, err := r.q.State(r.ctx); return err },
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 128)
	for id, ok := range map[string]bool{
		"a": true, "AZaz09._:/-": true, long: true, "gh/1234/2": true,
		"": false, long + "x": false, "a b": false, "a{b}": false, "a*": false, "ä": false, "a\n": false, "a[b]": false, "a?": false,
	} {
		if _, err := batch.NewKeys(id); (err == nil) != ok {
			t.Errorf("run id %.140q: got error %v, want it allowed: %v", id, err, ok)
		}
	}
	rdb := batchtest.Embedded(t)
	r := newRun(t, rdb, ids("a"))
	for name, ok := range map[string]bool{
		"a": true, "AZaz09._-": true, long[:64]: true,
		"": false, long[:65]: false, "a b": false, "a/b": false, "a:b": false, "ä": false, "a\n": false,
	} {
		if _, _, err := r.q.Join(r.ctx, name, ""); (err == nil) != ok {
			t.Errorf("worker name %.80q: got error %v, want it allowed: %v", name, err, ok)
		}
	}
	for name, err := range map[string]error{
		"open":   func() error { _, err := batch.Open(r.ctx, rdb, "", "", batch.Options{}); return err }(),
		"attach": func() error { _, err := batch.Attach(r.ctx, rdb, "*"); return err }(),
		"clean":  func() error { _, err := batch.Clean(r.ctx, rdb, "*"); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("%s: got error %v for a run id that is not allowed", name, err)
		}
	}
}

func TestAttach(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		if _, err := batch.Attach(t.Context(), rdb, "none"); !errors.Is(err, batch.Gone) {
			t.Errorf("got error %v, want GONE", err)
		}
		r := openRun(t, rdb)
		q, err := batch.Attach(r.ctx, rdb, r.q.RunID())
		r.must(err)
		if diff := cmp.Diff(runOptions(), q.Options()); diff != "" {
			t.Errorf("options (-want +got):\n%s", diff)
		}
		r.same()
	})
}
