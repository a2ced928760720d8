package runner

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// bats's unit is a file, its tests are the cases; with granularity test it is FILE::NAME, with the name as it stands in the
// file. bats has no plugins: what it says is read from its extended TAP stream, see batsStream.
var bats = preset{
	name: "bats",
	recognise: func(dir string) string {
		return exists(dir, "*.bats", "test/*.bats", "tests/*.bats", "test/*/*.bats", "tests/*/*.bats")
	},
	units:   []string{unitFile, unitTest},
	failing: []int{1},
	hollow:  []string{"--count", "-c"},
	command: func(dir string) ([]string, error) {
		for _, local := range []string{"node_modules/.bin/bats", "test/bats/bin/bats", "tests/bats/bin/bats", "test/libs/bats/bin/bats"} {
			if path, err := exec.LookPath("./" + filepath.Join(dir, local)); err == nil {
				return []string{path}, nil
			}
		}
		if _, err := exec.LookPath("bats"); err == nil {
			return []string{"bats"}, nil
		}
		return nil, errors.New("bats is neither in PATH nor in node_modules or test/bats; install it (Debian: apt install bats, npm: npm install --save-dev bats)")
	},
	list: func(_ context.Context, t *Tool, patterns []string) ([]batch.Test, error) {
		files, err := findFiles(patterns, func(name string) bool { return strings.HasSuffix(name, ".bats") })
		if err != nil {
			return nil, err
		}
		var tests []batch.Test
		for _, file := range files {
			if t.o.Granularity == unitFile {
				tests = append(tests, batch.Test{ID: file})
				continue
			}
			names, err := batsNames(file)
			if err != nil {
				return nil, err
			}
			for i, name := range names {
				if !slices.Contains(names[:i], name) { // when it runs, bats says that there are two
					tests = append(tests, batch.Test{ID: file + "::" + name})
				}
			}
		}
		return tests, nil
	},
	fileOf: func(id string) string {
		file, _ := batsID(id)
		return file
	},
	// bats knows of tests that are defined in another way, and of options that leave tests out.
	complete: func(ctx context.Context, t *Tool, file string, tests int) bool {
		text, err := answer(ctx, slices.Concat(t.words, t.o.Args, []string{"--count"}, batsSelect([]string{file}))...)
		return err == nil && strings.TrimSpace(text) == strconv.Itoa(tests)
	},
	parts: batsParts,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		stream, err := newBatsStream(in.ids, t.o.Args)
		// Formatter cat passes on all that bats says, line by line. The options come last: they win over the user's.
		args := slices.Concat(t.words[1:], t.o.Args, []string{"--timing", "--formatter", "cat"}, batsSelect(in.ids))
		return toolProcess{process: process{Path: t.words[0], Args: args}, stdout: stream.line, both: true, ended: stream.end}, err
	},
	reproduce: func(t *Tool, id string) []string {
		return slices.Concat(t.words, t.o.Args, batsSelect([]string{id}))
	},
}

// batsID splits a unit into its file and, with granularity test, its name.
func batsID(id string) (file, name string) {
	file, name, _ = strings.Cut(id, "::")
	return file, name
}

// batsParts gives each file a process of its own if the units are tests, as bats's filter knows no files.
func batsParts(ids []string) [][]string {
	var whole []string
	var parts [][]string
	index := map[string]int{}
	size := map[string]int{}
	for _, id := range ids {
		file, name := batsID(id)
		if name == "" {
			whole = append(whole, id)
			continue
		}
		i, ok := index[file]
		if !ok || size[file]+len(name) > maxPattern {
			i, index[file], size[file] = len(parts), len(parts), 0
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], id)
		size[file] += 2 * len(name)
	}
	return append(parts, argumentParts(whole)...)
}

// batsSelect are the arguments for units: files, or some tests of one file.
func batsSelect(ids []string) []string {
	var names, files []string
	for _, id := range ids {
		file, name := batsID(id)
		if strings.HasPrefix(file, "-") {
			file = "./" + file
		}
		if name != "" {
			names = append(names, extendedRegexp.ReplaceAllString(name, `\$0`))
		}
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	if len(names) > 0 {
		return []string{"--filter", "^(" + strings.Join(names, "|") + ")$", files[0]}
	}
	return files
}

// extendedRegexp are the characters that mean something in a POSIX extended regular expression.
var extendedRegexp = regexp.MustCompile(`[][\\.*^$+?(){}|]`)
