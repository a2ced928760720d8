package runner

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// pytest's unit is a node id: tests/test_a.py::TestClass::test_one[param]; with granularity class or file its beginning.
// A file that cannot be collected is a unit, and fails.
var pytest = preset{
	name: "pytest",
	recognise: func(dir string) string {
		for _, file := range []string{
			exists(dir, "pytest.ini", ".pytest.ini", "conftest.py"), mentions(dir, "pyproject.toml", "[tool.pytest"),
			mentions(dir, "tox.ini", "[pytest]"), mentions(dir, "setup.cfg", "[tool:pytest]"),
		} {
			if file != "" {
				return file
			}
		}
		return ""
	},
	units: []string{unitTest, unitClass, unitFile},
	command: func(string) ([]string, error) {
		if _, err := exec.LookPath("pytest"); err == nil {
			return []string{"pytest"}, nil
		}
		if python, err := exec.LookPath("python3"); err == nil {
			return []string{python, "-m", "pytest"}, nil
		}
		return nil, errors.New("neither pytest nor python3 is in PATH; install them, or say how pytest is started: --runner-command \"poetry run pytest\"")
	},
	keeps: true, lasts: true,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		args := slices.Concat(t.words[1:], []string{"-p", "shard_pytest"}, t.o.Args)
		switch in.mode {
		case listing:
			args = append(args, in.patterns...)
		case running:
			args = append(args, pytestFiles(in.ids)...)
		}
		return toolProcess{process: process{Path: t.words[0], Args: args,
			Env: []string{"PYTHONPATH=" + prependPath(filepath.Dir(t.plugin("pytest/shard_pytest.py")), "PYTHONPATH")}}}, nil
	},
	reproduce: func(t *Tool, id string) []string { return slices.Concat(t.words, t.o.Args, []string{id}) },
}

// pytestFiles are the files of units, each once.
func pytestFiles(ids []string) []string {
	var files []string
	for _, id := range ids {
		if file, _, _ := strings.Cut(id, "::"); !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	return files
}
