package batch_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
)

// A controller makes a run, a worker works it off, and the run is complete. In real life the two are in different
// processes, and there are many workers, which beat, and wait where this one would be done.
func Example() {
	if err := example(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// batch 1, alone: false, tests: [slow]
	// batch 2, alone: false, tests: [quick]
	// batch 3, alone: false, tests: [flaky]
	// batch 4, alone: true, tests: [flaky]
	// the run is done
	// map[flaky:passed quick:passed slow:passed]
}

func example(ctx context.Context) error {
	server, err := miniredis.Run()
	if err != nil {
		return err
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()

	// The controller: open, enqueue (longest first), seal.
	options := batch.DefaultOptions()
	options.Retries = 1
	queue, err := batch.Open(ctx, rdb, "nightly/42", "digest of the list", options)
	if err != nil {
		return err
	}
	list := []batch.Test{{ID: "slow", Seconds: 9}, {ID: "quick", Seconds: 1}, {ID: "flaky"}}
	total, err := queue.Enqueue(ctx, list)
	if err != nil {
		return err
	}
	if err := queue.Seal(ctx, total); err != nil {
		return err
	}

	if err := work(ctx, rdb); err != nil {
		return err
	}

	// The controller again: an empty queue is no evidence, so it asks.
	progress, err := queue.Finish(ctx, nil, false)
	if err != nil {
		return err
	}
	results, err := queue.Results(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("the run is %s\n%v\n", progress, results)
	return nil
}

func work(ctx context.Context, rdb *redis.Client) error {
	queue, err := batch.Attach(ctx, rdb, "nightly/42")
	if err != nil {
		return err
	}
	me, _, err := queue.Join(ctx, "worker-1", "linux/amd64")
	if err != nil {
		return err
	}
	for {
		claim, err := me.Claim(ctx, 1, true)
		if err != nil {
			return err
		}
		if claim.Batch.Number == 0 {
			return me.Leave(ctx, "nothing left")
		}
		fmt.Printf("batch %d, alone: %v, tests: %v\n", claim.Batch.Number, claim.Batch.Alone, claim.Batch.IDs())
		for _, test := range claim.Batch.Tests {
			outcome := execute(test, claim.Batch.Alone)
			events := []batch.Event{
				{Type: batch.Start, Test: test.ID},
				{Type: batch.Finish, Test: test.ID, Outcome: outcome},
			}
			if _, err := me.Report(ctx, claim.Batch.Number, events); err != nil {
				return err
			}
		}
		// Whatever has no outcome by now was not executed, and runs again.
		if _, err := me.Settle(ctx, claim.Batch.Number, batch.Requeue); err != nil {
			return err
		}
	}
}

// execute stands for a test runner, whose test "flaky" fails in company.
func execute(test batch.Test, alone bool) batch.Outcome {
	if test.ID == "flaky" && !alone {
		return batch.Outcome{Status: batch.Failed, Seconds: 0.1, Message: "want 1, got 2"}
	}
	return batch.Outcome{Status: batch.Passed, Seconds: 0.1}
}
