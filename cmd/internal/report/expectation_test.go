package report

import (
	"fmt"
	"testing"
	"time"
)

func TestTimeLeft(t *testing.T) {
	now := testEpoch
	ago := func(s float64) time.Time { return now.Add(-time.Duration(s * float64(time.Second))) }
	known := func(n int, seconds float64) map[string]float64 {
		m := map[string]float64{}
		for i := range n {
			m[fmt.Sprint(i)] = seconds
		}
		return m
	}
	for name, c := range map[string]struct {
		seconds map[string]float64
		total   int
		done    int
		busy    time.Duration
		present []running
		workers int
		want    string // "": unknown
	}{
		"nothing known, nothing done":          {total: 10, workers: 2},
		"nothing known, too little done":       {total: 10, done: 4, busy: 8 * time.Second, workers: 2},
		"nothing known, enough done":           {total: 10, done: 5, busy: 10 * time.Second, workers: 1, want: "10s"},
		"two workers":                          {total: 10, done: 5, busy: 10 * time.Second, workers: 2, want: "5s"},
		"more workers than tests":              {total: 10, done: 8, busy: 16 * time.Second, workers: 50, want: "2s"},
		"all known, nothing done":              {seconds: known(10, 3), total: 10, workers: 3, want: "10s"},
		"half known, nothing done":             {seconds: known(5, 3), total: 10, workers: 3},
		"most known, the rest as their mean":   {seconds: known(8, 3), total: 10, workers: 3, want: "10s"},
		"all known, twice as slow as expected": {seconds: known(10, 3), total: 10, done: 5, busy: 30 * time.Second, workers: 1, want: "30s"},
		"what runs is counted":                 {seconds: known(10, 3), total: 10, workers: 1, present: []running{{3, ago(2)}}, want: "28s"},
		"never less than the longest test":     {seconds: map[string]float64{"0": 60, "1": 1}, total: 2, workers: 2, present: []running{{60, ago(10)}}, want: "50s"},
		"a test that takes longer than ever":   {seconds: known(1, 3), total: 1, workers: 1, present: []running{{3, ago(10)}}, want: "0s"},
		"nobody works":                         {seconds: known(10, 3), total: 10},
		"nothing left":                         {seconds: known(5, 3), total: 5, done: 5, busy: 15 * time.Second, workers: 1},
		"the list grows":                       {seconds: known(2, 3), total: 0, done: 2, busy: 6 * time.Second, workers: 1},
	} {
		e := newExpectation(c.seconds)
		for i := range c.done {
			e.finished(fmt.Sprint(i))
		}
		left, ok := e.left(c.total, c.busy, now, c.present, c.workers)
		if got := left.Round(time.Millisecond).String(); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: %s, %v, want %q", name, got, ok, c.want)
		}
	}
}
