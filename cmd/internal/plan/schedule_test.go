package plan

import (
	"cmp"
	"container/heap"
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

var (
	scheduleSeeds = flag.Int("schedule-seeds", 1, "how often each row of the table of schedules is simulated, with other noise")
	schedulePlot  = flag.String("schedule-plot", "", "where TestSchedules writes its plot, as SVG")
)

// recorded is a suite with durations: what is known before the run, and what then happens.
type recorded struct {
	name           string
	history, truth map[string]float64
}

// suites are recorded runs of real ones. Those that ran twice have the first run as history and the second as truth.
func suites(t testing.TB) []recorded {
	load := func(name string) map[string]float64 {
		file, err := os.Open(filepath.Join("../../../testdata/timings", name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		rows, err := csv.NewReader(file).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		seconds := map[string]float64{}
		for _, row := range rows[1:] {
			if seconds[row[0]], err = strconv.ParseFloat(row[1], 64); err != nil {
				t.Fatal(err)
			}
		}
		return seconds
	}
	skewed := map[string]float64{}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		skewed[fmt.Sprint(i)] = math.Exp(rng.NormFloat64()*1.8) * 0.05
	}
	var all []recorded
	for _, pair := range [][2]string{{"gostd", "gostd"}, {"gostd", "gostd-run2"}, {"networkx", "networkx"}, {"networkx", "networkx-rand"},
		{"sympy-sub", "sympy-sub"}, {"sympy-sub", "sympy-sub-rand"}, {"rspec-core", "rspec-core"}} {
		all = append(all, recorded{pair[1], load(pair[0]), load(pair[1])})
		if pair[0] == pair[1] {
			all[len(all)-1].name += " itself"
		}
	}
	return append(all, recorded{"skewed", skewed, skewed})
}

// tasks are a suite's in the order of the queue, with 30 % noise and 5 % of them unknown.
func (s recorded) tasks(seed uint64) []Task {
	rng := rand.New(rand.NewPCG(seed, 9))
	var tests []batch.Test
	actual := map[string]float64{}
	for id, seconds := range s.truth {
		tests = append(tests, batch.Test{ID: id})
		actual[id] = seconds
	}
	slices.SortFunc(tests, func(a, b batch.Test) int { return cmp.Compare(a.ID, b.ID) })
	for i := range tests {
		id := tests[i].ID
		const own = 0.0003 // what a runner takes for a test that does nothing
		actual[id] = (actual[id] + own) * math.Exp(rng.NormFloat64()*0.3-0.045)
		if seconds, ok := s.history[id]; ok && rng.Float64() >= 0.05 {
			tests[i].Seconds = seconds + own
		}
	}
	Order(tests)
	tasks := make([]Task, len(tests))
	for i, t := range tests {
		tasks[i] = Task{Expected: t.Seconds, Actual: actual[t.ID]}
	}
	return tasks
}

// The others. Each returns the wall time.

// greedy is a queue from which whoever is free takes size tests.
func greedy(tasks []Task, f Fleet, size int) float64 {
	free := newLoads(f.Workers)
	for part := range slices.Chunk(tasks, size) {
		took := f.Startup.Seconds()
		for _, t := range part {
			took += t.Actual
		}
		free.add(took)
	}
	return free.most
}

// static gives each worker a list at the start, of as many tests as the others or of as much expected time.
func static(tasks []Task, f Fleet, byTime bool) float64 {
	mean, known := 0.0, 0.0
	for _, t := range tasks {
		mean += t.Expected
		if t.Expected > 0 {
			known++
		}
	}
	mean /= known
	expected, actual := newLoads(f.Workers), make([]float64, f.Workers)
	for i, t := range tasks {
		w := i % f.Workers
		if byTime {
			w = expected.add(max(t.Expected, mean*b2f(t.Expected == 0)))
		}
		if actual[w] == 0 {
			actual[w] = f.Startup.Seconds()
		}
		actual[w] += t.Actual
	}
	return slices.Max(actual)
}

// loads are what workers have to do, as a heap: the first has least.
type loads struct {
	workers []load
	most    float64
}

type load struct {
	seconds float64
	worker  int
}

func newLoads(workers int) *loads {
	l := &loads{}
	for w := range workers {
		l.workers = append(l.workers, load{0, w})
	}
	return l
}

// add gives the worker with the least to do more, and returns which one it is.
func (l *loads) add(seconds float64) int {
	l.workers[0].seconds += seconds
	l.most = max(l.most, l.workers[0].seconds)
	worker := l.workers[0].worker
	heap.Fix(l, 0)
	return worker
}

func (l *loads) Len() int { return len(l.workers) }
func (l *loads) Less(i, j int) bool {
	a, b := l.workers[i], l.workers[j]
	return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.worker, b.worker)) < 0
}
func (l *loads) Swap(i, j int) { l.workers[i], l.workers[j] = l.workers[j], l.workers[i] }
func (l *loads) Push(any)      {}
func (l *loads) Pop() any      { return nil }

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

