package runner

import (
	"regexp"
	"slices"
	"strings"
)

// minitest's unit is a method of a class in a file: test/a_test.rb::ATest#test_one, or with granularity file the file. A file
// that cannot be loaded is a unit, and fails. The plugin is the program that ruby runs.
var minitest = preset{
	name: "minitest",
	recognise: func(dir string) string {
		if file := exists(dir, "test/test_helper.rb", "test/minitest_helper.rb"); file != "" {
			return file
		}
		if exists(dir, "test/*_test.rb", "test/test_*.rb") != "" {
			return mentions(dir, "Gemfile.lock", "    minitest (")
		}
		return ""
	},
	units:   []string{unitTest, unitFile},
	failing: []int{1},
	command: func(dir string) ([]string, error) {
		words, err := rubyCommand(dir, "ruby", "minitest", "https://www.ruby-lang.org")
		return append(words, "-Ilib", "-Itest"), err
	},
	keeps: true, lasts: true,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		return toolProcess{process: process{Path: t.words[0],
			Args: slices.Concat(t.words[1:], []string{t.plugin("ruby/shard_minitest.rb")}, t.o.Args),
			// A Rails test case would fork for tests that run in parallel.
			Env: slices.Concat(rubyEnv, []string{"PARALLEL_WORKERS=1", "SHARD_PATTERNS=" + strings.Join(in.patterns, "\n")}),
		}}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		file, test, one := strings.Cut(id, "::")
		words := slices.Concat(t.words, []string{file}, t.o.Args)
		if !one {
			return words
		}
		return append(words, "-n", minitestName(test))
	},
}

// minitestName is the option that selects one test. A name between slashes is a regular expression to Minitest, and so is a
// name that has two.
func minitestName(test string) string {
	test = minitestCount.ReplaceAllString(test, "")
	if strings.Count(test, "/") < 2 && !strings.Contains(test, `\n`) {
		return test
	}
	return `/\A` + strings.ReplaceAll(regexp.QuoteMeta(test), `\\n`, `\n`) + `\z/`
}

// minitestCount is what the plugin puts behind the second and later tests of one name.
var minitestCount = regexp.MustCompile(` \([0-9]+\)$`)
