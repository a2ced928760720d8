package control

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/plan"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// splitting is a runner that knows the tests of some files.
type splitting struct {
	runner.Runner
	of  map[string][]string
	err error
}

func (s splitting) Split(_ context.Context, files []string) (map[string][]batch.Test, error) {
	split := map[string][]batch.Test{}
	for _, file := range files {
		for _, id := range s.of[file] {
			split[file] = append(split[file], batch.Test{ID: id})
		}
	}
	return split, s.err
}

// dividing is what a job knows that divides a list, and what it said.
type dividing struct {
	t     *testing.T
	rdb   redis.UniversalClient
	file  string // of the durations
	r     runner.Runner
	flags []string
	said  strings.Builder
}

func newDividing(t *testing.T, known map[string]float64) *dividing {
	d := &dividing{t: t, file: filepath.Join(t.TempDir(), "timings.json")}
	d.r = splitting{of: map[string][]string{"slow": {"slow::1", "slow::2", "slow::3"}, "single": {"single::1"}}}
	d.timings().record(t.Context(), nil, verdictOf(known), noVariable, slog.New(slog.DiscardHandler))
	return d
}

func noVariable(string) (string, bool) { return "", false }

func (d *dividing) timings() *Timings { return timingsOf(d.t, "--timings", d.file) }

// list returns the list of files as it is divided, and the timings that know it.
func (d *dividing) list(of Division, files ...string) ([]batch.Test, *Timings, error) {
	d.t.Helper()
	d.said.Reset()
	var list List
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	list.Register(flags)
	must(d.t, flags.Parse(d.flags))
	var tests []batch.Test
	for _, file := range files {
		tests = append(tests, batch.Test{ID: file})
	}
	must(d.t, plan.Group(tests, list.group))
	log := slog.New(slog.NewTextHandler(&d.said, nil))
	must(d.t, errors.Join(list.assign(tests, log), putIntoQuarantine(tests, log)))
	of.Runner, of.List = d.r, &list
	timings := d.timings()
	got, _, err := timings.EstimateDivided(d.t.Context(), d.rdb, of, tests, 0, noVariable, log)
	return got, timings, err
}

// expect is list, whose ids have to be these.
func (d *dividing) expect(of Division, want string, files ...string) *Timings {
	d.t.Helper()
	tests, timings, err := d.list(of, files...)
	must(d.t, err)
	if got := strings.Join(batch.Batch{Tests: tests}.IDs(), " "); got != want {
		d.t.Errorf("the list is %s, want %s\n%s", got, want, &d.said)
	}
	return timings
}

// A slow file is replaced by its tests as long as these are slow together.
func TestDivide(t *testing.T) {
	d := newDividing(t, map[string]float64{"slow": 42, "single": 30, "fast": 1})
	tests, timings, err := d.list(Division{}, "slow", "single", "fast")
	must(t, err)
	want := []batch.Test{{ID: "single", Seconds: 30}, {ID: "slow::1", Seconds: 14}, {ID: "slow::2", Seconds: 14}, {ID: "slow::3", Seconds: 14}, {ID: "fast", Seconds: 1}}
	if diff := cmp.Diff(want, tests); diff != "" {
		t.Error(diff)
	}
	if said := d.said.String(); !strings.Contains(said, "slow takes 42s: its 3 tests are listed one by one") || strings.Count(said, "\n") != 1 {
		t.Errorf("it says %s", said)
	}
	log := slog.New(slog.DiscardHandler)
	timings.record(t.Context(), nil, verdictOf(map[string]float64{"slow::1": 20, "slow::2": 0.1}), noVariable, log) // slow::3 did not pass
	d.expect(Division{}, "single slow::3 slow::1 fast slow::2", "slow", "single", "fast")
	fast := map[string]float64{"slow::1": 0.1, "slow::2": 0.1, "slow::3": 0.1, "fast": 1}
	for range 40 {
		timings.record(t.Context(), nil, verdictOf(fast), noVariable, log)
	}
	d.expect(Division{}, "single fast slow", "slow", "single", "fast")
	for range 9 {
		d.timings().record(t.Context(), nil, verdictOf(map[string]float64{"slow": 42}), noVariable, log)
	}
	d.expect(Division{}, "single slow::1 slow::2 slow::3 fast", "slow", "single", "fast")
}

