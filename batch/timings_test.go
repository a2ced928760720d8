package batch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// Who writes some fields leaves the others alone, and however many there are, they come back.
func TestTimings(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]string{}
		for i := range 2500 {
			want[fmt.Sprint(i)] = strings.Repeat("x", i%7)
		}
		must(batch.SetTimings(ctx, rdb, "a/b", want))
		must(batch.SetTimings(ctx, rdb, "a/b", map[string]string{"7": "new", "": "nameless"}))
		want["7"], want[""] = "new", "nameless"
		all, err := batch.Timings(ctx, rdb, "a/b", nil)
		must(err)
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
		some, err := batch.Timings(ctx, rdb, "a/b", []string{"7", "none", ""})
		must(err)
		if diff := cmp.Diff(map[string]string{"7": "new", "": "nameless"}, some); diff != "" {
			t.Error(diff)
		}
		if other, err := batch.Timings(ctx, rdb, "a", nil); err != nil || len(other) > 0 {
			t.Errorf("another suite has %v, error %v", other, err)
		}
		gone := []string{"none"}
		for i := range 2000 {
			gone = append(gone, fmt.Sprint(i))
			delete(want, fmt.Sprint(i))
		}
		must(batch.DropTimings(ctx, rdb, "a/b", gone))
		must(batch.DropTimings(ctx, rdb, "a/b", nil))
		all, err = batch.Timings(ctx, rdb, "a/b", nil)
		must(err)
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
		if left := rdb.TTL(ctx, batch.TimingsKey("a/b")).Val(); left <= 0 {
			t.Errorf("they are kept for %v", left)
		}
	})
}

// A user with the rights of runs alone is told which rule is missing; with that, the rights are enough.
func TestTimingsNeedTheirOwnRight(t *testing.T) {
	g := newGuarded(t, batch.AllRuns)
	ctx, rdb := t.Context(), g.guest()
	_, all := batch.Timings(ctx, rdb, "a/b", nil)
	_, some := batch.Timings(ctx, rdb, "a/b", []string{"x"})
	for what, err := range map[string]error{"all": all, "some": some, "set": batch.SetTimings(ctx, rdb, "a/b", map[string]string{"x": "1"})} {
		if err == nil || !strings.Contains(err.Error(), "{shard-timings:a/b}") || !strings.Contains(err.Error(), "~"+batch.TimingsPattern) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	g.change("~" + batch.TimingsPattern)
	if err := batch.SetTimings(ctx, rdb, "a/b", map[string]string{"x": "1"}); err != nil {
		t.Error(err)
	}
	if err := batch.DropTimings(ctx, rdb, "a/b", []string{"y"}); err != nil {
		t.Error(err)
	}
	for _, fields := range [][]string{nil, {"x"}} {
		if values, err := batch.Timings(ctx, rdb, "a/b", fields); err != nil || values["x"] != "1" {
			t.Errorf("%v, error %v", values, err)
		}
	}
}
