package cli

import (
	"errors"
	"testing"
	"time"

	"github.com/shardctl/shardctl/cmd/internal/gate"
)

func TestAtLeast(t *testing.T) {
	if err := errors.Join(AtLeast("n", 1, 1), AtLeast("n", 0, 0), AtLeast("d", time.Second, time.Millisecond)); err != nil {
		t.Error(err)
	}
	err := errors.Join(AtLeast("gate-cache-size", 0, 1), AtLeast("ok", 1, 1), AtLeast("gate-timeout", -time.Second, 0), AtLeast("d", 0, time.Second))
	const want = "--gate-cache-size 0: it must be at least 1 (it may come from SHARD_GATE_CACHE_SIZE)\n" +
		"--gate-timeout -1s: it cannot be negative (it may come from SHARD_GATE_TIMEOUT)\n" +
		"--d 0s: it must be at least 1s (it may come from SHARD_D)"
	if err == nil || err.Error() != want || Status(err) != StatusUsage {
		t.Errorf("%v, exit status %d", err, Status(err))
	}
}

func TestHowNamesAllThatIsBad(t *testing.T) {
	err := (&How{Gates: gate.DefaultSettings(), Persistent: "auto", BatchSize: -1, TestTimeout: 1, StopTimeout: -1}).Apply()
	const want = "--batch-size -1: it cannot be negative (it may come from SHARD_BATCH_SIZE)\n" +
		"--stop-timeout -1ns: it cannot be negative (it may come from SHARD_STOP_TIMEOUT)"
	if err == nil || err.Error() != want {
		t.Error(err)
	}
}
