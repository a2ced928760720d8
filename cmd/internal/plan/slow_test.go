package plan

import (
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

func TestSlow(t *testing.T) {
	for name, test := range map[string]struct {
		seconds []float64
		workers int
		costs   Costs
		want    string
	}{
		"much slower than the rest":     {seconds: []float64{42, 1, 2, 3, 0}, want: "a"},
		"several":                       {seconds: []float64{60, 1, 30, 1}, workers: 2, want: "ac"},
		"all alike":                     {seconds: []float64{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, want: ""},
		"a quarter of a share":          {seconds: []float64{10, 50, 50, 50}, workers: 4, want: "bcd"},
		"more workers wait for more":    {seconds: []float64{10, 50, 50, 50}, workers: 5, want: "abcd"},
		"not worth it":                  {seconds: []float64{5, 1}, want: ""},
		"less than ten starts":          {seconds: []float64{42, 1}, costs: Costs{Startup: 4.3}, want: ""},
		"less than a first start":       {seconds: []float64{42, 1}, costs: Costs{First: 43}, want: ""},
		"one worker waits for nobody":   {seconds: []float64{42, 1}, workers: 1, want: ""},
		"nothing is known, or no tests": {seconds: []float64{0, 0}, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			var tests []batch.Test
			for i, s := range test.seconds {
				tests = append(tests, batch.Test{ID: string(rune('a' + i)), Seconds: s})
			}
			got := ""
			for _, slow := range Slow(tests, test.workers, test.costs) {
				got += slow.ID
			}
			if got != test.want {
				t.Errorf("%q are slow, want %q", got, test.want)
			}
		})
	}
}

func TestShare(t *testing.T) {
	timings := Timings{Tests: map[string]Record{"a": {Seconds: 30}, "b": {Seconds: 4}}}
	for name, test := range map[string]struct {
		seconds float64
		ids     string
		want    []float64
	}{
		"parts of what is left":              {42, "abcd", []float64{30, 4, 4, 4}},
		"nothing is left":                    {20, "abc", []float64{30, 4, 0}},
		"the file has become faster":         {17, "ab", []float64{15, 2}},
		"nothing is known of the file":       {0, "abc", []float64{30, 4, 0}},
		"nothing is known of the file, of b": {0, "b", []float64{4}},
		"nothing is known of the tests":      {8, "cd", []float64{4, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			var tests []batch.Test
			for _, id := range strings.Split(test.ids, "") {
				tests = append(tests, batch.Test{ID: id})
			}
			timings.Share(test.seconds, tests)
			for i, got := range tests {
				if got.Seconds != test.want[i] {
					t.Errorf("%s takes %v, want %v", got.ID, got.Seconds, test.want[i])
				}
			}
		})
	}
}
