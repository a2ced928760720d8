package batch_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// Clean removes a run with all that it left, and nothing of its neighbours.
func TestClean(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		w.runs(1, batch.Failed)
		w.claim(1)
		id := r.q.RunID()
		_, err := batch.Open(r.ctx, rdb, id+"-2", "digest", batch.DefaultOptions())
		r.must(err)
		neighbours := []string{"mine", "{shard:" + id + "-2}_events", "{shard:" + id + "-2}_run", "{shard:" + id + "-2}_wake"}
		r.must(rdb.Set(r.ctx, "mine", "1", 0).Err())

		all := len(rdb.Keys(r.ctx, "*").Val())
		for _, want := range []int{all - len(neighbours), 0} {
			n, err := batch.Clean(r.ctx, rdb, id)
			r.must(err)
			if n != want {
				t.Errorf("got %d keys removed, want %d", n, want)
			}
			left := slices.Sorted(slices.Values(rdb.Keys(r.ctx, "*").Val()))
			if diff := cmp.Diff(neighbours, left); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		}
	})
}

// Whatever a run leaves behind, when all its machines die at any moment, expires 24 hours later.
func TestKeysExpire(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := openRun(t, rdb, func(o *batch.Options) { o.Retries = 1 })
		check := func(after string) {
			t.Helper()
			keys := rdb.Keys(r.ctx, r.q.Keys().Prefix()+"*").Val()
			if len(keys) < 3 {
				t.Errorf("after %s there are only %q", after, keys)
			}
			for _, key := range keys {
				if ttl := rdb.TTL(r.ctx, key).Val(); ttl > 24*time.Hour || ttl < 23*time.Hour {
					t.Errorf("after %s, %s expires in %v", after, key, ttl)
				}
			}
		}
		check("open")
		_, err := r.q.Enqueue(r.ctx, []batch.Test{{ID: "a", Seconds: 1}, {ID: "b"}, {ID: "c"}, {ID: "d"}})
		r.must(err)
		check("enqueue")
		r.must(r.q.Seal(r.ctx, 4))
		check("seal")
		w, dead := r.join("w"), r.join("dead")
		check("join")
		w.claim(1)
		check("claim")
		w.report(1, finish("a", batch.Failed))
		check("a failure that is retried")
		w.settle(1, batch.Requeue)
		w.claim(1)
		w.report(2, finish("b", batch.Passed))
		check("a result")
		w.settle(2, batch.Requeue)
		w.claim(1)
		dead.claim(1)
		w.settle(3, batch.HandBack)
		check("a hand-back")
		w.claim(1)
		w.beat(4)
		check("a beat that gives back")
		w.settle(4, batch.Requeue)
		dead.reaped()
		check("a reap")
		for range 3 {
			w.runs(1, batch.Passed)
		}
		r.finish(batch.IsDone)
		r.must(w.Leave(r.ctx, "over"))
		check("the end")
	})
}
