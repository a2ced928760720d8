package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// vitest's unit is a test file, by its path from the project's folder. Vitest runs the files of a batch one after another,
// unless the user's options say otherwise: the parallel ones are the workers of this program.
//
// The reporters of the project's configuration are replaced by the plugin.
var vitest = preset{
	name: "vitest",
	recognise: func(dir string) string {
		if file := exists(dir, "vitest.config.*", "vitest.workspace.*"); file != "" {
			return file
		}
		return nodeDepends(dir, "vitest")
	},
	units:   []string{unitFile},
	failing: []int{1},
	hollow:  []string{"--clearCache", "--listTags", "--mergeReports"},
	command: vitestCommand,
	keeps:   true, lasts: true, // each file has a worker and modules of its own, as in one run of all
	start: func(t *Tool, in invocation) (toolProcess, error) {
		if in.mode == listing {
			args := slices.Concat(t.words[1:], []string{"list", "--json", "--filesOnly"}, in.patterns, t.o.Args) // --json may have a value
			list := &vitestList{}
			return toolProcess{process: process{Path: t.words[0], Args: args}, stdout: list.line, ended: list.end}, nil
		}
		args := slices.Concat(t.words[1:], []string{"run", "--reporter=" + t.plugin("vitest/shard_vitest.mjs")})
		if !givesOption(t.o.Args, "--bail") {
			args = append(args, "--bail=0") // the files after a failure are to run, too
		}
		if !givesOption(t.o.Args, "--fileParallelism", "--file-parallelism", "--no-file-parallelism", "--maxWorkers", "--max-workers") {
			args = append(args, "--no-file-parallelism")
		}
		return toolProcess{process: process{Path: t.words[0], Args: slices.Concat(args, nodeFiles(in.ids), t.o.Args)}}, nil
	},
	parts: argumentParts,
	reproduce: func(t *Tool, id string) []string {
		return slices.Concat(t.words, []string{"run"}, nodeFiles([]string{id}), t.o.Args)
	},
}

// vitestCommand returns the words that start Vitest, and an error if it is of a version that cannot list its test files.
func vitestCommand(dir string) ([]string, error) {
	words, err := nodeCommand(dir, "vitest", "vitest")
	if err != nil {
		return nil, err
	}
	modules, installed := strings.CutSuffix(words[0], filepath.FromSlash(".bin/vitest"))
	text, err := os.ReadFile(filepath.Join(modules, "vitest", "package.json"))
	if !installed || err != nil {
		return words, nil // who knows where it is; it says by itself what it cannot do
	}
	var of struct{ Version string }
	var major, minor int
	if json.Unmarshal(text, &of) != nil {
		return words, nil
	}
	if n, _ := fmt.Sscanf(of.Version, "%d.%d", &major, &minor); n == 2 && (major < 2 || major == 2 && minor < 1) {
		return nil, fmt.Errorf("the Vitest that is installed here, %s, cannot list its test files; 2.1 and later can: npm install --save-dev vitest@latest", of.Version)
	}
	return words, nil
}

// vitestList reads the list: a JSON array over several lines. The configuration may print before it and after it.
type vitestList struct{ text []byte }

func (l *vitestList) line(line []byte) []message {
	if text := string(line); text == "[" || text == "[]" {
		l.text = l.text[:0] // whatever it was until here
	}
	l.text = append(append(l.text, line...), '\n')
	return nil
}

func (l *vitestList) end(e exit, _ string) []message {
	var files []struct {
		File string `json:"file"`
	}
	if e.Code != 0 || json.NewDecoder(bytes.NewReader(l.text)).Decode(&files) != nil {
		return nil
	}
	messages := make([]message, 0, len(files)+1)
	for _, f := range files {
		messages = append(messages, message{Type: messageTest, ID: nodeID(f.File)})
	}
	return append(messages, message{Type: messageEnd})
}
