package report_test

import (
	"os"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// The journal is read to its end, then what Redis holds; both make the verdict.
func ExampleJudge() {
	start := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	journal := []batch.Event{
		{Type: batch.Opened, Time: start},
		{Type: batch.Claimed, Time: start, Worker: "w1.5a17", Batch: 1, Tests: []string{"p::TestSum", "p::TestOk"}},
		{Type: batch.Finish, Time: start.Add(time.Second), Worker: "w1.5a17", Batch: 1, Test: "p::TestSum", Decision: batch.Final,
			Outcome: batch.Outcome{Status: batch.Failed, Seconds: 0.5, Message: "got 3, want 4", File: "p/sum_test.go", Line: 12}},
		{Type: batch.Finish, Time: start.Add(2 * time.Second), Worker: "w1.5a17", Batch: 1, Test: "p::TestOk", Decision: batch.Final,
			Outcome: batch.Outcome{Status: batch.Passed}},
		{Type: batch.Done, Time: start.Add(2 * time.Second)},
	}
	history := report.NewHistory()
	for _, event := range journal {
		history.Add(event)
	}
	verdict := report.Judge(history, report.Ending{
		Tests: 2, Results: map[string]batch.Status{"p::TestSum": batch.Failed, "p::TestOk": batch.Passed},
		Markers: batch.Markers{Sealed: true, Done: true},
	})
	if err := report.WriteVerdict(os.Stdout, verdict, report.TextOptions{}); err != nil {
		panic(err)
	}
	// Output:
	// Failed: 1
	//   1. p::TestSum
	//      failed on w1.5a17 in a batch of 2: got 3, want 4
	//      at p/sum_test.go:12, after 0.5s
	//
	// 0.5s of tests ran in 2.0s on 1 worker, idle for 0% of the time
	// FAILED: 1 of 2 tests failed, 1 passed in 2.0s (exit status 1)
}
