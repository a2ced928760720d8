package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/shardctl/shardctl/batch"
)

// Lister is a Runner that finds the project's tests by itself.
type Lister interface {
	// List returns the tests that patterns name, in the project's order.
	List(ctx context.Context, patterns []string) ([]batch.Test, error)
}

// Presets are the names that New knows.
var presets = []string{"go"}

// New returns the preset of a name, with args for the project's test runner; or, without a name, a Command with args as its
// template and a folder for its {artifacts} (empty: none). Whoever gets an io.Closer closes it.
func New(name string, args []string, artifacts string) (Runner, error) {
	switch {
	case name == "go":
		return NewGo(GoOptions{Args: args})
	case name != "":
		return nil, fmt.Errorf("--runner %q: there is no such runner; choose one of %q, or give a command after --", name, presets)
	case len(args) == 0:
		return nil, errors.New("no runner: choose one with --runner go, or give the command that runs tests after --, as in `-- ./run.sh {tests_file} {junit}`")
	}
	return NewCommand(args, artifacts)
}
