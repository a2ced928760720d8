package control

import (
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

// Budgets are the flags that become the options of a run when it is opened.
type Budgets struct {
	retries, maxRetriesTotal, maxCrashes, maxLosses, expectWorkers int
	lease                                                          time.Duration
}

// Register declares the flags.
func (b *Budgets) Register(flags *pflag.FlagSet) {
	d := batch.DefaultOptions()
	flags.IntVar(&b.retries, "retries", d.Retries, "how often a failed test runs again, alone; passing then makes it flaky, not failed (default 0)")
	flags.IntVar(&b.maxRetriesTotal, "max-retries-total", d.MaxRetriesTotal, "how many retries all failed tests of the run may have together; then failures are final; 0: no limit")
	flags.IntVar(&b.maxCrashes, "max-crashes", d.MaxCrashes, "give a test up after it crashed its runner or timed out so often")
	flags.IntVar(&b.maxLosses, "max-losses", d.MaxLosses, "give a test up after so many workers died while they ran it")
	flags.IntVar(&b.expectWorkers, "expect-workers", d.ExpectWorkers, "how many workers will come, so that the first ones leave enough for the others (default: unknown)")
	flags.DurationVar(&b.lease, "lease", d.Lease, "how long a worker may give no sign of life before its tests run elsewhere")
}

// Options checks the flags and returns what they come to.
func (b *Budgets) Options() (batch.Options, error) {
	o := batch.DefaultOptions()
	o.Retries, o.MaxCrashes, o.MaxLosses, o.ExpectWorkers, o.Lease = b.retries, b.maxCrashes, b.maxLosses, b.expectWorkers, b.lease
	o.MaxRetriesTotal = b.maxRetriesTotal
	// Retries are claims too; the last line of defence must not cut them off.
	o.MaxClaims = max(o.MaxClaims, b.retries+b.maxCrashes+b.maxLosses+1)
	return o, errors.Join(
		cli.AtLeast("retries", b.retries, 0),
		cli.AtLeast("max-retries-total", b.maxRetriesTotal, 0),
		cli.AtLeast("max-crashes", b.maxCrashes, 1),
		cli.AtLeast("max-losses", b.maxLosses, 1),
		cli.AtLeast("expect-workers", b.expectWorkers, 0),
		cli.AtLeast("lease", b.lease, time.Second),
	)
}
