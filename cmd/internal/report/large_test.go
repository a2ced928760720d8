package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// large makes the journal of a run of so many tests on so many workers, as a real one looks: batches that get smaller, runners
// that start, failures that run again, and a worker that vanishes. It is the same for the same numbers.
func large(tests, workers int) journal {
	j := journal{ending: Ending{RunID: "github/acme/shop/4711/1", Tests: tests, Results: map[string]batch.Status{}, Markers: batch.Markers{Sealed: true, Done: true}}}
	random := rand.New(rand.NewPCG(1, 2))
	var events []batch.Event
	at := func(d time.Duration) time.Time { return testEpoch.Add(d.Round(time.Millisecond)) }
	put := func(d time.Duration, e batch.Event) {
		e.Time = at(d)
		events = append(events, e)
	}
	packages := []string{"acme.example/shop/cart", "acme.example/shop/internal/checkout/payment", "acme.example/shop/search", "acme.example/shop/web"}
	queue := make([]string, tests)
	for i := range queue {
		queue[i] = fmt.Sprintf("%s::Test%s%d", packages[i*len(packages)/tests], []string{"Adds", "Removes", "Finds", "Renders", "Rejects"}[i%5], i)
	}
	put(0, batch.Event{Type: batch.Opened})
	put(3*time.Millisecond, batch.Event{Type: batch.Sealed, Text: fmt.Sprint(tests)})
	type worker struct {
		id    string
		now   time.Duration
		batch int
	}
	var all []*worker
	for i := range workers {
		w := &worker{id: fmt.Sprintf("runner-%d.%06x", i+1, 7919*(i+1)), now: time.Duration(200+random.IntN(2500)) * time.Millisecond}
		put(w.now, batch.Event{Type: batch.Joined, Worker: w.id, Text: "linux/amd64, 4 CPUs"})
		all = append(all, w)
	}
	var again []string
	failed := map[string]int{}
	lost := tests > 20 && workers > 2
run:
	for len(queue)+len(again) > 0 {
		w := all[0]
		for _, other := range all {
			if other.now < w.now {
				w = other
			}
		}
		alone := len(queue) == 0
		var ids []string
		if alone {
			ids, again = again[:1], again[1:]
		} else {
			n := min(max(1, len(queue)/(2*workers)), 400)
			ids, queue = queue[:n], queue[n:]
		}
		w.batch++
		w.now += 2 * time.Millisecond
		text := ""
		if alone {
			text = "alone"
		}
		put(w.now, batch.Event{Type: batch.Claimed, Worker: w.id, Batch: w.batch, Tests: ids, Text: text})
		w.now += time.Duration(150+random.IntN(500)) * time.Millisecond
		for k, id := range ids {
			put(w.now, batch.Event{Type: batch.Start, Worker: w.id, Batch: w.batch, Test: id})
			if lost && w == all[1] && w.batch == 2 && k == len(ids)/3 {
				lost = false
				put(w.now+3*time.Second, batch.Event{Type: batch.Reaped, Worker: w.id, Batch: w.batch, Text: "its connection is gone and its beat stands still", Tests: ids[k:], Charged: ids[k : k+1]})
				again = append(again, ids[k:]...)
				all = append(all[:1], all[2:]...)
				continue run
			}
			took := time.Duration(random.ExpFloat64()*40*float64(time.Millisecond)) + 200*time.Microsecond
			if random.IntN(300) == 0 {
				took *= 20
			}
			if len(queue) == 0 && k == 0 && !alone && random.IntN(3) == 0 {
				took += 3 * time.Second
			}
			w.now += took
			o := batch.Outcome{Status: batch.Passed, Seconds: took.Seconds()}
			decision := batch.Final
			switch n := failed[id]; {
			case n == 0 && random.IntN(400) == 7, n == 1 && len(id)%2 == 0:
				o.Status, o.Message, o.File, o.Line = batch.Failed, "got 3 items, want 4", "cart/cart_test.go", 40+len(id)
				o.Output = "=== RUN   " + id + "\n    cart_test.go:57: got 3 items, want 4\n        basket: [apple pear plum]\n--- FAIL: " + id + "\n"
				if failed[id]++; n == 0 {
					decision = batch.Requeued
					again = append(again, id)
				}
			case random.IntN(60) == 0:
				o.Status, o.Message = batch.Skipped, "needs a network"
			}
			put(w.now, batch.Event{Type: batch.Finish, Worker: w.id, Batch: w.batch, Test: id, Outcome: o, Decision: decision})
			if decision == batch.Final {
				j.ending.Results[id] = o.Status
			}
		}
		put(w.now+time.Millisecond, batch.Event{Type: batch.Settled, Worker: w.id, Batch: w.batch, Text: string(batch.Requeue)})
	}
	end := time.Duration(0)
	for _, w := range all {
		end = max(end, w.now)
	}
	for _, w := range all {
		put(end+5*time.Millisecond, batch.Event{Type: batch.Left, Worker: w.id, Text: "the run is done"})
	}
	put(end+6*time.Millisecond, batch.Event{Type: batch.Done})
	j.events = events
	slices.SortStableFunc(j.events, func(a, b batch.Event) int { return a.Time.Compare(b.Time) })
	return j
}
