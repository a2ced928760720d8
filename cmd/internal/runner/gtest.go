package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// googletest's unit is BINARY::Suite.Name. Patterns are the binaries or globs of them; without any, all below the folder that
// know googletest's options are taken. A binary that cannot tell its tests is a unit, and fails. Binaries run in the folder
// that this process is in; words before them (a --runner-command) may start them ("valgrind -q").
var gtest = preset{
	name:      "gtest",
	recognise: func(string) string { return "" }, // nothing but the binaries shows it
	units:     []string{unitTest},
	failing:   []int{1},
	hollow:    []string{"--gtest_list_tests"},
	command:   func(string) ([]string, error) { return nil, nil },
	list: func(ctx context.Context, t *Tool, patterns []string) ([]batch.Test, error) {
		binaries, err := gtestBinaries(patterns)
		if err != nil {
			return nil, err
		}
		var tests []batch.Test
		for _, binary := range binaries {
			words := t.gtestWords(binary, t.o.Args, "--gtest_list_tests")
			stdout, _, ended, err := output(ctx, process{Path: words[0], Args: words[1:]})
			if ctx.Err() != nil {
				return nil, err
			}
			if err != nil || ended.Code != 0 {
				tests = append(tests, batch.Test{ID: binary})
				continue
			}
			for _, name := range gtestNames(stdout) {
				tests = append(tests, batch.Test{ID: binary + "::" + name})
			}
		}
		return tests, nil
	},
	parts: gtestParts,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		binary, _ := gtestID(in.ids[0])
		stream := newGtestStream(in.ids, slices.Contains(t.o.Args, "--gtest_also_run_disabled_tests"))
		options := t.gtestOptions()
		if !givesOption(options, "--gtest_output") && os.Getenv("GTEST_OUTPUT") == "" {
			stream.report = filepath.Join(in.folder, "gtest.xml")
			options = append(options, "--gtest_output=xml:"+stream.report)
		}
		// These variables choose a part of the tests, or leave results out.
		env := []string{"GTEST_TOTAL_SHARDS=1", "GTEST_SHARD_INDEX=0", "GTEST_BRIEF=0", "GTEST_FAIL_FAST=0", "TESTBRIDGE_TEST_RUNNER_FAIL_FAST=0"}
		words := t.gtestWords(binary, options, append(gtestSelect(in.ids), "--gtest_color=no")...)
		return toolProcess{process: process{Path: words[0], Args: words[1:], Env: env}, stdout: stream.line, both: true, ended: stream.end}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		binary, _ := gtestID(id)
		return t.gtestWords(binary, t.gtestOptions(), gtestSelect([]string{id})...)
	},
}

// gtestWords are the words that start a binary.
func (t *Tool) gtestWords(binary string, options []string, more ...string) []string {
	if !strings.Contains(binary, "/") {
		binary = "./" + binary
	}
	return slices.Concat(t.words, []string{binary}, options, more)
}

// gtestOptions are the user's options but the filter, which chose the units when they were listed, and the one by which the tests
// after a failure are skipped.
func (t *Tool) gtestOptions() []string {
	return slices.DeleteFunc(slices.Clone(t.o.Args), func(arg string) bool { return givesOption([]string{arg}, "--gtest_filter", "--gtest_fail_fast") })
}

// gtestID splits a unit into its binary and its name.
func gtestID(id string) (binary, name string) {
	binary, name, _ = strings.Cut(id, "::")
	return binary, name
}

// gtestParts gives each binary processes of its own, with a filter that fits into an argument.
func gtestParts(ids []string) [][]string {
	var parts [][]string
	for i := 0; i < len(ids); {
		binary, _ := gtestID(ids[i])
		n := i + 1
		for n < len(ids) && strings.HasPrefix(ids[n], binary+"::") {
			n++
		}
		parts = append(parts, sizedParts(ids[i:n], maxPattern, func(id string) int { return len(id) - len(binary) })...)
		i = n
	}
	return parts
}

// gtestSelect is the filter for units of one binary. Names are identifiers and slashes: nothing needs to be quoted.
func gtestSelect(ids []string) []string {
	var names []string
	for _, id := range ids {
		if _, name := gtestID(id); name != "" {
			names = append(names, name)
		}
	}
	if names == nil {
		return nil // a binary that could not tell its tests: all
	}
	return []string{"--gtest_filter=" + strings.Join(names, ":")}
}

var (
	gtestListedSuite = regexp.MustCompile(`^([\w/]+\.)(?:  # .*)?$`)
	gtestListedTest  = regexp.MustCompile(`^  ([\w/]+)(?:  # .*)?$`)
)

// gtestNames reads what a binary prints with --gtest_list_tests, among what else it may print.
func gtestNames(list string) []string {
	var names []string
	suite := ""
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\r\n")
		if m := gtestListedSuite.FindStringSubmatch(line); m != nil {
			suite = m[1]
		} else if m := gtestListedTest.FindStringSubmatch(line); m != nil && suite != "" {
			names = append(names, suite+m[1])
		}
	}
	return names
}

// gtestBinaries are the files that patterns name, or those below this folder that have googletest in them.
func gtestBinaries(patterns []string) ([]string, error) {
	if len(patterns) > 0 {
		return findFiles(patterns, func(string) bool { return false })
	}
	var binaries []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && foreignFolder(path):
			return fs.SkipDir
		case !d.IsDir() && hasGtest(path, d):
			binaries = append(binaries, filepath.ToSlash(path))
		}
		return nil
	})
	if err == nil && binaries == nil {
		err = errors.New("there is no test binary below this folder; build them first, and name them, such as 'build/*_test'")
	}
	return binaries, err
}

// hasGtest is whether a file is a program that knows googletest's options, or uses its shared library.
func hasGtest(path string, d fs.DirEntry) bool {
	info, err := d.Info()
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 || strings.Contains(d.Name(), ".so") || strings.HasSuffix(d.Name(), ".dylib") {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	const most, overlap = 1 << 20, 64
	buffer := make([]byte, most)
	kept := 0
	for first := true; ; first = false {
		n, err := io.ReadFull(file, buffer[kept:])
		text := buffer[:kept+n]
		if first && bytes.HasPrefix(text, []byte("#!")) {
			return false
		}
		if bytes.Contains(text, []byte("gtest_list_tests")) || bytes.Contains(text, []byte("libgtest.so")) {
			return true
		}
		if err != nil {
			return false
		}
		kept = copy(buffer, text[len(text)-overlap:])
	}
}
