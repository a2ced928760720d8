package quarantine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/quarantine"
)

func entry(t *testing.T, pattern, owner, until string, line int) quarantine.Entry {
	t.Helper()
	p, err := gate.ParsePattern(pattern)
	if err != nil {
		t.Fatal(err)
	}
	day, err := time.Parse(quarantine.Layout, until)
	if err != nil {
		t.Fatal(err)
	}
	return quarantine.Entry{Tests: p, Owner: owner, Reason: "why", Until: day, Line: line}
}

// An entry holds to the end of its last day, in UTC; the first that holds decides.
func TestRules(t *testing.T) {
	entries := []quarantine.Entry{
		entry(t, "a::*", "anna", "2026-03-01", 2),
		entry(t, "/::X$/", "ben", "2026-12-31", 3),
		entry(t, "z::Y", "carl", "2026-12-31", 4),
		entry(t, "z::Z", "dora", "2026-01-31", 5),
	}
	ben, anna := batch.Quarantine{Owner: "ben", Reason: "why", Until: "2026-12-31"}, batch.Quarantine{Owner: "anna", Reason: "why", Until: "2026-03-01"}
	gone := []string{
		`.shard.yml:4: the quarantine of "z::Y" (carl) fits no test of this list: is it spelled right, or is the test gone?`,
		`.shard.yml:5: the quarantine of "z::Z" (dora) ended with 2026-01-31 and fits no test of this list: remove it`,
	}
	for now, want := range map[string]struct {
		of       map[string]batch.Quarantine
		warnings []string
	}{
		"2026-03-01T23:59:59.9Z":    {map[string]batch.Quarantine{"a::X": anna, "a::Y": anna, "b::X": ben, "b::Y": {}}, gone},
		"2026-03-01T23:59:59-03:00": {map[string]batch.Quarantine{"a::X": ben, "a::Y": {}}, nil},
		"2026-03-02T00:00:00Z": {map[string]batch.Quarantine{"a::X": ben, "a::Y": {}, "b::X": ben}, append([]string{
			`.shard.yml:2: the quarantine of "a::*" (anna) ended with 2026-03-01: its failures fail the run again; mend what it fits, 2 tests, or give it another day`,
		}, gone...)},
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		rules := quarantine.NewRules(entries, at)
		for id, q := range want.of {
			if got := rules.Of(id); got != q {
				t.Errorf("%s: %s is in %+v", now, id, got)
			}
		}
		if diff := cmp.Diff(want.warnings, rules.Warnings()); want.warnings != nil && diff != "" {
			t.Errorf("%s: %s", now, diff)
		}
	}
}
