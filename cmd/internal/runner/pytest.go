package runner

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// pytest's unit is a node id: tests/test_a.py::TestClass::test_one[param]; with granularity class or file its beginning. It is
// relative to the current folder, not to pytest's rootdir. A file or folder that cannot be collected is a unit, and fails.
//
// Every process is started as `pytest OPTIONS` in the current folder, and the plugin says what is collected: were files or
// patterns given as arguments, then pytest's rootdir, its configuration and the conftest files that it reads first would differ
// from batch to batch. Paths among the options tell pytest where they are, and what is listed if there are no patterns.
var pytest = preset{
	name:      "pytest",
	recognise: pytestConfig,
	units:     []string{unitTest, unitClass, unitFile},
	command: func(dir string) ([]string, error) {
		if path := pythonTool(dir, "pytest"); path != "" {
			return []string{path}, nil
		}
		if _, err := exec.LookPath("pytest"); err == nil {
			return []string{"pytest"}, nil
		}
		if python, err := exec.LookPath("python3"); err == nil && exec.Command(python, "-c", "import pytest").Run() == nil {
			return []string{python, "-m", "pytest"}, nil
		}
		return nil, errors.New("pytest is not installed (`python3 -m pip install pytest`), or is not in PATH; --runner-command \"poetry run pytest\" says how to start it")
	},
	keeps: true, lasts: true, foretells: true,
	start: func(t *Tool, in invocation) (toolProcess, error) {
		for _, pattern := range in.patterns {
			if file := pytestConfigBelow(pattern); file != "" && t.o.Say != nil {
				t.o.Say(fmt.Sprintf("%s is not used, as pytest runs in this folder: give -c %s after --, or start in that folder", file, file))
			}
		}
		return toolProcess{process: process{Path: t.words[0], Args: slices.Concat(t.words[1:], []string{"-p", "shard_pytest"}, t.o.Args),
			Env: []string{"PYTHONPATH=" + prependPath(filepath.Dir(t.plugin("python/shard_pytest.py")), "PYTHONPATH")}}}, nil
	},
	reproduce: func(t *Tool, id string) []string { return slices.Concat(t.words, t.o.Args, []string{id}) },
}

// pytestConfig returns the file by which pytest, or a person, knows that dir is a project's folder.
func pytestConfig(dir string) string {
	for _, file := range []string{
		exists(dir, "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"), mentions(dir, "pyproject.toml", "[tool.pytest"),
		mentions(dir, "tox.ini", "[pytest]"), mentions(dir, "setup.cfg", "[tool:pytest]"), exists(dir, "conftest.py", "tests/conftest.py", "test/conftest.py"),
	} {
		if file != "" {
			return file
		}
	}
	return ""
}

// pytestConfigBelow returns the configuration that pytest would use if it got pattern as an argument, where that is not the one
// of the current folder.
func pytestConfigBelow(pattern string) string {
	dir, _, _ := strings.Cut(pattern, "::")
	for dir = filepath.Clean(dir); filepath.IsLocal(dir) && dir != "."; dir = filepath.Dir(dir) {
		if file := pytestConfig(dir); file != "" && filepath.Ext(file) != ".py" {
			return filepath.Join(dir, file)
		}
	}
	return ""
}
