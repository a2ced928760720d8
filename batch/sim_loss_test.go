package batch_test

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// damage is what a server does to the data of a run: a key is evicted, all of it is flushed, or a failover takes it back to
// an earlier state.
func (w *world) damage(ctx context.Context) {
	keys, err := w.raw.Keys(ctx, w.keys.Prefix()+"*").Result()
	if err != nil {
		w.fail("keys: %w", err)
		return
	}
	slices.Sort(keys)
	switch n := w.rng.IntN(4); {
	case len(keys) == 0:
	case n == 0:
		w.note("the data of the run is lost")
		w.faults["flushes"]++
		w.raw.Del(ctx, keys...)
	case n == 1 && w.snapshot != nil:
		w.note("a failover takes the run back")
		w.faults["failovers"]++
		w.raw.Del(ctx, keys...)
		w.snapshot.restore(ctx, w.raw)
	case n == 1:
		w.snapshot = takeSnapshot(ctx, w.raw, keys)
		return
	default:
		key := keys[w.rng.IntN(len(keys))]
		w.note("key %s is evicted", key)
		w.faults["evictions"]++
		w.raw.Del(ctx, key)
	}
	w.damaged = true
}

// snapshot is the state of some keys, by what is in them.
type snapshot struct {
	lists, sets map[string][]string
	hashes      map[string]map[string]string
	streams     map[string][]redis.XMessage
}

func takeSnapshot(ctx context.Context, rdb *redis.Client, keys []string) *snapshot {
	s := &snapshot{
		lists: map[string][]string{}, sets: map[string][]string{}, hashes: map[string]map[string]string{},
		streams: map[string][]redis.XMessage{},
	}
	for _, key := range keys {
		switch rdb.Type(ctx, key).Val() {
		case "list":
			s.lists[key] = rdb.LRange(ctx, key, 0, -1).Val()
		case "set":
			s.sets[key] = rdb.SMembers(ctx, key).Val()
		case "hash":
			s.hashes[key] = rdb.HGetAll(ctx, key).Val()
		case "stream":
			s.streams[key] = rdb.XRange(ctx, key, "-", "+").Val()
		}
	}
	return s
}

func (s *snapshot) restore(ctx context.Context, rdb *redis.Client) {
	for key, list := range s.lists {
		rdb.RPush(ctx, key, list)
	}
	for key, set := range s.sets {
		rdb.SAdd(ctx, key, set)
	}
	for key, hash := range s.hashes {
		rdb.HSet(ctx, key, hash)
	}
	for key, entries := range s.streams {
		for _, entry := range entries {
			rdb.XAdd(ctx, &redis.XAddArgs{Stream: key, ID: entry.ID, Values: entry.Values})
		}
	}
}

// refereeOfDamage checks what must hold even if data was lost: nothing reads as success that is not.
func (w *world) refereeOfDamage(dump batchtest.Dump) {
	if slices.Contains(dump.Control, "done") && len(dump.Results) != len(w.tests) {
		w.fail("invariant 10: done with %d results of %d tests", len(dump.Results), len(w.tests))
	}
	w.executed(dump)
}
