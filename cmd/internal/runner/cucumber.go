package runner

import (
	"os"
	"path/filepath"
	"slices"
)

// cucumber is Cucumber for Ruby. Its unit is a scenario, or a row of an outline's examples, by the place of its first line:
// features/a.feature:6. A feature that cannot be parsed is a unit, and fails.
var cucumber = preset{
	name: "cucumber",
	recognise: func(dir string) string {
		if file := mentions(dir, "Gemfile.lock", "    cucumber ("); file != "" {
			return file
		}
		return exists(dir, "features/support/env.rb", "features/step_definitions/*.rb")
	},
	units:   []string{unitTest},
	failing: []int{1, 2},
	hollow:  []string{"--dry-run", "-d"},
	command: func(dir string) ([]string, error) {
		return rubyCommand(dir, "cucumber", "cucumber", "gem install cucumber")
	},
	parts: argumentParts,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		args := slices.Concat(t.words[1:], t.o.Args, in.ids)
		if in.mode == listing {
			args = slices.Concat(t.words[1:], t.o.Args, []string{"--dry-run"}, in.patterns)
		}
		options := "-rshard_cucumber"
		if rest := os.Getenv("RUBYOPT"); rest != "" {
			options += " " + rest
		}
		return toolProcess{process: process{Path: t.words[0], Args: args, Env: slices.Concat(rubyEnv, []string{
			"RUBYLIB=" + prependPath(filepath.Dir(t.plugin("ruby/shard_cucumber.rb")), "RUBYLIB"), "RUBYOPT=" + options,
			"CUCUMBER_PUBLISH_QUIET=true", // no banner
		})}}, nil
	},
	reproduce: func(t *Tool, id string) []string { return slices.Concat(t.words, t.o.Args, []string{id}) },
}
