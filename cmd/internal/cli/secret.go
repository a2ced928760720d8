package cli

import "os"

const secretVariable = "SHARD_SECRET"

// Secret returns what the enqueuers and the workers of a run share, empty for nothing, and takes it out of this process's
// environment: tests and gates do not see it. It has no flag, since everybody on a machine can read command lines.
func Secret(lookupEnv func(string) (string, bool)) string {
	secret, _ := lookupEnv(secretVariable)
	_ = os.Unsetenv(secretVariable)
	return secret
}
