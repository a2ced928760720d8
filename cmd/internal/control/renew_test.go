package control_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

// evictSeal loses the markers of a run: scripts notice that by themselves.
func evictSeal(t *testing.T, rdb *redis.Client, keys batch.Keys) {
	t.Helper()
	must(t, rdb.Del(t.Context(), keys.Control()).Err())
}

// rewindSeal takes back that the list was closed, as a failover may: the run looks as if it never was.
func rewindSeal(t *testing.T, rdb *redis.Client, keys batch.Keys) {
	t.Helper()
	evictSeal(t, rdb, keys)
	must(t, rdb.HDel(t.Context(), keys.Run(), "total").Err())
	entries, err := rdb.XRange(t.Context(), keys.Events(), "-", "+").Result()
	must(t, err)
	for _, entry := range entries {
		if entry.Values["type"] == string(batch.Sealed) {
			must(t, rdb.XDel(t.Context(), keys.Events(), entry.ID).Err())
		}
	}
}

// A list that lost its end is closed again by whoever knows it. Others wait for that as long as for a run that is gone, quietly, and
// then give it up: nobody knows any more whether it is whole.
func TestLostSeal(t *testing.T) {
	for name, harm := range map[string]func(*testing.T, *redis.Client, batch.Keys){"evicted": evictSeal, "rewound": rewindSeal} {
		for who, test := range map[string]struct {
			knows, other bool
			status       int
			says         []string
		}{
			"knows the list":                 {knows: true, says: []string{"bringing it back", "PASSED: all 2 tests passed"}},
			"does not, and another does":     {other: true, says: []string{"PASSED: all 2 tests passed"}},
			"does not, and nobody else does": {status: 3, says: []string{"nobody who knows its list has brought the run back within 1.6s", "INCOMPLETE"}},
		} {
			for _, results := range []int{0, 1} {
				t.Run(name+", "+who+map[int]string{0: "", 1: ", with a result"}[results], func(t *testing.T) {
					t.Parallel()
					rdb := batchtest.Embedded(t)
					q := open(t, rdb, "a", "b")
					a := control.Attendance{Queue: q, Output: verbose(t)}
					if test.knows {
						a.Tests = asTests("a", "b")
					}
					at := attend(t, a)
					m, _, err := q.Join(t.Context(), "w", "")
					must(t, err)
					if results > 0 {
						claim, err := m.Claim(t.Context(), 1, true)
						must(t, err)
						_, err = m.Report(t.Context(), claim.Batch.Number, []batch.Event{{Type: batch.Finish, Test: claim.Batch.IDs()[0], Outcome: batch.Outcome{Status: batch.Passed}}})
						must(t, err)
						_, err = m.Settle(t.Context(), claim.Batch.Number, batch.Requeue)
						must(t, err)
						at.says(claim.Batch.IDs()[0] + " passed")
					}
					must(t, m.Leave(t.Context(), ""))
					at.says("joined")
					harm(t, rdb, q.Keys())
					if test.other {
						again, err := q.Reopen(t.Context())
						must(t, err)
						enqueue(t, again, "a", "b")
					}
					if test.status == 0 {
						var back *batch.Queue
						until(t, "the list is closed again", func() bool {
							var err error
							if back, err = batch.Attach(t.Context(), rdb, "r"); err != nil {
								return false
							}
							progress, err := back.Finish(t.Context(), nil, false)
							return err == nil && progress != batch.IsUnsealed
						})
						work(t, back, batch.Passed)
					}
					at.wait(test.status, test.says...)
					if n := strings.Count(at.log.String(), "\n"); n > 5 {
						t.Errorf("it says %d lines:\n%.2000s", n, &at.log)
					}
				})
			}
		}
	}
}

// A run that another controller brought back and to its end, before this one saw that it was lost, has the verdict of that end.
func TestEndedByAnother(t *testing.T) {
	var rdb *redis.Client
	var q *batch.Queue
	rdb = batchtest.Before(t, func(script string, nth int) {
		if script != "finish" || nth != 1 {
			return
		}
		must(t, rdb.FlushAll(t.Context()).Err())
		back, err := q.Reopen(t.Context())
		must(t, err)
		enqueue(t, back, "a", "b")
		work(t, back, batch.Passed)
		_, err = back.Finish(t.Context(), nil, false)
		must(t, err)
	})
	q = open(t, rdb, "a", "b")
	attend(t, control.Attendance{Queue: q, Tests: asTests("a", "b")}).wait(0, "PASSED: all 2 tests passed")
}

// verbose are the flags of an output that tells every test.
func verbose(t *testing.T) (o control.Output) {
	t.Helper()
	must(t, parse(o.Register, "--verbose"))
	return o
}
