package plan

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Task is a test as the simulation knows it.
type Task struct {
	// Expected seconds, 0: unknown. Actual is how long it then takes.
	Expected, Actual float64
	// Group is batch.Test's.
	Group string
}

// Tasks are tests for a prediction: each takes as long as expected, or the mean of the others. It counts those of unknown duration.
func Tasks(tests []batch.Test) (tasks []Task, unknown int) {
	sum := 0.0
	for _, t := range tests {
		sum += t.Seconds
		if t.Seconds <= 0 {
			unknown++
		}
	}
	mean := sum / max(1, float64(len(tests)-unknown))
	for _, t := range tests {
		task := Task{Expected: t.Seconds, Actual: t.Seconds, Group: t.Group}
		if t.Seconds <= 0 {
			task.Actual = mean
		}
		tasks = append(tasks, task)
	}
	return tasks, unknown
}

// Fleet is what runs the tasks.
type Fleet struct {
	// Workers that all come at once. Announced: the run was told how many (--expect-workers).
	Workers   int
	Announced bool
	// Startup is what a worker waits before the first test of each of its batches, First what it waits more before the first of all.
	Startup, First time.Duration
	// Most is the most tests of one batch; 0: batch.MostTests.
	Most int
}

// Prediction is what a simulated run comes to, in seconds.
type Prediction struct {
	// Wall is when the last worker ends.
	Wall float64
	// Busy is how long tests ran, Startup how long runners were started, in all; Idle how long workers waited for the last.
	Busy, Startup, Idle float64
	// Batches counts claims that got tests.
	Batches int
	// Bound is what no order of these tests can beat: a fair share of their time, or the longest, and one start.
	Bound float64
	// Longest is the index of the task that takes longest, of a known one if there are several; -1 without tasks.
	Longest int
}

// Simulate runs tasks, in the order in which they wait, by the rule of the claim script.
func Simulate(tasks []Task, f Fleet) Prediction {
	expected, groups := make([]float64, len(tasks)), make([]string, len(tasks))
	for i, t := range tasks {
		expected[i], groups[i] = float64(microseconds(t.Expected)), t.Group
	}
	s := newShares(expected, groups)
	announced, most := 0, f.Most
	if f.Announced {
		announced = f.Workers
	}
	if most == 0 {
		most = batch.MostTests
	}
	p := Prediction{Bound: bound(tasks, f), Longest: -1}
	for i, t := range tasks {
		if p.Longest < 0 || t.Actual > tasks[p.Longest].Actual || t.Actual == tasks[p.Longest].Actual && tasks[p.Longest].Expected == 0 {
			p.Longest = i
		}
	}
	startup := f.Startup.Seconds()
	var events moments
	for worker := range f.Workers {
		heap.Push(&events, moment{at: 0, worker: worker, test: -1})
	}
	claimed := make([]bool, f.Workers)
	for events.Len() > 0 {
		e := heap.Pop(&events).(moment)
		if e.test >= 0 {
			s.result(expected[e.test])
			continue
		}
		claim := s.claim(!claimed[e.worker], f.Workers, announced, most, startup*1e6)
		if len(claim) == 0 {
			p.Idle -= e.at // and the wall time for each worker, below
			continue
		}
		start := startup
		if !claimed[e.worker] {
			start += f.First.Seconds()
		}
		claimed[e.worker] = true
		p.Batches++
		p.Startup += start
		at := e.at + start
		for _, w := range claim {
			at += tasks[w.index].Actual
			p.Busy += tasks[w.index].Actual
			heap.Push(&events, moment{at: at, worker: e.worker, test: w.index})
		}
		p.Wall = max(p.Wall, at)
		heap.Push(&events, moment{at: at, worker: e.worker, test: -1})
	}
	p.Idle += p.Wall * float64(f.Workers)
	return p
}

// bound is Prediction.Bound.
func bound(tasks []Task, f Fleet) float64 {
	if len(tasks) == 0 || f.Workers == 0 {
		return 0
	}
	sum, longest := 0.0, 0.0
	for _, t := range tasks {
		sum += t.Actual
		longest = max(longest, t.Actual)
	}
	return max(sum/float64(f.Workers), longest) + (f.Startup + f.First).Seconds()
}

// moment is when a worker ends a test, or, with test -1, claims.
type moment struct {
	at           float64
	worker, test int
}

// moments is a heap. At one moment results come before claims.
type moments []moment

func (m moments) Len() int { return len(m) }
func (m moments) Less(i, j int) bool {
	a, b := m[i], m[j]
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(min(b.test, 0), min(a.test, 0)), cmp.Compare(a.worker, b.worker)) < 0
}
func (m moments) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)   { *m = append(*m, x.(moment)) }
func (m *moments) Pop() any {
	last := len(*m) - 1
	x := (*m)[last]
	*m = slices.Delete(*m, last, last+1)
	return x
}

// microseconds are what Redis holds of a duration: 0 if it is not known.
func microseconds(seconds float64) int64 { return batch.Test{Seconds: seconds}.Microseconds() }
