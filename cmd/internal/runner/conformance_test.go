package runner

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/runner/runnertest"
)

// TestProjects lists each project of testdata/runners and runs each of its units alone. cmd/shardctl runs them in batches.
func TestProjects(t *testing.T) {
	for _, p := range runnertest.Projects(t, "../../..") {
		t.Run(p.Name, func(t *testing.T) {
			p.Need(t)
			t.Chdir(p.Dir)
			r, err := New(Options{Name: p.Runner, Args: p.Args})
			if err != nil {
				t.Fatal(err)
			}
			if closer, ok := r.(io.Closer); ok {
				defer closer.Close()
			}
			tests, err := r.(Lister).List(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			ids := batch.Batch{Tests: tests}.IDs()
			if diff := cmp.Diff(slices.Sorted(maps.Keys(p.Want)), slices.Sorted(slices.Values(ids))); diff != "" {
				t.Errorf("the list: -want +got\n%s", diff)
			}
			// Several at a time, as local workers do: most of the time is spent waiting for runners that start, or hang.
			var all sync.WaitGroup
			turn := make(chan struct{}, 4)
			for _, test := range tests {
				turn <- struct{}{}
				all.Go(func() {
					p.Check(t, "alone", test.ID, runAlone(t, r, test))
					<-turn
				})
			}
			all.Wait()
		})
	}
}

// runAlone runs one unit as from the requeue, and expects one Finish, after at most one Start.
func runAlone(t *testing.T, r Runner, test batch.Test) (o batch.Outcome) {
	t.Helper()
	var told []string
	job := Job{Batch: batch.Batch{Number: 1, Alone: true, Tests: []batch.Test{test}}, Limits: Limits{Test: 6 * time.Second, Grace: time.Second}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := r.Run(ctx, job, func(events ...batch.Event) {
		for _, e := range events {
			if e.Type == batch.ProblemFound {
				continue // the run as a whole tells of them
			}
			told = append(told, fmt.Sprintf("%s %s", e.Type, e.Test))
			if e.Type == batch.Finish {
				o = e.Outcome
			}
		}
	})
	if err != nil {
		t.Errorf("alone: %s: %v", test.ID, err)
	}
	start, finish := fmt.Sprintf("%s %s", batch.Start, test.ID), fmt.Sprintf("%s %s", batch.Finish, test.ID)
	if !slices.Equal(told, []string{start, finish}) && !slices.Equal(told, []string{finish}) {
		t.Errorf("alone: %s: %q", test.ID, told)
	}
	return o
}
