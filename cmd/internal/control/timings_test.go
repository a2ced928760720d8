package control

import (
	"io"
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
	"github.com/shardctl/shardctl/cmd/internal/flake"
	"github.com/shardctl/shardctl/cmd/internal/plan"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

func timingsOf(t *testing.T, args ...string) *Timings {
	t.Helper()
	var timings Timings
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	timings.Register(flags)
	must(t, flags.Parse(args))
	return &timings
}

// verdictOf is that of tests that passed, with their durations.
func verdictOf(seconds map[string]float64) *report.Verdict {
	return verdictOn(time.Unix(1_700_000_000, 0), seconds)
}

// verdictOn is that of a run that began at that time.
func verdictOn(at time.Time, seconds map[string]float64) *report.Verdict {
	h := report.NewHistory()
	var ids []string
	for id := range seconds {
		ids = append(ids, id)
	}
	h.Add(batch.Event{Type: batch.Claimed, Time: at, Worker: "w", Batch: 1, Tests: ids})
	for id, took := range seconds {
		at = at.Add(time.Second)
		h.Add(batch.Event{Type: batch.Finish, Time: at, Worker: "w", Batch: 1, Test: id, Decision: batch.Final,
			Outcome: batch.Outcome{Status: batch.Passed, Seconds: took}})
	}
	results := map[string]batch.Status{}
	for id := range seconds {
		results[id] = batch.Passed
	}
	v := report.Judge(h, report.Ending{RunID: "r", Tests: len(seconds), Results: results, Markers: batch.Markers{Sealed: true, Done: true}})
	return &v
}

// What one run records the next one knows, wherever it is kept; runs at the same time erase nothing of each other.
func TestTimingsFromRunToRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept", "timings.json")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	none := func(string) (string, bool) { return "", false }
	for name, args := range map[string][]string{
		"file": {"--timings", file}, "local": {}, "redis": {"--timings", "redis", "--timings-name", "x/y"}, "off": {"--timings", "off"},
	} {
		t.Run(name, func(t *testing.T) {
			batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
				timings := timingsOf(t, args...)
				timings.record(t.Context(), rdb, verdictOf(map[string]float64{"a": 2}), none, log)
				timings.record(t.Context(), rdb, verdictOf(map[string]float64{"b": 5}), none, log)
				tests := []batch.Test{{ID: "a"}, {ID: "b"}, {ID: "given", Seconds: 9}}
				timingsOf(t, args...).Estimate(t.Context(), rdb, tests, 0, none, log)
				want := []batch.Test{{ID: "given", Seconds: 9}, {ID: "b", Seconds: 5}, {ID: "a", Seconds: 2}}
				if name == "off" {
					want = []batch.Test{{ID: "a"}, {ID: "given", Seconds: 9}, {ID: "b"}}
				}
				if diff := cmp.Diff(want, tests); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// Durations that cannot be read cost speed, not the run.
func TestTimingsThatCannotBeRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "timings.json")
	must(t, os.WriteFile(file, []byte("{"), 0o600))
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	none := func(string) (string, bool) { return "", false }
	tests := []batch.Test{{ID: "a"}, {ID: "b"}}
	timings := timingsOf(t, "--timings", file, "--timings-from", filepath.Join(t.TempDir(), "absent.xml"))
	timings.Estimate(t.Context(), nil, tests, 2, none, log)
	timings.record(t.Context(), nil, verdictOf(map[string]float64{"a": 2}), none, log)
	for _, want := range []string{"cannot be read", "--timings-from", "cannot be recorded"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not said:\n%s", want, &said)
		}
	}
}

func TestTimingsFromJUnit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "junit.xml")
	must(t, os.WriteFile(file, []byte(`<testsuite><testcase classname="p" name="a" time="1.5"/><testcase classname="p" name="b" time="4"/></testsuite>`), 0o600))
	tests := []batch.Test{{ID: "p::a"}, {ID: "p::b"}, {ID: "p::new"}, {ID: "q::c"}}
	must(t, timingsOf(t, "--timings", "off", "--timings-from", file).Fill(tests))
	if diff := cmp.Diff([]batch.Test{{ID: "p::a", Seconds: 1.5}, {ID: "p::b", Seconds: 4}, {ID: "p::new", Seconds: 4}, {ID: "q::c"}}, tests); diff != "" {
		t.Error(diff)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The next run's verdict knows how often a test failed before.
func TestPast(t *testing.T) {
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		none := func(string) (string, bool) { return "", false }
		log := slog.New(slog.DiscardHandler)
		timings := timingsOf(t, "--timings", "redis", "--timings-name", "x/y")
		for run, want := range []flake.History{{}, {Runs: 1}, {Runs: 2}} {
			v := verdictOf(map[string]float64{"a": 2})
			timings.record(t.Context(), rdb, v, none, log)
			if diff := cmp.Diff(map[string]flake.History{"a": want}, v.Past); diff != "" {
				t.Errorf("run %d: %s", run, diff)
			}
		}
	})
}

// Tests that no run knows any more are forgotten, wherever records are kept.
func TestTimingsForget(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	log := slog.New(slog.DiscardHandler)
	batchtest.Each(t, func(t *testing.T, rdb *redis.Client) {
		for _, args := range [][]string{{"--timings", filepath.Join(t.TempDir(), "timings.json")}, {"--timings", "redis", "--timings-name", "x/y"}} {
			timings := timingsOf(t, args...)
			day := time.Unix(1_700_000_000, 0)
			records := func() int {
				known, err := timings.load(t.Context(), rdb)
				must(t, err)
				return len(known.Tests)
			}
			timings.record(t.Context(), rdb, verdictOn(day, map[string]float64{"a": 2, "gone": 2}), none, log)
			for range plan.KeepDays {
				day = day.Add(24 * time.Hour)
				timings.record(t.Context(), rdb, verdictOn(day, map[string]float64{"a": 2}), none, log)
			}
			if n := records(); n != 2 {
				t.Errorf("%q: %d records are left too early", args, n)
			}
			timings.record(t.Context(), rdb, verdictOn(day.Add(24*time.Hour), map[string]float64{"a": 2}), none, log)
			if n := records(); n != 1 {
				t.Errorf("%q: %d records are left", args, n)
			}
		}
	})
}
