package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/cmd/internal/flake"
)

func TestFlakes(t *testing.T) {
	h := run("a passed final", "b failed requeued", "b passed final", "c failed final", "d skipped final", "e unexecuted final", "f crashed final")
	v := Judge(h, Ending{Tests: 7, Markers: over, Missing: []string{"h"}, Results: results{
		"a": "passed", "b": "passed", "c": "failed", "d": "skipped", "e": "lost", "f": "crashed", "g": "passed"}})
	want := map[string]flake.History{"a": flake.Passed(), "b": flake.Flaky(), "c": flake.Failed(), "f": flake.Failed()}
	if diff := cmp.Diff(want, v.Flakes()); diff != "" {
		t.Error(diff)
	}
}