// In doubt a file stays whole.
func TestDivideNothing(t *testing.T) {
	for name, change := range map[string]func(*dividing){
		"the tests are kept together":  func(d *dividing) { d.flags = []string{"--group", "file"} },
		"the list is the user's":       func(d *dividing) { d.flags = []string{"--tests", "x"} },
		"a runner that cannot":         func(d *dividing) { d.r = nil },
		"a runner that finds no tests": func(d *dividing) { d.r = splitting{} },
		"a runner that fails to list": func(d *dividing) {
			d.r = splitting{of: map[string][]string{"slow": {"slow::1", "slow::2"}}, err: errors.New("broken")}
		},
		"durations that cannot be read":  func(d *dividing) { must(d.t, os.WriteFile(d.file, []byte("{"), 0o600)) },
		"a run that did not divide them": func(d *dividing) { d.rdb = batchtest.Embedded(d.t); d.opened("slow", "fast") },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDividing(t, map[string]float64{"slow": 42, "fast": 1})
			change(d)
			d.expect(Division{RunID: "r"}, "slow fast", "slow", "fast")
		})
	}
}

// opened opens the run r with a list.
func (d *dividing) opened(ids ...string) {
	d.t.Helper()
	q, err := batch.Open(d.t.Context(), d.rdb, "r", "list", batch.DefaultOptions())
	must(d.t, err)
	var tests []batch.Test
	for _, id := range ids {
		tests = append(tests, batch.Test{ID: id})
	}
	_, err = q.Enqueue(d.t.Context(), tests)
	must(d.t, err)
}

// A run that is there already decides, whatever the durations say meanwhile; so does the former attempt whose results hold.
func TestDivideAsBefore(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		d := newDividing(t, map[string]float64{"slow": 1, "fast": 42})
		d.rdb = rdb
		d.r = splitting{of: map[string][]string{"slow": {"slow::1", "slow::2"}, "fast": {"fast::1", "fast::2"}}}
		d.opened("slow::1", "slow::2", "fast", "other")
		failed := Rerun{which: rerunFailed, former: []string{"older", "r"}}
		d.expect(Division{RunID: "r"}, "other fast slow::1 slow::2", "slow", "fast", "other")
		if !strings.Contains(d.said.String(), "as in run r") {
			t.Errorf("it says %s", &d.said)
		}
		d.expect(Division{RunID: "next", Rerun: failed}, "other fast slow::1 slow::2", "slow", "fast", "other")
		d.expect(Division{RunID: "next", Rerun: Rerun{which: rerunAll, former: []string{"r"}}}, "other fast::1 fast::2 slow", "slow", "fast", "other")
		d.r = splitting{err: errors.New("broken")}
		if _, _, err := d.list(Division{RunID: "r"}, "slow", "fast", "other"); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("without the list of the run: %v", err)
		}
	})
}

// What holds for a file holds for its tests, unless something is said of them.
func TestDivideInherits(t *testing.T) {
	t.Chdir(t.TempDir())
	until := time.Now().AddDate(0, 0, 7).Format(time.DateOnly)
	must(t, os.WriteFile(".shard.yml", []byte("quarantine:\n  - test: slow\n    owner: anna\n    reason: why\n    until: "+until+"\n"), 0o600))
	d := newDividing(t, map[string]float64{"slow": 42, "fast": 1})
	d.flags = []string{"--gate", "slow=true", "--gate", "slow::2=test -e x"}
	tests, _, err := d.list(Division{}, "slow", "fast")
	must(t, err)
	for _, test := range tests[:3] {
		want := "true"
		if test.ID == "slow::2" {
			want = "test -e x"
		}
		if test.Gate.Command != want || test.Quarantine.Owner != "anna" {
			t.Errorf("%s has %+v, %+v", test.ID, test.Gate, test.Quarantine)
		}
	}
}
