package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// rewind takes back, as a failover may, that tests which wait in the queue were enqueued. What is left fits together.
func rewind(t *testing.T, rdb *redis.Client, keys batch.Keys, tests ...string) {
	t.Helper()
	for _, test := range tests {
		must(t, rdb.HDel(t.Context(), keys.Tests(), test).Err())
		must(t, rdb.LRem(t.Context(), keys.Queue(), 1, test).Err())
		must(t, rdb.HIncrBy(t.Context(), keys.Run(), "listed", -1).Err())
	}
}

// A list is closed when all that was put into it is there at once, whatever Redis loses meanwhile: what this command brought it
// brings again; what others brought nobody may miss without a word.
func TestEnqueueSealsTheWholeList(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		// script is before which execution the harm is done.
		script string
		nth    int
		harm   func(t *testing.T, rdb *redis.Client, keys batch.Keys)
		status int
		says   []string
		list   []string
	}{
		{"nothing", "", 0, nil, 0, []string{"2 tests given, 4 in the list", "the list is closed with 4 tests"}, []string{"a", "b", "other1", "other2"}},
		{"its own tests are lost", "enqueue", 3, func(t *testing.T, rdb *redis.Client, keys batch.Keys) {
			rewind(t, rdb, keys, "a", "b")
		}, 0, []string{"closed with 4 tests"}, []string{"a", "b", "other1", "other2"}},
		{"tests of others are lost", "enqueue", 3, func(t *testing.T, rdb *redis.Client, keys batch.Keys) {
			rewind(t, rdb, keys, "b", "other2")
		}, 3, []string{"Redis lost tests that others put into the list: it held 4 and holds 3"}, []string{"a", "b", "other1"}},
		{"others bring more", "enqueue", 3, func(t *testing.T, rdb *redis.Client, _ batch.Keys) {
			_, err := attach(t, rdb, "r").Enqueue(t.Context(), []batch.Test{{ID: "other3"}})
			must(t, err)
		}, 0, []string{"2 tests given, 4 in the list", "closed with 5 tests"}, []string{"a", "b", "other1", "other2", "other3"}},
		{"its own are lost before the list is closed", "seal", 1, func(t *testing.T, rdb *redis.Client, keys batch.Keys) {
			rewind(t, rdb, keys, "a", "b")
		}, 3, []string{"cannot be sealed: Redis holds 2 tests"}, []string{"other1", "other2"}},
		{"all is lost", "enqueue", 3, func(t *testing.T, rdb *redis.Client, _ batch.Keys) {
			must(t, rdb.FlushAll(t.Context()).Err())
		}, 3, []string{"Redis holds no run of this id: its data was lost"}, nil},
		{"all is lost before the list is closed", "seal", 1, func(t *testing.T, rdb *redis.Client, _ batch.Keys) {
			must(t, rdb.FlushAll(t.Context()).Err())
		}, 3, []string{"Redis holds no run of this id: its data was lost"}, nil},
		{"the list was evicted", "enqueue", 2, func(t *testing.T, rdb *redis.Client, keys batch.Keys) {
			must(t, rdb.Del(t.Context(), keys.Tests()).Err())
		}, 3, []string{"the list of 2 tests is not whole any more"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			keys, err := batch.NewKeys("r")
			must(t, err)
			var rdb *redis.Client
			rdb = batchtest.Before(t, func(script string, nth int) {
				if script == test.script && nth == test.nth {
					test.harm(t, rdb, keys)
				}
			})
			enqueue := []string{"enqueue", "--redis-url", "redis://" + rdb.Options().Addr, "--run-id", "r", "--tests"}
			shardctl(t, append(enqueue, list(t, "other1", "other2"))...).expect(t, 0)
			shardctl(t, append(enqueue, list(t, "a", "b"), "--seal")...).expect(t, test.status, test.says...)
			d, err := batchtest.Read(t.Context(), rdb, keys)
			must(t, err)
			var left []string
			for id := range d.Tests {
				left = append(left, id)
			}
			slices.Sort(left)
			sealed := slices.Contains(d.Control, "sealed")
			if !slices.Equal(left, test.list) || sealed != (test.status == 0) {
				t.Errorf("the list is %q, closed: %v; want %q", left, sealed, test.list)
			}
			if sealed && d.Run["total"] != fmt.Sprint(len(test.list)) {
				t.Errorf("it is closed with %s tests", d.Run["total"])
			}
		})
	}
}
