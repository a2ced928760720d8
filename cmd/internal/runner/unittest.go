package runner

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// unittest's unit is the id of a test, package.module.Class.test, or its beginning: a class, or a module (granularity file). A
// module that cannot be loaded is a unit, and fails. Options are those of `python3 -m unittest discover`.
var unittest = preset{
	name: "unittest",
	recognise: func(dir string) string {
		if pytestConfig(dir) != "" {
			return ""
		}
		for _, pattern := range []string{"test*.py", "test*/test*.py", "*/test*.py"} {
			files, _ := filepath.Glob(filepath.Join(dir, pattern))
			for _, file := range files {
				if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "unittest.TestCase") {
					return strings.TrimPrefix(filepath.ToSlash(file), "./")
				}
			}
		}
		return ""
	},
	units:   []string{unitTest, unitClass, unitFile},
	failing: []int{1},
	command: func(dir string) ([]string, error) {
		if path := pythonTool(dir, "python"); path != "" {
			return []string{path}, nil
		}
		for _, name := range []string{"python3", "python"} {
			if _, err := exec.LookPath(name); err == nil {
				return []string{name}, nil
			}
		}
		return nil, errors.New("python3 is not in PATH; --runner-command \"poetry run python\" says how to start it")
	},
	keeps: true, lasts: true, foretells: true,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		// -u: what a test prints before it kills its process is not lost.
		args := slices.Concat(t.words[1:], []string{"-u", t.plugin("python/shard_unittest.py")}, t.o.Args)
		return toolProcess{process: process{Path: t.words[0], Args: args}}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		if len(t.o.Args) == 0 {
			return slices.Concat(t.words, []string{"-m", "unittest", id})
		}
		return slices.Concat(t.words, []string{"-m", "unittest", "discover"}, t.o.Args, []string{"-k", id})
	},
}

// pythonTool returns the path of a command in the virtual environment of a project; empty if there is none.
func pythonTool(dir, name string) string {
	for _, env := range []string{".venv", "venv"} {
		if path, err := exec.LookPath(filepath.Join(dir, env, "bin", name)); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path
			}
		}
	}
	return ""
}
