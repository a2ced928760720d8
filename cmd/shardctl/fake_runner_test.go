package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

// fakeRunnerWord as the first argument makes a test runner of this test binary.
const fakeRunnerWord = "@fake-runner"

// fake is a command template whose command is a test runner as shardctl knows none; see fakeRunner for its flags.
func fake(t *testing.T, args ...string) []string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	return append([]string{"--", self, fakeRunnerWord}, args...)
}

// with joins the arguments of a command and a template.
func with(template []string, args ...string) []string { return append(args, template...) }

// fakeRunner runs nothing, and reports all tests that it is given as passed. Where they come from: arguments, a file
// (-file), or stdin (-stdin).
func fakeRunner(args []string) int {
	flags := flag.NewFlagSet("fake runner", flag.ExitOnError)
	file := flags.String("file", "", "read names from this file")
	stdin := flags.Bool("stdin", false, "read names from stdin")
	report := flags.String("junit", "", "write this JUnit file")
	mode := flags.String("mode", "", "silent: no JUnit; broken: half a JUnit; stranger: a foreign case fails; fail: all fail")
	at := flags.String("barrier", "", "folder: names that begin with \"block\" wait until there is a file \"open\" in it")
	failing := flags.String("failing", "", "the names in this file, one a line, fail")
	log := flags.String("log", "", "add a line for each name to this file, quoted")
	_ = flags.Parse(args)

	names := flags.Args()
	var list []byte
	var err error
	if *file != "" {
		list, err = os.ReadFile(*file)
	} else if *stdin {
		list, err = io.ReadAll(os.Stdin)
	}
	for line := range strings.Lines(string(list)) {
		names = append(names, strings.TrimSuffix(line, "\n"))
	}
	if err == nil && *log != "" {
		err = appendLog(*log, names)
	}
	if err == nil && *at != "" && slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "block") }) {
		err = block(*at)
	}
	if err == nil && *mode != "silent" {
		err = writeFake(*report, *mode, *failing, names)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "fake runner:", err)
		return 70
	case *mode == "stranger" || *mode == "fail":
		return 1
	}
	return 0
}

func appendLog(path string, names []string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintln(&b, strconv.Quote(name))
	}
	_, err = f.WriteString(b.String())
	return err
}

// block announces this process in a folder, and waits for a file that lets it go.
func block(dir string) error {
	pid := strconv.Itoa(os.Getpid())
	if err := os.WriteFile(filepath.Join(dir, "blocked."+pid), nil, 0o644); err != nil {
		return err
	}
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "open")); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nobody opened the barrier")
		}
	}
}

func writeFake(path, mode, failing string, names []string) error {
	bad, err := os.ReadFile(failing)
	if failing != "" && err != nil {
		return err
	}
	suite := junit.Suite{Name: "fake"}
	for _, name := range names {
		c := junit.Case{Classname: "fake", Name: name, Status: junit.Passed}
		if mode == "fail" || slices.Contains(strings.Split(string(bad), "\n"), name) {
			c.Status, c.Message = junit.Failed, "it fails on purpose"
		}
		suite.Cases = append(suite.Cases, c)
	}
	if mode == "stranger" {
		suite.Cases = append(suite.Cases, junit.Case{Name: "afterAll", Status: junit.Failed, Message: "the database is still there"})
	}
	var b strings.Builder
	if err := junit.Write(&b, junit.Report{Suites: []junit.Suite{suite}}); err != nil {
		return err
	}
	text := b.String()
	if mode == "broken" {
		text = text[:len(text)/2]
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// barrier is a folder at which tests of the fake runner wait that begin with "block".
type barrier string

// open lets all of them go, now and from now on.
func (g barrier) open(t *testing.T) { t.Helper(); write(t, string(g), "open", "") }

// blocked waits until n processes have come to the barrier, ever, and returns their ids.
func (g barrier) blocked(t *testing.T, n int) []int {
	t.Helper()
	var pids []int
	until(t, fmt.Sprintf("%d processes at the barrier", n), func() bool {
		files, err := filepath.Glob(filepath.Join(string(g), "blocked.*"))
		must(t, err)
		pids = nil
		for _, file := range files {
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(file), "."))
			must(t, err)
			pids = append(pids, pid)
		}
		return len(pids) >= n
	})
	return pids
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
