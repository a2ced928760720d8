// Package optin switches the misbehaving tests of this suite on. They are green until somebody asks for them:
//
//	SUITE_BAD=fail,flaky go test ./...   # these two
//	SUITE_BAD=1 go test ./...            # all of them
//
// Package trouble has a test for each name but exitcode, which is a package of its own.
package optin

import (
	"os"
	"slices"
	"strings"
)

// Bad tells whether a misbehaviour is switched on.
func Bad(name string) bool {
	wanted := os.Getenv("SUITE_BAD")
	return wanted == "1" || slices.Contains(strings.Split(wanted, ","), name)
}