var strategies = []string{"ours", "one test a claim", "10 a claim", "50 a claim", "static by time", "static by count"}

// TestSchedules compares the rule with the others, on recorded suites, for 2 to 256 workers and 0.05 to 1 s of start-up. What it
// asserts is what the rule comes to, and not to be lost.
func TestSchedules(t *testing.T) {
	sum, worst := make([]float64, len(strategies)), make([]float64, len(strategies))
	fleets := []int{2, 4, 8, 16, 32, 64, 128, 256}
	byWorkers := make([][]float64, len(strategies)) // the mean for each of fleets
	for i := range byWorkers {
		byWorkers[i] = make([]float64, len(fleets))
	}
	rows, beaten := 0.0, 0
	startups := []time.Duration{50, 200, 500, 1000}
	recordings := suites(t)
	for _, s := range recordings {
		for w, workers := range fleets {
			for _, startup := range startups {
				f := Fleet{Workers: workers, Announced: true, Startup: startup * time.Millisecond}
				ratio := make([]float64, len(strategies))
				for seed := range uint64(*scheduleSeeds) {
					tasks := s.tasks(seed + 1)
					b := bound(tasks, f) * float64(*scheduleSeeds)
					for i, wall := range []float64{Simulate(tasks, f).Wall, greedy(tasks, f, 1), greedy(tasks, f, 10), greedy(tasks, f, 50),
						static(tasks, f, true), static(tasks, f, false)} {
						ratio[i] += wall / b
					}
				}
				rows++
				note := ""
				if ratio[0] > slices.Min(ratio[1:])*1.02 {
					beaten++
					note = "  beaten"
				}
				line := fmt.Sprintf("%-18s %4d workers %5v", s.name, workers, f.Startup)
				for i, r := range ratio {
					sum[i] += r
					worst[i] = max(worst[i], r)
					byWorkers[i][w] += r / float64(len(startups)*len(recordings))
					line += fmt.Sprintf(" %6.3f", r)
				}
				t.Log(line + note)
			}
		}
	}
	for i, name := range strategies {
		t.Logf("%-18s mean %.3f, worst %.3f", name, sum[i]/rows, worst[i])
	}
	t.Logf("beaten by more than 2 %% in %d of %.0f rows", beaten, rows)
	if mean := sum[0] / rows; mean > 1.06 || worst[0] > 1.5 || *scheduleSeeds == 3 && (mean > 1.04 || worst[0] > 1.28 || beaten > 3) {
		t.Errorf("the rule has become worse: mean %.3f, worst %.3f, beaten %d times", mean, worst[0], beaten)
	}
	for i := range strategies[1:] {
		if sum[i+1] < sum[0] {
			t.Errorf("%s is better", strategies[i+1])
		}
	}
	if *schedulePlot != "" {
		check(t, os.WriteFile(*schedulePlot, plot(fleets, strategies, byWorkers), 0o644))
	}
}
