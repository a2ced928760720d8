package runner

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// playwright's unit is a test file, by its path from the project's folder, with its tests of all projects of the configuration.
// Playwright runs the tests of a batch one after another, unless the user's options say otherwise: the parallel ones are the
// workers of this program.
//
// The reporters of the project's configuration are replaced by the plugin. As Playwright empties its folder for artifacts when
// it starts, each process has one of its own below test-results.
var playwright = preset{
	name: "playwright",
	recognise: func(dir string) string {
		if file := exists(dir, "playwright.config.*"); file != "" {
			return file
		}
		return nodeDepends(dir, "@playwright/test")
	},
	units:   []string{unitFile},
	failing: []int{1},
	hollow:  []string{"--list"},
	command: func(dir string) ([]string, error) { return nodeCommand(dir, "playwright", "@playwright/test") },
	start: func(t *Tool, in invocation) (toolProcess, error) {
		args := slices.Concat(t.words[1:], []string{"test", "--reporter=" + t.plugin("playwright/shard_playwright.cjs")})
		if in.mode == listing {
			args = slices.Concat(args, []string{"--list"}, playwrightWithout(in.ids, in.patterns), t.o.Args)
			return toolProcess{process: process{Path: t.words[0], Args: args}}, nil
		}
		if !givesOption(t.o.Args, "--workers", "-j") {
			args = append(args, "--workers=1")
		}
		if !givesOption(t.o.Args, "--max-failures", "-x") {
			args = append(args, "--max-failures=0") // the files after a failure are to run, too
		}
		if !givesOption(t.o.Args, "--output") {
			args = append(args, "--output="+filepath.Join("test-results", filepath.Base(in.folder)))
		}
		for _, id := range in.ids {
			args = append(args, playwrightFile(id))
		}
		return toolProcess{process: process{Path: t.words[0], Args: append(args, t.o.Args...),
			Env: []string{"PLAYWRIGHT_LAST_RUN_OUTPUT_FILE=" + filepath.Join(in.folder, "last-run.json")}}}, nil // it is of no use
	},
	list: playwrightTests,
	parts: func(ids []string) [][]string {
		return sizedParts(ids, maxArguments, func(id string) int { return len(playwrightFile(id)) + 1 })
	},
	reproduce: func(t *Tool, id string) []string {
		return slices.Concat(t.words, []string{"test", "(^|/)" + regexp.QuoteMeta(id) + "$"}, t.o.Args)
	},
}

// playwrightTests lists the files. One that cannot be loaded keeps Playwright from listing any other: it then tells those only,
// and is asked again without them.
func playwrightTests(ctx context.Context, t *Tool, patterns []string) ([]batch.Test, error) {
	var broken []batch.Test
	for {
		without := batch.Batch{Tests: broken}.IDs()
		tests, err := t.told(ctx, invocation{mode: listing, ids: without, patterns: patterns})
		if err == nil {
			return slices.Concat(broken, tests), nil
		}
		known := slices.ContainsFunc(tests, func(test batch.Test) bool { return slices.Contains(without, test.ID) })
		if len(tests) == 0 || known { // it is not a test file that cannot be loaded, but one that they need
			return nil, err
		}
		broken = append(broken, tests...)
	}
}

// playwrightFile is the argument for one file: a regular expression for its whole path.
func playwrightFile(id string) string { return "/^" + regexp.QuoteMeta(nodePath(id)) + "$/" }

// playwrightWithout are patterns, regular expressions for parts of paths, that do not fit some files.
func playwrightWithout(ids, patterns []string) []string {
	if len(ids) == 0 {
		return patterns
	}
	if len(patterns) == 0 {
		patterns = []string{""}
	}
	paths := make([]string, len(ids))
	for i, id := range ids {
		paths[i] = regexp.QuoteMeta(nodePath(id))
	}
	args := make([]string, len(patterns))
	for i, pattern := range patterns {
		args[i] = fmt.Sprintf("/^(?!(%s)$).*(%s)/i", strings.Join(paths, "|"), pattern)
	}
	return args
}
