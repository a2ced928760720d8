package control_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

// Redis may lose what it has of a run at any moment while its list is put there: Open tries again, until the list is whole, closed, and
// of one run.
func TestOpenUnderDataLoss(t *testing.T) {
	for _, test := range []struct {
		name   string
		script string
		harm   func(t *testing.T, rdb *redis.Client, keys batch.Keys)
		says   string
	}{
		{"nothing", "", nil, ""},
		{"all before the list", "enqueue", func(t *testing.T, rdb *redis.Client, _ batch.Keys) {
			must(t, rdb.FlushAll(t.Context()).Err())
		}, "its data was lost"},
		{"all before the end of the list", "seal", func(t *testing.T, rdb *redis.Client, _ batch.Keys) {
			must(t, rdb.FlushAll(t.Context()).Err())
		}, "its data was lost"},
		{"the list before its end", "seal", func(t *testing.T, rdb *redis.Client, keys batch.Keys) {
			must(t, rdb.Del(t.Context(), keys.Tests(), keys.Queue()).Err())
		}, "is not whole any more"},
		{"a test, by a failover", "seal", func(t *testing.T, rdb *redis.Client, keys batch.Keys) {
			must(t, rdb.HDel(t.Context(), keys.Tests(), "b").Err())
			must(t, rdb.LRem(t.Context(), keys.Queue(), 1, "b").Err())
			must(t, rdb.HIncrBy(t.Context(), keys.Run(), "listed", -1).Err())
		}, "cannot be sealed: Redis holds 1 tests"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			keys, err := batch.NewKeys("r")
			must(t, err)
			var births []string // as they are when the harm is done
			var rdb *redis.Client
			rdb = batchtest.Before(t, func(script string, nth int) {
				if script == test.script && nth == 1 {
					births = append(births, rdb.HGet(t.Context(), keys.Run(), "birth").Val())
					test.harm(t, rdb, keys)
				}
			})
			var log strings.Builder
			q, err := control.Opening{
				RunID: "r", Tests: asTests("a", "b"), Manifest: "list", Options: batch.DefaultOptions(), Log: cli.NewLog(&log, "test", slog.LevelInfo),
			}.Open(t.Context(), rdb)
			must(t, err)
			d, err := batchtest.Read(t.Context(), rdb, q.Keys())
			must(t, errors.Join(err, d.Check()))
			if !slices.Equal(d.Queue, []string{"a", "b"}) || !slices.Equal(d.Control, []string{"sealed"}) {
				t.Errorf("queue %q, markers %q", d.Queue, d.Control)
			}
			if len(births) > 0 && births[0] != q.Birth() {
				t.Error("it is another run: workers of the first would leave it alone")
			}
			if tried := strings.Contains(log.String(), "could not be put into Redis, trying again"); tried != (test.harm != nil) || !strings.Contains(log.String(), test.says) {
				t.Errorf("it says %q", &log)
			}
		})
	}
}

// What does not pass is not tried again.
func TestOpenRefuses(t *testing.T) {
	rdb := batchtest.Embedded(t)
	open := func(ctx context.Context, manifest string, tests ...string) (*batch.Queue, error) {
		return control.Opening{
			RunID: "r", Tests: asTests(tests...), Manifest: manifest, Options: batch.DefaultOptions(), Log: slog.New(slog.DiscardHandler),
		}.Open(ctx, rdb)
	}
	first, err := open(t.Context(), "list", "a")
	must(t, err)
	if again, err := open(t.Context(), "list", "a"); err != nil || again.Birth() != first.Birth() {
		t.Errorf("the same list: %v", err)
	}
	if _, err := open(t.Context(), "other list", "b"); !errors.Is(err, batch.Mismatch) {
		t.Errorf("another list: %v", err)
	}
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	must(t, rdb.Del(t.Context(), first.Keys().Tests()).Err())
	if _, err := open(ctx, "list", "a"); !errors.Is(err, stopped) && !errors.Is(err, context.Canceled) {
		t.Errorf("a stop: %v", err)
	}
}

// Who opens a run that is under way is told what stands, and that its own options count for nothing.
func TestOpenRunUnderWay(t *testing.T) {
	rdb := batchtest.Embedded(t)
	q := open(t, rdb, "a", "b")
	m, _, err := q.Join(t.Context(), "w", "")
	must(t, err)
	claim, err := m.Claim(t.Context(), 1, true)
	must(t, err)
	_, err = m.Report(t.Context(), claim.Batch.Number, []batch.Event{{Type: batch.Finish, Test: claim.Batch.IDs()[0], Outcome: batch.Outcome{Status: batch.Passed}}})
	must(t, err)
	var log strings.Builder
	options := batch.DefaultOptions()
	options.Retries = 3
	again, err := control.Opening{
		RunID: "r", Tests: asTests("b", "a"), Manifest: "list", Options: options, Log: cli.NewLog(&log, "test", slog.LevelInfo),
	}.Open(t.Context(), rdb)
	must(t, err)
	if again.Options() != q.Options() {
		t.Errorf("options %+v", again.Options())
	}
	for _, text := range []string{"under way with other options", "1 of its 2 tests have results from before"} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("it does not say %q: %s", text, &log)
		}
	}
}
