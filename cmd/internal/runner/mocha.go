package runner

import "slices"

// mocha's unit is a file, as the titles of its tests need not be unique. The plugin loads just the files of the batch, whatever
// the project's configuration names beside them; what is given as the file to run is the plugin itself, which has no test.
var mocha = preset{
	name: "mocha",
	recognise: func(dir string) string {
		if file := exists(dir, ".mocharc.*"); file != "" {
			return file
		}
		return nodeDepends(dir, "mocha")
	},
	units:   []string{unitFile},
	hollow:  []string{"--dry-run", "--dryRun"},
	keeps:   true, // not by default: files share all modules, and find what those of other batches left in them
	command: func(dir string) ([]string, error) { return nodeCommand(dir, "mocha", "mocha") },
	start: func(t *Tool, in invocation) (toolProcess, error) {
		plugin := t.plugin("mocha/shard_mocha.cjs")
		files := in.patterns
		if in.mode != listing {
			files = []string{plugin}
		}
		// Workers of Mocha's own would be no part of what the plugin sees.
		args := slices.Concat(t.words[1:], t.o.Args, []string{"--no-parallel", "--no-watch", "--require", plugin}, files)
		return toolProcess{process: process{Path: t.words[0], Args: args}}, nil
	},
	reproduce: func(t *Tool, id string) []string { return slices.Concat(t.words, t.o.Args, []string{id}) },
}
