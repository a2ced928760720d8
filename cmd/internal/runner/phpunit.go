package runner

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// PHPUnit's unit is a test method, Namespace\Class::testMethod, with its data sets as cases, or a class. Each class gets a
// process of its own, which loads one file: PHPUnit loads all files there are, calls all their data providers and dies of any
// file that does not load, whatever its filter says. Such a file is a unit too, by its path, and so is a .phpt file. PHPUnit 11
// lists nothing either if a data provider fails, but runs the file's other tests.
var phpunit = preset{
	name: "phpunit",
	recognise: func(dir string) string {
		if mentions(dir, "composer.json", "pestphp/pest") != "" {
			return "" // its tests are no methods
		}
		return exists(dir, phpunitConfigurations...)
	},
	units:   []string{unitTest, unitClass},
	failing: []int{1, 2},
	hollow:  []string{"--list-tests", "--list-tests-xml", "--list-groups", "--list-suites", "--warm-coverage-cache"},
	command: func(dir string) ([]string, error) {
		for _, local := range []string{"vendor/bin/phpunit", "bin/phpunit", "tools/phpunit", "phpunit.phar"} {
			if path := filepath.Join(dir, local); exists(dir, local) != "" {
				return []string{"php", path}, nil
			}
		}
		if _, err := exec.LookPath("phpunit"); err == nil {
			return []string{"phpunit"}, nil
		}
		return nil, errors.New("phpunit is neither in vendor/bin nor in PATH; install it (composer require --dev phpunit/phpunit)")
	},
	ready: func(ctx context.Context, t *Tool) error {
		t.phpunitKnow(ctx)
		return nil
	},
	list:  phpunitList,
	parts: phpunitParts,
	apart: (*Tool).phpunitStops, // of several, nobody would know whether the last one had all its data sets
	start: func(t *Tool, in invocation) (toolProcess, error) {
		class, _ := phpunitID(in.ids[0])
		// Not /dev/fd/3: PHP looks for the file that the link names, and a pipe has none.
		args := slices.Concat(t.words[1:], t.o.Args, []string{"--log-teamcity", "php://fd/3"})
		stream := newPhpunitStream(in.ids, t.strictRisky(), t.phpunitStops())
		known := t.phpunitKnow(context.Background())
		if stream.events = known.version >= 11; stream.events {
			args = append(args, "--log-events-text", "php://fd/3")
			stream.fatal = t.phpunitFatal()
		}
		ids := in.ids
		file := known.files[class]
		if file != "" {
			ids = stream.pull(phpunitDepends(file))
		}
		args = append(args, phpunitSelect(ids, file)...)
		return toolProcess{process: process{Path: t.words[0], Args: args}, side: stream.line, ended: stream.end}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		class, _ := phpunitID(id)
		file := t.phpunitKnow(context.Background()).files[class]
		ids := []string{id}
		if file != "" {
			ids = newPhpunitStream(ids, false, false).pull(phpunitDepends(file))
		}
		return slices.Concat(t.words, t.o.Args, phpunitSelect(ids, file))
	},
}

// phpunitConfigurations are the files that PHPUnit reads, the first of them.
var phpunitConfigurations = []string{"phpunit.xml", "phpunit.dist.xml", "phpunit.xml.dist"}

// phpunitID splits a unit into its class (or file) and its method.
func phpunitID(id string) (class, method string) {
	class, method, _ = strings.Cut(id, "::")
	return class, method
}

// phpunitIsFile is whether a unit is a file.
func phpunitIsFile(id string) bool {
	return strings.HasSuffix(id, ".php") || strings.HasSuffix(id, ".phpt")
}

// phpunitParts gives each class a process of its own.
func phpunitParts(ids []string) [][]string {
	var classes []string
	byClass := map[string][]string{}
	for _, id := range ids {
		class, _ := phpunitID(id)
		if byClass[class] == nil {
			classes = append(classes, class)
		}
		byClass[class] = append(byClass[class], id)
	}
	var parts [][]string
	for _, class := range classes {
		parts = append(parts, sizedParts(byClass[class], maxPattern, func(id string) int { return len(phpunitPattern(id)) + 1 })...)
	}
	return parts
}

// phpunitSelect are the arguments for units of one class. file is where it is, empty: not known.
func phpunitSelect(ids []string, file string) []string {
	if phpunitIsFile(ids[0]) {
		return ids[:1]
	}
	var patterns []string
	for _, id := range ids {
		patterns = append(patterns, phpunitPattern(id))
	}
	// What stands for a method whose data provider fails has another name: "The data provider specified for A::b is invalid",
	// PHPUnit\Framework\SkippedTestCase::A::b.
	args := []string{"--filter", `/^(?:The data provider specified for |PHPUnit\\Framework\\[A-Za-z]+::)?(?:` + strings.Join(patterns, "|") + ")/"}
	if file != "" {
		args = append(args, file)
	}
	return args
}

