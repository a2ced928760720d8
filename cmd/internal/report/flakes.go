package report

import (
	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/flake"
)

// Flakes returns what the run adds to the history of each test that passed or failed in it. Results that nothing proves add nothing.
func (v Verdict) Flakes() map[string]flake.History {
	adds := map[string]flake.History{}
	for _, j := range v.Tests {
		switch {
		case j.Status == batch.Passed && j.Flaky():
			adds[j.ID] = flake.Flaky()
		case j.Status == batch.Passed:
			adds[j.ID] = flake.Passed()
		case j.failed():
			adds[j.ID] = flake.Failed()
		}
	}
	return adds
}
