package main

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/runner/runnertest"
)

// TestRunners runs each project of testdata/runners with two workers on a real Redis, and compares every result and problem
// with what the project's want.txt says.
func TestRunners(t *testing.T) {
	t.Parallel()
	for _, p := range runnertest.Projects(t, "../..") {
		modes := []string{"off"}
		if p.Persistent {
			modes = append(modes, "on")
		}
		for _, persistent := range modes {
			t.Run(p.Name+"/persistent="+persistent, func(t *testing.T) {
				p.Need(t)
				t.Parallel()
				w := newWorld(t)
				w.dir = p.Dir
				server := batchtest.StartReal(t)
				args := []string{"run", "--redis-url", "redis://" + server.Addr, "--run-id", "r", "--workers", "2", "--runner", p.Runner,
					"--persistent=" + persistent, "--test-timeout", "6s", "--batch-size", "8", "--"}
				ended := w.run("shardctl", append(args, p.Args...)...)
				rdb := redis.NewClient(&redis.Options{Addr: server.Addr})
				defer rdb.Close()
				got, problems := journaled(t, attach(t, rdb, "r"))
				for id, o := range got {
					p.Check(t, "under shardctl", id, o)
				}
				for id := range p.Want {
					if _, ok := got[id]; !ok {
						t.Errorf("%s has no result", id)
					}
				}
				p.CheckProblems(t, "under shardctl", problems)
				if ended.status != p.Status() {
					t.Errorf("exit status %d, want %d", ended.status, p.Status())
				}
				if t.Failed() {
					t.Logf("exit status %d\n%s%s", ended.status, ended.out, ended.err)
				}
				w.empty()
			})
		}
	}
}

// journaled are the final outcomes and the problems of a run.
func journaled(t *testing.T, q *batch.Queue) (map[string]batch.Outcome, []batch.Problem) {
	t.Helper()
	outcomes := map[string]batch.Outcome{}
	var problems []batch.Problem
	for after := batch.JournalStart; ; {
		events, err := q.Events(t.Context(), after, 1000, -1)
		must(t, err)
		if len(events) == 0 {
			return outcomes, problems
		}
		for _, e := range events {
			switch {
			case e.Type == batch.ProblemFound:
				problems = append(problems, e.Problem)
			case e.Type == batch.Resulted || e.Type == batch.Finish && e.Decision == batch.Final:
				outcomes[e.Test] = e.Outcome
			}
			after = e.ID
		}
	}
}
