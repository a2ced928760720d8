package main

import (
	"slices"
	"testing"
)

// A run that was lost and brought back is stopped as any other when no local worker can work.
func TestLocalWorkersAfterDataLoss(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	flags := s.where("run", "--workers", "1", "--batch-size", "1", "--max-consecutive-failures", "2", "--tests", list(t, "hold", "bad1", "bad2", "late"))
	controller := s.start("shardctl", with(s.template(), flags...)...)
	s.began(1, "hold")
	s.do("FLUSHALL")
	controller.says("bringing it back")
	s.release()
	controller.wait().expect(t, 3, "no local worker can work", "2 tests in a row ended badly on this worker")
	if d := s.look(); !slices.Contains(d.Control, "aborted") {
		t.Errorf("the run is not stopped in Redis: %q", d.Control)
	}
	s.empty()
}
