package cli

import (
	"fmt"
	"time"
)

// AtLeast returns a usage error if the value of a flag ("batch-size") is less than the least that makes sense. errors.Join
// of several names all that are bad.
func AtLeast[T int | time.Duration](flag string, value, least T) error {
	if value >= least {
		return nil
	}
	bound := fmt.Sprintf("it must be at least %v", least)
	if least == 0 {
		bound = "it cannot be negative"
	}
	return Usagef("--%s %v: %s (it may come from %s)", flag, value, bound, EnvName(flag))
}
