package cli

import "strings"

// DefaultRunID returns the run id that the CI's own variables give, its attempt included, and "" outside of a known CI.
func DefaultRunID(lookupEnv func(string) (string, bool)) string {
	get := func(name string) string { value, _ := lookupEnv(name); return value }
	if get("GITHUB_RUN_ID") == "" {
		return ""
	}
	return strings.Join([]string{"github", get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID"), get("GITHUB_RUN_ATTEMPT")}, "/")
}
