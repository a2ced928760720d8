package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// The rule of the scripts and that of the simulation take the same tests, whatever the list, the workers and the start-up.
func TestShareIsThatOfTheScript(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				rng := rand.New(rand.NewPCG(seed, 7))
				tests := make([]batch.Test, 1+rng.IntN(1500)*(1+rng.IntN(4)))
				expected := make([]float64, len(tests))
				groups := make([]string, len(tests))
				unknown, grouped := rng.IntN(11), rng.IntN(3) == 0
				for i := range tests {
					tests[i].ID = strconv.Itoa(i)
					if grouped && rng.IntN(4) > 0 {
						groups[i] = strconv.Itoa(i / (1 + rng.IntN(40)))
						if i > 0 && rng.IntN(9) > 0 {
							groups[i] = groups[i-1]
						}
						tests[i].Group = groups[i]
					}
					if rng.IntN(10) >= unknown {
						tests[i].Seconds = float64(1+rng.IntN(1_000_000)*rng.IntN(5)) / 1e6
						expected[i] = float64(microseconds(tests[i].Seconds))
					}
				}
				o := batch.DefaultOptions()
				live, most := 1+rng.IntN(6), 1+rng.IntN(800)*(1+rng.IntN(4))
				if rng.IntN(3) > 0 {
					o.ExpectWorkers = live + rng.IntN(4)
				}
				startup := time.Duration(rng.IntN(3)*rng.IntN(2000)) * time.Millisecond
				q, err := batch.Open(t.Context(), rdb, "share", "digest", o)
				check(t, err)
				total, err := q.Enqueue(t.Context(), tests)
				check(t, err)
				check(t, q.Seal(t.Context(), total))
				var workers []*batch.Member
				for range live {
					m, _, err := q.Join(t.Context(), "w", "")
					check(t, err)
					m.Startup = startup
					workers = append(workers, m)
				}
				rule := newShares(expected, groups)
				claimed := map[*batch.Member]bool{}
				for left := len(tests); left > 0; {
					w := workers[rng.IntN(live)]
					claim, err := w.Claim(t.Context(), most, true)
					check(t, err)
					var want []string
					for _, x := range rule.claim(!claimed[w], live, o.ExpectWorkers, most, float64(startup.Microseconds())) {
						want = append(want, strconv.Itoa(x.index))
						rule.result(x.us)
					}
					claimed[w] = true
					slices.Sort(want)
					if diff := cmp.Diff(want, claim.Batch.IDs()); diff != "" {
						t.Fatalf("%d tests, %d left, -simulation +script:\n%s", len(tests), left, diff)
					}
					left -= len(want)
					var events []batch.Event
					for _, id := range want {
						events = append(events, batch.Event{Type: batch.Finish, Test: id, Outcome: batch.Outcome{Status: batch.Passed}})
					}
					_, err = w.Report(t.Context(), claim.Batch.Number, events)
					check(t, err)
					_, err = w.Settle(t.Context(), claim.Batch.Number, batch.Requeue)
					check(t, err)
				}
			})
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
