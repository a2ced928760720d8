package batch_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// Everything that happened is in the journal, in order, with what a report needs.
func TestJournal(t *testing.T) {
	failed := batch.Outcome{
		Status: batch.Failed, Seconds: 1.25, Message: "want \"1\"\n<got> 2 ☃", File: "a_test.go", Line: 7, Output: "--- FAIL\n\x1b[0m",
		Cases: []batch.Case{{Classname: "p", Name: "a/sub", Status: batch.Failed, Seconds: 0.5, Output: "x"}},
	}
	problem := batch.Problem{Scope: "pkg", Message: "does not compile", Details: "a.go:1: no\n"}
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c"), func(o *batch.Options) { o.MaxClaims = 1 })
		one, two := r.join("one"), r.join("two")
		one.claim(1)
		one.report(1, start("a"), pause("a"), start("a"), batch.Event{Type: batch.ProblemFound, Problem: problem},
			batch.Event{Type: batch.Finish, Test: "a", Outcome: failed})
		one.settle(1, batch.HandBack)
		one.claim(1)
		one.report(2, start("b"))
		one.reaped()
		two.claim(1)
		two.settle(1, batch.Requeue)
		r.finish(batch.IsDone)
		r.must(two.Leave(r.ctx, "the run is over"))

		lost := func(test, why string) batch.Event {
			return batch.Event{Type: batch.Resulted, Test: test, Outcome: batch.Outcome{Status: batch.Lost, Message: why}, Text: why}
		}
		want := []batch.Event{
			{Type: batch.Opened},
			{Type: batch.Sealed, Text: "3"},
			{Type: batch.Joined, Worker: "one", Text: "info"},
			{Type: batch.Joined, Worker: "two", Text: "info"},
			{Type: batch.Claimed, Worker: "one", Batch: 1, Tests: ids("a")},
			{Type: batch.Start, Worker: "one", Batch: 1, Test: "a"},
			{Type: batch.Start, Worker: "one", Batch: 1, Test: "a"},
			{Type: batch.ProblemFound, Worker: "one", Batch: 1, Problem: problem},
			{Type: batch.Finish, Worker: "one", Batch: 1, Test: "a", Outcome: failed, Decision: batch.Final},
			{Type: batch.Settled, Worker: "one", Batch: 1, Text: "handback"},
			{Type: batch.Claimed, Worker: "one", Batch: 2, Tests: ids("b")},
			{Type: batch.Start, Worker: "one", Batch: 2, Test: "b"},
			lost("b", "claimed 1 times without a result"),
			{Type: batch.Reaped, Worker: "one", Batch: 2, Tests: ids("b"), Charged: ids("b"), Text: "no beat"},
			{Type: batch.Claimed, Worker: "two", Batch: 1, Tests: ids("c")},
			lost("c", "claimed 1 times without a result"),
			{Type: batch.Settled, Worker: "two", Batch: 1, Text: "requeue", Tests: ids("c")},
			{Type: batch.Done},
			{Type: batch.Left, Worker: "two", Text: "the run is over"},
		}
		if diff := cmp.Diff(want, r.journal()); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// A reader goes on from where it was, in pieces of its own size, and is woken by what comes.
func TestEvents(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		r := newRun(t, rdb, ids("a b c d"))
		w := r.join("w")
		var all []batch.EventType
		after := batch.JournalStart
		read := func(most int, wait time.Duration) int {
			t.Helper()
			events, err := r.q.Events(r.ctx, after, most, wait)
			r.must(err)
			for _, e := range events {
				all = append(all, e.Type)
				after = e.ID
				if e.Time.IsZero() || e.Time.UnixMilli() <= 0 {
					t.Errorf("time of %+v", e)
				}
			}
			return len(events)
		}
		for _, want := range []int{2, 1, 0} {
			if got := read(2, -1); got != want {
				t.Errorf("got %d events, want %d", got, want)
			}
		}
		if got := read(2, 0); got != 0 { // waits a moment, not for ever
			t.Errorf("got %d events, want none", got)
		}
		events := make(chan int)
		go func() { events <- read(10, time.Minute) }()
		w.claim(1)
		if got := <-events; got != 1 {
			t.Errorf("got %d events, want the claim", got)
		}
		if diff := cmp.Diff([]batch.EventType{batch.Opened, batch.Sealed, batch.Joined, batch.Claimed}, all); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

// What did not come from this program is an error that names the place, not a silent gap.
func TestEventsOfStrangers(t *testing.T) {
	for name, fields := range map[string][]string{
		"batch":   {"type", "claim", "batch", "x"},
		"outcome": {"type", "finish", "test", "a", "data", "{"},
		"problem": {"type", "problem", "data", ""},
	} {
		t.Run(name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				r := openRun(t, rdb)
				r.must(rdb.XAdd(r.ctx, &redis.XAddArgs{Stream: r.q.Keys().Events(), Values: fields}).Err())
				if events, err := r.q.Events(r.ctx, batch.JournalStart, 10, -1); err == nil {
					t.Errorf("got %+v, want an error", events)
				}
			})
		})
	}
}
