package plan

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/flake"
)

func TestLearn(t *testing.T) {
	r := Record{}.Learn(2)
	if r.Seconds != 2 {
		t.Errorf("the first duration: %v", r)
	}
	for range 50 {
		r = r.Learn(4)
	}
	if math.Abs(r.Seconds-4) > 0.01 {
		t.Errorf("after many runs of 4s: %v", r)
	}
	if r = r.Learn(4000); r.Seconds > 8 {
		t.Errorf("one machine that hung makes it %v", r)
	}
}

func TestTimings(t *testing.T) {
	timings, err := ParseTimings(nil)
	check(t, err)
	timings.Learn(Measured{Results: map[string]flake.History{"never::passed": flake.Failed(), "b": flake.Flaky()}})
	timings.Learn(Measured{Seconds: map[string]float64{"a::one": 1, "a::two": 3, "a::three": 2, "b": 7}, Startup: 250 * time.Millisecond})
	text, err := json.Marshal(timings)
	check(t, err)
	again, err := ParseTimings(text)
	check(t, err)
	if diff := cmp.Diff(timings, again); diff != "" {
		t.Error(diff)
	}
	if again.Costs.Startup != 0.25 {
		t.Errorf("start-up %v", again.Costs.Startup)
	}
	if again.Tests["b"].Flaky != 1 || again.Tests["never::passed"].Failed != 1 {
		t.Errorf("the history of results: %+v", again.Tests)
	}
	tests := []batch.Test{{ID: "a::one"}, {ID: "a::new"}, {ID: "b", Seconds: 9}, {ID: "stranger"}, {ID: "never::passed"}}
	if unknown := again.Estimate(tests); unknown != 2 {
		t.Errorf("%d are unknown", unknown)
	}
	want := []batch.Test{{ID: "a::one", Seconds: 1}, {ID: "a::new", Seconds: 2}, {ID: "b", Seconds: 9}, {ID: "stranger"}, {ID: "never::passed"}}
	if diff := cmp.Diff(want, tests); diff != "" {
		t.Error(diff)
	}
	for _, broken := range []string{"{", `[]`, `{"version": 7}`, "<html>"} {
		if _, err := ParseTimings([]byte(broken)); err == nil {
			t.Errorf("%s is taken for timings", broken)
		}
	}
}

func TestOrder(t *testing.T) {
	tests := []batch.Test{{ID: "u1"}, {ID: "a", Seconds: 1}, {ID: "b", Seconds: 5}, {ID: "u2"}, {ID: "c", Seconds: 1}, {ID: "d", Seconds: 3}}
	Order(tests)
	got := batch.Batch{Tests: tests}.IDs()
	if diff := cmp.Diff([]string{"u1", "b", "u2", "d", "a", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSplit(t *testing.T) {
	tests := []batch.Test{{ID: "a", Seconds: 1}, {ID: "b", Seconds: 5}, {ID: "u"}, {ID: "c", Seconds: 1}, {ID: "d", Seconds: 3}}
	for total := 1; total <= 7; total++ {
		seen := map[string]int{}
		for index := range total {
			for _, x := range Split(tests, index, total) {
				seen[x.ID]++
			}
		}
		for _, x := range tests {
			if seen[x.ID] != 1 {
				t.Errorf("%d shards: %s is in %d of them", total, x.ID, seen[x.ID])
			}
		}
	}
	if got := (batch.Batch{Tests: Split(tests, 0, 2)}).IDs(); len(got) != 2 || got[0] != "a" && got[0] != "b" {
		t.Errorf("the first of two: %q", got)
	}
}

func TestSimulate(t *testing.T) {
	none := Simulate(nil, Fleet{Workers: 3})
	if none.Wall != 0 || none.Batches != 0 || none.Longest != -1 {
		t.Errorf("without tests: %+v", none)
	}
	tasks := []Task{{Expected: 4, Actual: 4}, {Expected: 3, Actual: 3}, {Expected: 2, Actual: 2}, {Expected: 1, Actual: 1}}
	p := Simulate(tasks, Fleet{Workers: 2, Announced: true, Startup: time.Second})
	if p.Wall != 6 || p.Bound != 6 || p.Busy != 10 || p.Longest != 0 {
		t.Errorf("%+v", p)
	}
	one := Simulate(tasks, Fleet{Workers: 1, Announced: true})
	if math.Abs(one.Wall-10) > 1e-9 || math.Abs(one.Idle) > 1e-9 {
		t.Errorf("%+v", one)
	}
}

func TestGroup(t *testing.T) {
	for by, want := range map[string][]string{
		"":          {"", "", ""},
		"none":      {"", "", ""},
		"file":      {"a.py", "a.py", "b.py"},
		"class":     {"a.py::C", "a.py", "b.py::D"},
		"one":       {"one", "", ""},
		"::(.*?)::": {"C", "two[x", "D"},
	} {
		tests := []batch.Test{{ID: "a.py::C::one"}, {ID: "a.py::two[x::y]"}, {ID: "b.py::D::three"}}
		check(t, Group(tests, by))
		var got []string
		for _, x := range tests {
			got = append(got, x.Group)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", by, diff)
		}
	}
	if err := Group(nil, "("); err == nil {
		t.Error("( is taken for an expression")
	}
	tests := []batch.Test{{ID: "1", Group: "g", Seconds: 1}, {ID: "2", Seconds: 3}, {ID: "3", Group: "g", Seconds: 1}, {ID: "4", Group: "h", Seconds: 4}}
	Order(tests)
	if diff := cmp.Diff([]string{"4", "2", "1", "3"}, (batch.Batch{Tests: tests}).IDs()); diff != "" {
		t.Error(diff)
	}
	for index := range 3 {
		part := (batch.Batch{Tests: Split(tests, index, 3)}).IDs()
		if slices.Contains(part, "1") != slices.Contains(part, "3") {
			t.Errorf("a group is split: %q", part)
		}
	}
}
