package runner

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// socketRunner is anybody's program that speaks docs/runner-protocol.md: the command after --, in which {tests_file} stands for
// the file with the units, and {tests} for the units themselves. Without either the program asks the environment.
var socketRunner = preset{
	name:      "socket",
	recognise: func(string) string { return "" },
	units:     []string{unitTest, unitClass, unitFile},
	command:   func(string) ([]string, error) { return nil, nil },
	keeps:     true,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		if len(t.o.Args) == 0 {
			return toolProcess{}, errors.New("--runner socket: write the command that speaks the runner protocol after --")
		}
		path, err := exec.LookPath(t.o.Args[0])
		if err != nil {
			return toolProcess{}, fmt.Errorf("--runner socket: %w", err)
		}
		var args []string
		for _, arg := range t.o.Args[1:] {
			if arg == inTests {
				args = append(args, in.ids...)
			} else {
				args = append(args, strings.ReplaceAll(arg, inTestsFile, in.file))
			}
		}
		if in.mode == listing {
			args = append(args, in.patterns...)
		}
		return toolProcess{process: process{Path: path, Args: args}}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		words := slices.Clone(t.o.Args)
		if i := slices.Index(words, inTests); i >= 0 {
			words[i] = id
		}
		return words
	},
}