// phpunitPattern matches the name of a unit at its beginning, and what follows it: the number or name of a data set.
func phpunitPattern(id string) string {
	quoted := strings.ReplaceAll(regexp.QuoteMeta(id), "/", `\/`)
	if _, method := phpunitID(id); method == "" {
		return quoted + "::"
	}
	return quoted + "(?: |#|@|$)"
}

// strictRisky is whether a risky test (one without assertions, say) fails.
func (t *Tool) strictRisky() bool {
	return slices.Contains(t.o.Args, "--fail-on-risky") || slices.Contains(t.o.Args, "--fail-on-all-issues") || phpunitConfigured(`failOnRisky="true"`, `failOnAllIssues="true"`)
}

// phpunitStops is whether PHPUnit may stop, without a failure, before it has run all tests.
func (t *Tool) phpunitStops() bool {
	return slices.ContainsFunc(t.o.Args, func(arg string) bool { return strings.HasPrefix(arg, "--stop-on-") }) ||
		phpunitConfigured(`stopOnSkipped="true"`, `stopOnIncomplete="true"`, `stopOnRisky="true"`, `stopOnWarning="true"`, `stopOnDefect="true"`,
			`stopOnDeprecation="true"`, `stopOnNotice="true"`)
}

// phpunitConfigured is whether the configuration holds one of the words.
func phpunitConfigured(words ...string) bool {
	return slices.ContainsFunc(phpunitConfigurations, func(name string) bool { return mentions(".", name, words...) != "" })
}

// phpunitKnown is what has to be known of a project before its tests run.
type phpunitKnown struct {
	// version is the first number of PHPUnit's; 0: it could not tell.
	version int
	// files are the files of classes. A file is named as its class is, as PHPUnit wants it if it is to load the file alone.
	files map[string]string
}

var phpunitVersion = regexp.MustCompile(`(?m)^PHPUnit (\d+)\.`)

// phpunitKnow finds it out, once.
func (t *Tool) phpunitKnow(ctx context.Context) phpunitKnown {
	known, _ := remember(t, func() (phpunitKnown, error) {
		known := phpunitKnown{files: map[string]string{}}
		if text, err := answer(ctx, slices.Concat(t.words, []string{"--version"})...); err == nil {
			if m := phpunitVersion.FindStringSubmatch(text); m != nil {
				known.version, _ = strconv.Atoi(m[1])
			}
		}
		all, err := findFiles(nil, func(name string) bool {
			return strings.HasSuffix(name, ".php") && unicode.IsUpper([]rune(name)[0])
		})
		for _, file := range all {
			if text, err := os.ReadFile(file); err == nil {
				if class := phpunitClass(file, text); class != "" {
					known.files[class] = file
				}
			}
		}
		return known, err
	})
	return known
}

var (
	phpNamespace = regexp.MustCompile(`(?m)^\s*(?:<\?php\s+)?namespace\s+([\w\\\x80-\xff]+)\s*[;{]`)
	phpClass     = regexp.MustCompile(`(?m)^[\w\s]*?(?:^|\s)class\s+([\w\x80-\xff]+)`)
)

// phpunitClass is the class of a file that has its name, with the namespace; empty: it has none.
func phpunitClass(file string, text []byte) string {
	short := strings.TrimSuffix(filepath.Base(file), ".php")
	if !slices.ContainsFunc(phpClass.FindAllSubmatch(text, -1), func(m [][]byte) bool { return string(m[1]) == short }) {
		return ""
	}
	if m := phpNamespace.FindSubmatch(text); m != nil {
		return string(m[1]) + `\` + short
	}
	return short
}

// phpMethod finds what says on which methods the next one depends, and the methods.
var phpMethod = regexp.MustCompile(`@depends(?:[ \t]+(?:!?clone|shallowClone))?[ \t]+([\w:\\]+)|#\[\\?(?:[\w\\]*\\)?Depends\w*\(\s*['"](\w+)['"]|\bfunction\s+&?([\w\x80-\xff]+)\s*\(`)

// phpunitDepends are the methods of the same class that each of a file's methods depends on. Alone, such a method is skipped.
func phpunitDepends(file string) map[string][]string {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	depends := map[string][]string{}
	var pending []string
	for _, m := range phpMethod.FindAllSubmatch(text, -1) {
		switch {
		case m[3] != nil:
			if len(pending) > 0 {
				depends[string(m[3])] = pending
			}
			pending = nil
		case m[2] != nil:
			pending = append(pending, string(m[2]))
		default:
			name := string(m[1])
			pending = append(pending, name[strings.LastIndexByte(name, ':')+1:])
		}
	}
	return depends
}
