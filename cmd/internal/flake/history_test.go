package flake_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shardctl/shardctl/cmd/internal/flake"
)

// What is kept is what a person expects after some runs, and fades after many.
func TestPlus(t *testing.T) {
	var h flake.History
	if h.Rate() != 0 || h.String() != "" {
		t.Errorf("never ran: %v, %q", h.Rate(), h)
	}
	for range 7 {
		h = h.Plus(flake.Passed())
	}
	h = h.Plus(flake.Flaky()).Plus(flake.Failed()).Plus(flake.Flaky()).Plus(flake.History{})
	if want := (flake.History{Runs: 10, Flaky: 2, Failed: 1}); h != want || h.Rate() != 0.2 {
		t.Errorf("%+v, rate %v", h, h.Rate())
	}
	if got := h.String(); got != "flaky in 2 and failed in 1 of the last 10 runs" {
		t.Error(got)
	}
	for range 1000 {
		h = h.Plus(flake.Passed())
		if h.Runs >= flake.Keep {
			t.Fatalf("%+v", h)
		}
	}
	if h.Rate() > 0 {
		t.Errorf("a test that was mended stays flaky: %+v", h)
	}
}

// The rate is about that of the test, however it fades, and the order of two shards does not matter.
func TestRate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []float64{0, 0.1, 0.5, 1} {
		var h flake.History
		sum, n := 0.0, 0
		for i := range 3000 {
			one := flake.Passed()
			if random.Float64() < rate {
				one = flake.Flaky()
			}
			if a, b := h.Plus(one), one.Plus(h); a != b {
				t.Fatalf("%+v, %+v", a, b)
			}
			if h = h.Plus(one); i > 200 {
				sum, n = sum+h.Rate(), n+1
			}
		}
		if got := sum / float64(n); math.Abs(got-rate) > 0.05 {
			t.Errorf("rate %v is told as %v", rate, got)
		}
	}
}

// Embedded in what else is kept, it takes no room where there is nothing to tell; numbers that make no sense are mended.
func TestJSON(t *testing.T) {
	type record struct {
		Seconds float64 `json:"seconds"`
		flake.History
	}
	for text, want := range map[string]flake.History{
		`{"seconds":1}`:                                  {},
		`{"seconds":1,"runs":10,"flaky":2}`:              {Runs: 10, Flaky: 2},
		`{"seconds":1,"runs":10,"flaky":2,"failed":3}`:   {Runs: 10, Flaky: 2, Failed: 3},
		`{"seconds":1,"runs":-1,"flaky":2}`:              {},
		`{"seconds":1,"runs":4,"flaky":4,"failed":4}`:    {Runs: 4, Failed: 4},
		`{"seconds":1,"runs":1000,"flaky":4,"failed":4}`: {Runs: 62},
	} {
		var r record
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if got := r.Plus(flake.History{}); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
		if back, err := json.Marshal(r); err != nil || string(back) != text {
			t.Errorf("%s becomes %s, %v", text, back, err)
		}
	}
}
