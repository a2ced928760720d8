package runner

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The placeholders of a command template.
const (
	inTests     = "{tests}"
	inTestsFile = "{tests_file}"
	inJUnit     = "{junit}"
	inJUnitDir  = "{junit_dir}"
	inArtifacts = "{artifacts}"
	inBatch     = "{batch}"
)

// maxArgs is how many bytes the arguments and the environment of one process may take. Linux allows a quarter of the stack
// limit, commonly 2 MiB, macOS 1 MiB; what exceeds it is split into several processes.
const maxArgs = 960 << 10

// ownArgs of maxArgs are kept for the paths of a run, in place of placeholders and in its environment.
const ownArgs = 16 << 10

// Command is a Runner for any test runner that writes JUnit XML: a command template, run once for each batch (several
// times if the batch's names exceed what a command line can hold).
//
// In its arguments these words are replaced, wherever they stand; other words in braces stay as they are:
//
//	{tests}       the names of the batch's tests, one argument each; only as an argument by itself
//	{tests_file}  a file that holds them, one a line
//	{junit}       the file that the command is to write its JUnit report to
//	{junit_dir}   the folder of that file, empty at the start; all *.xml files below it count
//	{artifacts}   a folder for this batch that is kept if anything is in it
//	{batch}       the number of the batch, as this worker counts
//
// With neither {tests} nor {tests_file} the names come on stdin, one a line; otherwise stdin is empty. The environment
// tells the files as well: SHARD_TESTS_FILE and SHARD_JUNIT. Names are handed over as they are. So one that begins with
// "-" looks like an option: put "--" before {tests} if the runner takes it, or use {tests_file}.
//
// The JUnit files that this run of the command wrote, and nothing else, say which tests were executed: a test is executed
// if a case belongs to it by the rules of junit.Index. It failed if one of its cases failed or errored, is skipped if all of
// them are, and passed otherwise. The exit status is not believed when it says 0, and is looked into when it does not:
//
//   - The report holds all tests, but a case failed that is none of them, or the status is not 0 although nothing
//     failed, or the command was killed, or a file cannot be read: a batch.ProblemFound.
//   - The report leaves out tests: they have no Finish, and run again alone. If beside that anything is strange (the same
//     list, or a death by signal or time limit), what the report calls passed or skipped is not believed either and runs
//     again alone: several runners list a test that they lost as passed.
//   - A test that is alone and left out ends as batch.Timeout, batch.Crashed (also when a shell's status says so), batch.Failed
//     if the report shows another failure in its stead (its file cannot be loaded), or batch.Unexecuted.
//
// A command that has to be stopped is judged by what it had written before.
type Command struct {
	// path of the command and its arguments, with placeholders.
	path string
	argv []string
	// artifacts is the folder for {artifacts}, absolute, empty if there is none.
	artifacts string
	// say gets what a person should know; nil: nobody.
	say func(string)
}

// NewCommand makes a Command of a template and the folder in which {artifacts} are kept (empty: none). The error says what is wrong
// with the template or that there is no such command.
func NewCommand(argv []string, artifacts string) (*Command, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New(`no command: write the command that runs the tests after "--"`)
	}
	for _, arg := range argv {
		switch {
		case arg != inTests && strings.Contains(arg, inTests):
			return nil, fmt.Errorf(`the argument %q contains %s, which must be an argument by itself because it becomes one argument for each `+
				`test: use {tests_file} instead, or, in a shell's script, "$@" (sh -c '… "$@"' sh {tests})`, arg, inTests)
		case artifacts == "" && strings.Contains(arg, inArtifacts):
			return nil, fmt.Errorf("the argument %q contains %s, but there is no folder to keep them: add --artifacts DIR", arg, inArtifacts)
		}
	}
	c := &Command{argv: argv[1:]}
	if c.count(inTests) > 1 {
		return nil, fmt.Errorf("the command has %s twice", inTests)
	}
	var err error
	if c.path, err = exec.LookPath(argv[0]); err != nil {
		hint := "add its folder to PATH, or write its path as in ./bin/run-tests"
		if strings.Contains(argv[0], " ") {
			hint = "write the words of a command as arguments of their own, not in quotes"
		}
		return nil, fmt.Errorf("the command %q cannot be run: %w; %s", argv[0], errors.Unwrap(err), hint)
	}
	if artifacts != "" {
		if c.artifacts, err = filepath.Abs(artifacts); err != nil {
			return nil, fmt.Errorf("the folder for artifacts: %w", err)
		}
	}
	return c, nil
}

// name is what the command is called in messages.
func (c *Command) name() string { return filepath.Base(c.path) }

// count says how many arguments contain the placeholder.
func (c *Command) count(placeholder string) int {
	n := 0
	for _, arg := range c.argv {
		if strings.Contains(arg, placeholder) {
			n++
		}
	}
	return n
}

// stdin says whether the command gets the names on stdin.
func (c *Command) stdin() bool { return c.count(inTests)+c.count(inTestsFile) == 0 }

// args returns the arguments of a run.
func (c *Command) args(ids []string, files runFiles, number int) []string {
	// A Replacer looks at no text twice: a path that contains "{batch}" stays as it is.
	replace := strings.NewReplacer(inTestsFile, files.tests, inJUnit, files.junit(), inJUnitDir, files.junitDir,
		inArtifacts, files.artifacts, inBatch, strconv.Itoa(number))
	var args []string
	for _, arg := range c.argv {
		if arg == inTests {
			args = append(args, ids...)
		} else {
			args = append(args, replace.Replace(arg))
		}
	}
	return args
}

// split cuts ids into parts that one command line can hold beside other bytes of arguments and environment. A part has at
// least one id.
func (c *Command) split(ids []string, other int) [][]string {
	if c.count(inTests) == 0 {
		return [][]string{ids}
	}
	var parts [][]string
	start, size := 0, other
	for i, id := range ids {
		n := argBytes(id)
		if i > start && size+n > maxArgs {
			parts = append(parts, ids[start:i])
			start, size = i, other
		}
		size += n
	}
	return append(parts, ids[start:])
}

// argBytes is what strings take of the kernel's room for arguments and environment: their bytes, a NUL and a pointer each.
func argBytes(list ...string) int {
	n := 0
	for _, s := range list {
		n += len(s) + 1 + 8
	}
	return n
}

// runFiles are the files of one run of a command. Every run has its own: what an earlier one wrote proves nothing.
type runFiles struct {
	// folder holds all but artifacts. It is removed after the run.
	folder string
	// tests holds the names.
	tests string
	// junitDir is for the report.
	junitDir string
	// artifacts is empty if the command does not ask for it.
	artifacts string
}

func newRunFiles(ids []string, artifacts string) (f runFiles, err error) {
	f.artifacts = artifacts
	if f.folder, err = os.MkdirTemp("", "shard-batch-*"); err != nil {
		return f, err
	}
	f.tests, f.junitDir = filepath.Join(f.folder, "tests.txt"), filepath.Join(f.folder, "junit")
	if err = os.Mkdir(f.junitDir, 0o700); err == nil {
		err = os.WriteFile(f.tests, []byte(strings.Join(ids, "\n")+"\n"), 0o600)
	}
	if err != nil {
		f.remove()
	}
	return f, err
}

func (f runFiles) junit() string { return filepath.Join(f.junitDir, "junit.xml") }

func (f runFiles) env() []string {
	return []string{"SHARD_TESTS_FILE=" + f.tests, "SHARD_JUNIT=" + f.junit()}
}

// remove takes away what it may: files that the command made as another user stay.
func (f runFiles) remove() { _ = os.RemoveAll(f.folder) }
