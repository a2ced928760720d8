package recovery_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// What a controller knew before a data loss it still knows at the next one, whatever the journal in between told of it: whoever
// brought the run back may have known nothing, and been cut off before this one could add what it knows.
func TestKnownOutlivesLosses(t *testing.T) {
	failed := final("a")
	failed.Outcome.Status = batch.Failed
	type finals = map[string][]batch.Status
	for name, test := range map[string]struct {
		// journals are those that are lost, one after the other, each after it was read.
		journals [][]batch.Event
		want     []finals
	}{
		"the next journal tells nothing": {
			[][]batch.Event{{final("a")}, {}, {}},
			[]finals{{"a": {batch.Passed}}, {"a": {batch.Passed}}, {"a": {batch.Passed}}},
		},
		"the next journal tells of another test": {
			[][]batch.Event{{final("a")}, {final("b")}, {final("c")}},
			[]finals{{"a": {batch.Passed}}, {"a": {batch.Passed}, "b": {batch.Passed}}, {"a": {batch.Passed}, "b": {batch.Passed}, "c": {batch.Passed}}},
		},
		"the next journal tells the same, brought back": {
			[][]batch.Event{{final("a")}, {final("a")}, {}},
			[]finals{{"a": {batch.Passed}}, {"a": {batch.Passed}}, {"a": {batch.Passed}}},
		},
		"the test ran again": { // what holds is what the run went on with
			[][]batch.Event{{final("a")}, {failed}, {}},
			[]finals{{"a": {batch.Passed}}, {"a": {batch.Failed}}, {"a": {batch.Failed}}},
		},
		"the test has begun to run again": {
			[][]batch.Event{{failed}, {{Type: batch.Finish, Test: "a", Outcome: batch.Outcome{Status: batch.Failed}, Decision: batch.Requeued}}},
			[]finals{{"a": {batch.Failed}}, {"a": {batch.Failed}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var next []recovery.Queue
				for _, journal := range test.journals {
					lost := newFake()
					lost.do(func() {
						lost.tell(batch.Event{Type: batch.Opened})
						for _, e := range journal {
							lost.tell(e)
						}
						lost.tell(batch.Event{Type: batch.Settled}) // so that each is asked whether it is complete
					})
					next = append(next, gone{lost})
				}
				last := newFake()
				last.complete = true
				next = append(next, last)
				var got []finals
				c := &recovery.Controller{
					Queue: next[0], Lease: lease, Observe: func([]batch.Event) {},
					Renew: func(_ context.Context, _ bool, known [][]batch.Event) (recovery.Queue, error) {
						told := finals{}
						for _, events := range known {
							for _, e := range events {
								told[e.Test] = append(told[e.Test], e.Outcome.Status)
							}
						}
						got = append(got, told)
						return next[len(got)], nil
					},
				}
				if progress, err := c.Supervise(t.Context()); progress != batch.IsDone || err != nil {
					t.Fatalf("ended %q, %v", progress, err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error("known at each loss (-want +got):\n" + diff)
				}
			})
		})
	}
}
