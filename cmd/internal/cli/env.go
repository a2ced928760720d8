package cli

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"
)

// EnvName returns the environment variable that stands for a flag: SHARD_REDIS_URL for redis-url.
func EnvName(flag string) string {
	return "SHARD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// applyEnv sets the flags that were not given from the environment. An empty variable counts as not set: that is how CI
// systems pass an absent secret.
func applyEnv(flags *pflag.FlagSet, lookupEnv func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := lookupEnv(EnvName(f.Name))
		if f.Changed || !ok || value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, Usagef("environment variable %s: %w", EnvName(f.Name), err))
		}
	})
	return errors.Join(errs...)
}
