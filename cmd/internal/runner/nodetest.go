package runner

import (
	"errors"
	"os/exec"
	"slices"
)

// nodeTest is the test runner of Node itself, node:test. Its unit is a file, which runs as a program, in a process of its own:
// below `node --test`, a file that ends its process in mid-test looks like one that passed.
var nodeTest = preset{
	name: "node",
	recognise: func(dir string) string {
		return mentions(dir, "package.json", "node --test", " --test ", ` --test"`)
	},
	units: []string{unitFile},
	command: func(string) ([]string, error) {
		if _, err := exec.LookPath("node"); err != nil {
			return nil, errors.New("node is not in PATH: install it (https://nodejs.org), version 20 or later")
		}
		return []string{"node"}, nil
	},
	start: func(t *Tool, in invocation) (toolProcess, error) {
		plugin := t.plugin("node-test/shard_node.mjs")
		args := nodeTestOptions(t)
		if in.mode == listing {
			args = slices.Concat(args, []string{plugin}, in.patterns)
		} else {
			args = append(args, "--import", plugin, "--test-reporter", plugin, "--test-reporter-destination", "stdout", "./"+in.ids[0])
		}
		return toolProcess{process: process{Path: t.words[0], Args: args}}, nil
	},
	parts: func(ids []string) [][]string { return slices.Collect(slices.Chunk(ids, 1)) },
	reproduce: func(t *Tool, id string) []string {
		return slices.Concat(t.words[:1], []string{"--test"}, nodeTestOptions(t), []string{id})
	},
}

// nodeTestOptions are the options for node, without --test: see nodeTest.
func nodeTestOptions(t *Tool) []string {
	return slices.DeleteFunc(slices.Concat(t.words[1:], t.o.Args), func(option string) bool { return option == "--test" })
}
