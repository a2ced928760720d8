package cli

import (
	"fmt"
	"slices"
	"strings"
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

// OneOf returns a usage error if the value of a flag is none of the words that it knows.
func OneOf(flag, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return Usagef("--%s %q: choose one of %s (it may come from %s)", flag, value, strings.Join(words, ", "), EnvName(flag))
}
