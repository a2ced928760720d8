package cli

import (
	"os"
	"slices"
	"strings"
)

// private are variables by which a process speaks to the CI system that started it: tests have no business to.
var private = []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"}

// cleanEnvironment takes them out of this process's environment, and so out of that of all that it starts, but for those in
// pass. Streams.LookupEnv still has them.
func cleanEnvironment(pass []string) {
	for _, name := range private {
		if !slices.Contains(pass, name) {
			_ = os.Unsetenv(name)
		}
	}
}

// snapshot returns a function that looks variables up as they are now.
func snapshot(environ []string) func(string) (string, bool) {
	values := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		values[name] = value
	}
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}
