package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// CTest's unit is a test by its name; tests of one name are one unit. Patterns are CMake's regular expressions for names.
// Which folder was built can be said with the option --test-dir or --preset.
var ctest = preset{
	name:      "ctest",
	recognise: func(dir string) string { return ctestFile(dir) },
	units:     []string{unitTest},
	failing:   []int{8},
	hollow:    []string{"--show-only", "-N", "--print-labels"},
	command: func(string) ([]string, error) {
		if _, err := exec.LookPath("ctest"); err != nil {
			return nil, errors.New("ctest is not in PATH; install CMake 3.20 or later (Debian: apt install cmake)")
		}
		return []string{"ctest"}, nil
	},
	list: func(ctx context.Context, t *Tool, patterns []string) ([]batch.Test, error) {
		args, err := t.ctestArgs()
		if err != nil {
			return nil, err
		}
		args = append(args, "--show-only=json-v1")
		if len(patterns) > 0 {
			args = append(args, "-R", strings.Join(patterns, "|"))
		}
		text, err := answer(ctx, slices.Concat(t.words, args)...)
		if err != nil {
			return nil, err
		}
		return ctestList(text)
	},
	parts: func(ids []string) [][]string {
		return sizedParts(ids, maxPattern, func(id string) int { return len(ctestQuote(id)) + 1 })
	},
	start: func(t *Tool, in invocation) (toolProcess, error) {
		args, err := t.ctestArgs()
		args = slices.Concat(t.words[1:], args, []string{"--verbose"}, ctestSelect(in.ids))
		stream := newCtestStream(in.ids, t.o.Args)
		return toolProcess{process: process{Path: t.words[0], Args: args}, stdout: stream.line, both: true}, err
	},
	reproduce: func(t *Tool, id string) []string {
		args, _ := t.ctestArgs()
		return slices.Concat(t.words, args, []string{"--output-on-failure"}, ctestSelect([]string{id}))
	},
}

// ctestFile is the file in the build folder of dir that holds its tests; empty: there is none.
func ctestFile(dir string) string {
	for _, pattern := range []string{".", "build", "_build", "out", "cmake-build-*", "build/*", "out/*", "out/build/*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern, "CTestTestfile.cmake")); len(found) > 0 {
			return filepath.ToSlash(found[0])
		}
	}
	return ""
}

// ctestArgs are the user's options, with the build folder.
func (t *Tool) ctestArgs() ([]string, error) {
	for _, arg := range t.o.Args {
		if name, _, _ := strings.Cut(arg, "="); name == "--test-dir" || name == "--preset" {
			return t.o.Args, nil
		}
	}
	file := ctestFile(".")
	if file == "" {
		return nil, errors.New("no build folder with a CTestTestfile.cmake: run `cmake -S . -B build` and build, or name the folder: -- --test-dir FOLDER")
	}
	return slices.Concat([]string{"--test-dir", filepath.Dir(file)}, t.o.Args), nil
}

// ctestList reads what --show-only=json-v1 prints (cmake.org/cmake/help/latest/manual/ctest.1.html).
func ctestList(text string) ([]batch.Test, error) {
	var listed struct{ Tests []struct{ Name string } }
	if i := strings.IndexByte(text, '{'); i > 0 {
		text = text[i:] // behind what the project's files print
	}
	if err := json.Unmarshal([]byte(text), &listed); err != nil {
		return nil, fmt.Errorf("what ctest lists is not understood: %w", err)
	}
	var tests []batch.Test
	seen := map[string]bool{}
	for _, test := range listed.Tests {
		if !seen[test.Name] {
			seen[test.Name] = true
			tests = append(tests, batch.Test{ID: test.Name})
		}
	}
	return tests, nil
}

// ctestSelect is the expression for the names of units.
func ctestSelect(ids []string) []string {
	var names []string
	for _, id := range ids {
		names = append(names, ctestQuote(id))
	}
	return []string{"-R", "^(" + strings.Join(names, "|") + ")$"}
}

// ctestSpecial are the characters that mean something in CMake's regular expressions.
var ctestSpecial = regexp.MustCompile(`[][\\.*^$+?()|-]`)

func ctestQuote(name string) string { return ctestSpecial.ReplaceAllString(name, `\$0`) }
