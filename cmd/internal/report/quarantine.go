package report

import (
	"fmt"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// Excused says that the test failed, crashed or ran out of time, and that its quarantine keeps this from failing the run. A test in
// quarantine that was lost, found no worker, or of whose failure the journal knows nothing, is as red as any other: nobody knows that
// it ran.
func (j Judged) Excused() bool {
	return j.failed() && !j.Quarantine.None() && slices.ContainsFunc(j.Attempts, (*Attempt).failed)
}

func (j Judged) failed() bool {
	switch j.Status {
	case batch.Failed, batch.Crashed, batch.Timeout:
		return true
	}
	return false
}

// Failed returns the tests that failed, crashed or ran out of time, by id, less those that are Excused.
func (v Verdict) Failed() []Judged {
	return v.where(func(j Judged) bool { return j.failed() && !j.Excused() })
}

// Excused returns the tests whose failure does not fail the run, by id.
func (v Verdict) Excused() []Judged { return v.where(Judged.Excused) }

// Quarantined returns the tests in quarantine, whatever they came to, by id.
func (v Verdict) Quarantined() []Judged {
	return v.where(func(j Judged) bool { return !j.Quarantine.None() })
}

func (v Verdict) where(holds func(Judged) bool) []Judged {
	var some []Judged
	for _, j := range v.Tests {
		if holds(j) {
			some = append(some, j)
		}
	}
	return some
}

// quarantineWords says what a quarantine is: "until 2026-12-31, see anna: waits for the new driver".
func quarantineWords(q batch.Quarantine) string {
	text := "until " + first(message(q.Until), "further notice")
	if q.Owner != "" {
		text += ", see " + name(q.Owner)
	}
	return text + withMessage(q.Reason)
}

// quarantined tells of the tests in quarantine: first of those that failed.
func (t verdictText) quarantined() {
	all, failed := t.v.Quarantined(), t.v.Excused()
	if len(all) == 0 {
		return
	}
	t.begin(fmt.Sprintf("In quarantine, which keeps failures from failing the run: %d, of which failed: %d", len(all), len(failed)), true)
	t.each(failed, func(i int, j Judged) {
		t.printf("  %d. %s\n", i, name(j.ID))
		t.printf("     in quarantine %s\n", quarantineWords(j.Quarantine))
		t.evidence(j)
	})
	others := slices.DeleteFunc(all, Judged.Excused)
	for i, j := range others {
		if i == maxInFull {
			t.printf("  - and %d more that did not fail\n", len(others)-i)
			break
		}
		t.printf("  - %s %s, %s\n", name(j.ID), verb(j.Status), quarantineWords(j.Quarantine))
	}
	t.end()
}
