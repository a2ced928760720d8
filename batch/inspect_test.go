package batch_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// Every key that a run makes is of a kind that is told, of the type that is told, and no key of another run is among them.
func TestReadKeys(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, []string{"a", "b"})
		keys := r.q.Keys()
		w := r.join("w")
		w.claim(1)
		r.must(rdb.Set(r.ctx, "{shard:"+r.q.RunID()+"x}", "of another run", 0).Err())
		r.must(rdb.RPush(r.ctx, keys.GateQueue("0123"), "c").Err())
		r.must(rdb.RPush(r.ctx, keys.GateRequeue("0123"), "d", "e").Err())
		r.must(rdb.Set(r.ctx, keys.Requeue(), "no list", 0).Err())
		r.must(rdb.Set(r.ctx, keys.Prefix()+"_other", "unknown", 0).Err())
		found, err := batch.ReadKeys(r.ctx, rdb, r.q.RunID())
		r.must(err)
		sizes := map[string]int{}
		for _, key := range found {
			name := strings.TrimPrefix(key.Name, keys.Prefix())
			sizes[name] = key.Size
			if kind := rdb.Type(r.ctx, key.Name).Val(); (key.Err == nil) != (kind == key.Kind.Type) {
				t.Errorf("%s: it is a %s, and told to be a %q (error %v)", key.Name, kind, key.Kind.Type, key.Err)
			}
			if key.Err == nil && !strings.Contains(key.Kind.Show(key.Name), "'"+key.Name+"'") {
				t.Errorf("%s is shown by %q", key.Name, key.Kind.Show(key.Name))
			}
		}
		for _, name := range []string{"_events", "_wake", "_run"} {
			if sizes[name] == 0 {
				t.Errorf("%s is empty", name)
			}
			delete(sizes, name)
		}
		if diff := cmp.Diff(map[string]int{
			"": 1, "_requeue": 0, "_gate_0123": 1, "_gate_0123_requeue": 2, "_worker_" + w.ID(): 1, "_workers": 1, "_control": 1,
			"_tests": 2, "_tries": 1, "_other": 0,
		}, sizes); diff != "" {
			t.Errorf("sizes (-want +got):\n%s", diff)
		}
	})
}

// The guide for people names each kind of key, with its type and what it holds.
func TestRedisGuideNamesAllKeys(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "redis.md"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := batch.NewKeys("ID")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range keys.Kinds() {
		row := "| `" + kind.Name + "` | " + kind.Type + " | " + kind.Holds + " |"
		if !strings.Contains(string(guide), row) {
			t.Errorf("docs/redis.md lacks the row %s", row)
		}
	}
}

func TestRuns(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		for _, id := range []string{"b", "a/1:2", "run"} {
			if _, err := batch.Open(t.Context(), rdb, id, "digest", batch.DefaultOptions()); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"{shard:b}_worker_x_run", "{shard:}_run", "{shard: }_run", "other_run"} {
			if err := rdb.Set(t.Context(), name, "no run", 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
		got, err := batch.Runs(t.Context(), rdb)
		if err != nil || !slices.Equal(got, []string{"a/1:2", "b", "run"}) {
			t.Errorf("got %q, error %v", got, err)
		}
	})
}

// Recent returns the end of what Events returns.
func TestRecent(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, []string{"a", "b"})
		r.join("w").claim(2)
		all, err := r.q.Events(r.ctx, batch.JournalStart, 100, -1)
		r.must(err)
		for most := range len(all) {
			got, err := r.q.Recent(r.ctx, most+1)
			r.must(err)
			if diff := cmp.Diff(all[len(all)-most-1:], got); diff != "" {
				t.Errorf("the last %d (-want +got):\n%s", most+1, diff)
			}
		}
	})
}
