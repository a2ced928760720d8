package runner

import (
	"encoding/json"
	"slices"
	"strings"
)

// jest's unit is a test file, by its path from the project's folder. Jest runs the files of a batch one after another in its
// own process, unless the user's options say otherwise: the parallel ones are the workers of this program.
//
// The reporters of the project's configuration are replaced by the plugin.
var jest = preset{
	name: "jest",
	recognise: func(dir string) string {
		if file := exists(dir, "jest.config.*"); file != "" {
			return file
		}
		return nodeDepends(dir, "jest")
	},
	units:   []string{unitFile},
	hollow:  []string{"--listTests", "--showConfig", "--clearCache", "--init"},
	command: func(dir string) ([]string, error) { return nodeCommand(dir, "jest", "jest") },
	keeps:   true, lasts: true, // each file has modules and globals of its own, as in one run of all
	start: func(t *Tool, in invocation) (toolProcess, error) {
		if in.mode == listing {
			args := slices.Concat(t.words[1:], []string{"--reporters=default", "--listTests", "--json"}, in.patterns, t.o.Args)
			return toolProcess{process: process{Path: t.words[0], Args: args}, stdout: jestList}, nil
		}
		plugin := t.plugin("jest/shard_jest.cjs")
		args := slices.Concat(t.words[1:], []string{"--reporters=" + plugin, "--filter=" + plugin})
		if !givesOption(t.o.Args, "--maxWorkers", "-w", "--runInBand", "-i") {
			args = append(args, "--runInBand")
		}
		if !givesOption(t.o.Args, "--bail", "-b") {
			args = append(args, "--bail=0") // the files after a failure are to run, too
		}
		if in.mode == running {
			// The files come after an option without a value: some, like --reporters, take any number of values.
			args = append(append(args, "--runTestsByPath"), nodeFiles(in.ids)...)
		}
		args = append(args, withoutOption(t.o.Args, "--filter")...) // the list is what it has let pass
		return toolProcess{process: process{Path: t.words[0], Args: args}}, nil
	},
	parts: argumentParts,
	reproduce: func(t *Tool, id string) []string {
		return slices.Concat(t.words, []string{"--runTestsByPath"}, nodeFiles([]string{id}), t.o.Args)
	},
}

// jestList reads the line with the list: a JSON array of absolute paths.
func jestList(line []byte) []message {
	var paths []string
	if json.Unmarshal(line, &paths) != nil {
		return nil // what the configuration prints
	}
	messages := make([]message, 0, len(paths)+1)
	for _, path := range paths {
		messages = append(messages, message{Type: messageTest, ID: nodeID(path)})
	}
	return append(messages, message{Type: messageEnd})
}

// withoutOption are args without an option that has a value, after "=" or as the next argument.
func withoutOption(args []string, name string) []string {
	var rest []string
	for i := 0; i < len(args); i++ {
		if args[i] == name {
			i++
		} else if !strings.HasPrefix(args[i], name+"=") {
			rest = append(rest, args[i])
		}
	}
	return rest
}

// givesOption is whether args have one of the options, alone or with a value after "=".
func givesOption(args []string, names ...string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		name, _, _ := strings.Cut(arg, "=")
		return slices.Contains(names, name)
	})
}
