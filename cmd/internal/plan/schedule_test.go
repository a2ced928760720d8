package plan

import (
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

var scheduleSeeds = flag.Int("schedule-seeds", 1, "how often each row of the table of schedules is simulated, with other noise")

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
	slices.SortFunc(tests, func(a, b batch.Test) int { return compareStrings(a.ID, b.ID) })
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

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// The others. Each returns the wall time.

// greedy is a queue from which whoever is free takes size tests.
func greedy(tasks []Task, f Fleet, size int) float64 {
	free := make([]float64, f.Workers)
	for part := range slices.Chunk(tasks, size) {
		first := 0
		for w := range free {
			if free[w] < free[first] {
				first = w
			}
		}
		free[first] += f.Startup.Seconds()
		for _, t := range part {
			free[first] += t.Actual
		}
	}
	return slices.Max(free)
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
	expected, actual := make([]float64, f.Workers), make([]float64, f.Workers)
	for i, t := range tasks {
		w := i % f.Workers
		if byTime {
			w = 0
			for j := range expected {
				if expected[j] < expected[w] {
					w = j
				}
			}
		}
		expected[w] += max(t.Expected, mean*b2f(t.Expected == 0))
		if actual[w] == 0 {
			actual[w] = f.Startup.Seconds()
		}
		actual[w] += t.Actual
	}
	return slices.Max(actual)
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// TestSchedules compares the rule with the others, on recorded suites, for 2 to 256 workers and 0.05 to 1 s of start-up.
func TestSchedules(t *testing.T) {
	names := []string{"ours", "one test a claim", "10 a claim", "50 a claim", "static by time", "static by count"}
	sum, worst := make([]float64, len(names)), make([]float64, len(names))
	rows, beaten := 0.0, 0
	for _, s := range suites(t) {
		for _, workers := range []int{2, 4, 8, 16, 32, 64, 128, 256} {
			for _, startup := range []time.Duration{50, 200, 500, 1000} {
				f := Fleet{Workers: workers, Announced: true, Startup: startup * time.Millisecond}
				ratio := make([]float64, len(names))
				for seed := range uint64(*scheduleSeeds) {
					tasks := s.tasks(seed + 1)
					b := bound(tasks, f) * float64(*scheduleSeeds)
					for i, wall := range []float64{Simulate(tasks, f).Wall, greedy(tasks, f, 1), greedy(tasks, f, 10), greedy(tasks, f, 50),
						static(tasks, f, true), static(tasks, f, false)} {
						ratio[i] += wall / b
					}
				}
				rows++
				best := slices.Min(ratio[1:])
				note := ""
				if ratio[0] > best*1.02 {
					beaten++
					note = "  beaten"
				}
				line := fmt.Sprintf("%-18s %4d workers %5v", s.name, workers, f.Startup)
				for i, r := range ratio {
					sum[i] += r
					worst[i] = max(worst[i], r)
					line += fmt.Sprintf(" %6.3f", r)
				}
				t.Log(line + note)
			}
		}
	}
	for i, name := range names {
		t.Logf("%-18s mean %.3f, worst %.3f", name, sum[i]/rows, worst[i])
	}
	t.Logf("beaten by more than 2 %% in %d of %.0f rows", beaten, rows)
}
