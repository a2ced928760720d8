package main

import (
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// Each symptom is told, with what to do; and a run that has none has none.
func TestInspectFindings(t *testing.T) {
	t.Parallel()
	clock := time.UnixMilli(1_000_000_000)
	sealed, open := batch.Markers{Sealed: true}, batch.Markers{}
	live := func(beat int64, held int, running ...string) batch.WorkerState {
		return batch.WorkerState{ID: "w", Info: "host", Beat: beat, Held: held, Open: held > 0, Running: running}
	}
	state := func(m batch.Markers, tests, results, queued int, workers ...batch.WorkerState) batch.State {
		return batch.State{RunID: "r", Markers: m, Tests: tests, Results: results, Queued: queued, Workers: workers}
	}
	started := []batch.Event{{Type: batch.Start, Worker: "w", Test: "t", Time: clock.Add(-time.Second)}}
	for name, test := range map[string]struct {
		before, now batch.State
		recent      []batch.Event
		says        []string // "level subject text"; nothing else is warn or fail
	}{
		"healthy":            {state(sealed, 4, 1, 2, live(1, 1, "t")), state(sealed, 4, 1, 2, live(2, 1, "t")), started, []string{"ok held longest that runs now is t, for 1s", "ok backlog 2 tests wait, and 1 workers"}},
		"done":               {state(batch.Markers{Sealed: true, Done: true}, 4, 4, 0), state(batch.Markers{Sealed: true, Done: true}, 4, 4, 0), nil, []string{"ok end the run is done"}},
		"done with leftover": {state(batch.Markers{Done: true}, 5, 4, 1), state(batch.Markers{Done: true}, 5, 4, 1), nil, []string{"fail end 1 tests are still queued", "warn list open"}},
		"open list":          {state(open, 0, 0, 0), state(open, 0, 0, 0), nil, []string{"warn list enqueue --seal"}},
		"nobody there":       {state(sealed, 4, 0, 4), state(sealed, 4, 0, 4), nil, []string{"fail backlog 4 tests wait and no worker is here: start shardworker"}},
		"all leave": {
			state(sealed, 4, 0, 4, batch.WorkerState{ID: "w", Leaving: true}), state(sealed, 4, 0, 4, batch.WorkerState{ID: "w", Leaving: true, Beat: 1}), nil,
			[]string{"fail backlog no worker is here"},
		},
		"nobody takes":   {state(sealed, 4, 0, 4, live(1, 0)), state(sealed, 4, 0, 4, live(2, 0)), nil, []string{"fail backlog take none"}},
		"stands still":   {state(sealed, 4, 3, 0, live(7, 1)), state(sealed, 4, 3, 0, live(7, 1)), nil, []string{"fail workers w (host) gave no sign of life for 3s and holds 1 tests"}},
		"nobody ends it": {state(sealed, 4, 4, 0), state(sealed, 4, 4, 0), nil, []string{"fail end shardctl wait"}},
		"lost":           {state(sealed, 4, 1, 1), state(sealed, 4, 1, 1), nil, []string{"fail places 2 tests have no result", "fail backlog no worker"}},
		"moving":         {state(sealed, 4, 1, 2, live(1, 0)), state(sealed, 4, 1, 3, live(2, 0)), nil, []string{"fail backlog take none"}},
		"hangs": {
			state(sealed, 1, 0, 0, live(1, 1, "t")), state(sealed, 1, 0, 0, live(2, 1, "t")),
			[]batch.Event{{Type: batch.Start, Worker: "w", Test: "t", Time: clock.Add(-time.Hour)}}, []string{"warn held t runs on w for 1h0m0s: --test-timeout"},
		},
		"aborted": {
			state(batch.Markers{Sealed: true, Aborted: true}, 2, 0, 2),
			batch.State{Markers: batch.Markers{Sealed: true, Aborted: true}, Tests: 2, Queued: 2, Abortion: batch.Abortion{Why: "why", Who: "who"}}, nil,
			[]string{"warn list aborted by who: why; 0 of 2"},
		},
		"gate refuses all": {
			state(sealed, 1, 0, 0, live(1, 0)),
			batch.State{RunID: "r", Markers: sealed, Tests: 1, Workers: []batch.WorkerState{live(2, 0)}, Gates: []batch.GateState{{Gate: batch.Gate{Name: "gpu"}, Queued: 1, Refused: []string{"w"}}}},
			nil, []string{`warn gates 1 tests wait behind gate "gpu", which refuses all`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := look{before: test.before, now: test.now, watched: 3 * time.Second, lease: 15 * time.Second, recent: test.recent, clock: clock}
			left := map[batch.Finding]bool{}
			for _, f := range l.findings() {
				left[f] = true
			}
			for _, want := range test.says {
				words := strings.SplitN(want, " ", 3)
				found := false
				for f := range left {
					if string(f.Level) == words[0] && f.Subject == words[1] && strings.Contains(f.Text, words[2]) {
						delete(left, f)
						found = true
						break
					}
				}
				if !found {
					t.Errorf("it does not say %q", want)
				}
			}
			for f := range left {
				if f.Level != batch.Fine || t.Failed() {
					t.Errorf("it says %q", f)
				}
			}
		})
	}
}

// inspect names a real run's keys, and is green on a run that is done; without the run it names those that are there.
func TestInspect(t *testing.T) {
	t.Parallel()
	rdb := batchtest.Real(t)
	url := "redis://" + rdb.Options().Addr
	where := []string{"--redis-url", url, "--run-id", "team/1"}
	shardctl(t, append([]string{"inspect"}, where...)...).expect(t, 3, "Redis holds no key of it", "nor of any other run")
	shardctl(t, append([]string{"enqueue", "--tests", list(t, "a", "b")}, where...)...).expect(t, 0)
	shardctl(t, append([]string{"inspect"}, where...)...).expect(t, 3,
		"\n{shard:team/1}  list of 2\n", "{shard:team/1}_tests  hash of 2", "LRANGE '{shard:team/1}' 0 9",
		"warn  list", "fail  backlog", "ok    places")
	shardctl(t, "inspect", "--redis-url", url, "--run-id", "team/2").expect(t, 3, "like names first: team/1")
	shardctl(t, append([]string{"enqueue", "--seal", "--tests", list(t, "a")}, where...)...).expect(t, 0)
	must(t, rdb.Del(t.Context(), "{shard:team/1}_run").Err())
	shardctl(t, append([]string{"inspect"}, where...)...).expect(t, 3, "fail  data", "Redis lost some of it")
}

// inspect of a run that is done finds nothing wrong and no test left in any queue; a password is nowhere in what it prints.
func TestInspectDone(t *testing.T) {
	t.Parallel()
	server := batchtest.StartReal(t, "--requirepass", "hunter2")
	where := []string{"--redis-url", "redis://:hunter2@" + server.Addr, "--run-id", "r"}
	template := fake(t, "-junit", "{junit}", "-stdin")
	shardctl(t, with(template, append([]string{"run", "--workers", "1", "--tests", list(t, "a", "b")}, where...)...)...).expect(t, 0)
	r := shardctl(t, append([]string{"inspect"}, where...)...).expect(t, 0, "export REDISCLI_AUTH", "ok    end", "queues and sets are empty", "set of 2")
	for _, line := range strings.Split(r.out, "\n") {
		if strings.HasPrefix(line, "{shard:r}  list") || strings.HasPrefix(line, "{shard:r}_worker_") {
			t.Errorf("left: %s", line)
		}
	}
	silentAbout(t, r, "hunter2")
}
