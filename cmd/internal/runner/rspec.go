package runner

import (
	"slices"
	"strings"
)

// rspec's unit is a file (spec/a_spec.rb), or with granularity test an example by its own id (./spec/a_spec.rb[1:2]). A file
// that cannot be loaded is a unit, and fails.
var rspec = preset{
	name: "rspec",
	recognise: func(dir string) string {
		if file := exists(dir, ".rspec", "spec/spec_helper.rb"); file != "" {
			return file
		}
		return mentions(dir, "Gemfile.lock", "    rspec-core (")
	},
	units:   []string{unitFile, unitTest},
	failing: []int{1},
	command: func(dir string) ([]string, error) {
		return rubyCommand(dir, "rspec", "rspec-core", "gem install rspec")
	},
	keeps: true, lasts: true,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		// A formatter of its own takes the place of the default one and of those in .rspec.
		args := slices.Concat(t.words[1:], []string{"--require", t.plugin("ruby/shard_rspec.rb"),
			"--format", "ShardRSpec::Formatter", "--out", "/dev/null"}, t.o.Args)
		if in.mode == listing {
			args = append(args, in.patterns...)
		}
		return toolProcess{process: process{Path: t.words[0], Args: args, Env: rubyEnv}}, nil
	},
	fileOf: func(id string) string {
		if i := strings.LastIndex(id, "["); i > 0 && strings.HasSuffix(id, "]") {
			id = id[:i]
		}
		return strings.TrimPrefix(id, "./")
	},
	reproduce: func(t *Tool, id string) []string { return slices.Concat(t.words, t.o.Args, []string{id}) },
}
