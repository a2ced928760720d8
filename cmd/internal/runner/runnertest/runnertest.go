// Package runnertest reads the projects of testdata/runners: one for each test runner, with what becomes of each of its
// tests.
//
// A project is a folder with a file want.txt:
//
//	# runner: pytest
//	# needs: pytest
//	# args: -q
//	# persistent: yes
//	passed	tests/test_a.py::test_ok
//	failed	tests/test_a.py::test_fail	boom	tests/test_a.py:12
//	problem	pytest	teardown of a shared fixture
//
// needs are commands, or files of the project, without which the project is passed over; args are options for the runner;
// persistent says that it is run in persistent mode too. The other lines are the verdict, tab-separated: status, unit, a part
// of the message, the place of the failure; or a problem's scope and a part of its message.
package runnertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// Required is the variable with the names of the projects that must not be passed over, separated by blanks; "all" for all.
const Required = "SHARD_TEST_RUNNERS"

// Project is a folder of testdata/runners.
type Project struct {
	// Name is the folder's, Dir its path.
	Name, Dir string
	// Runner is the preset; Args are options for the runner.
	Runner string
	Args   []string
	// Persistent: it is run in persistent mode too.
	Persistent bool
	// Want is what becomes of each unit, Problems what else goes wrong.
	Want     map[string]Verdict
	Problems []Problem

	needs []string
}

// Verdict of a unit. Message is a part of its message, Place "file:line"; empty: any.
type Verdict struct {
	Status         batch.Status
	Message, Place string
}

// Problem outside of the units. Message is a part of its message.
type Problem struct{ Scope, Message string }

// Projects reads all of them; root is the repository's.
func Projects(t testing.TB, root string) []Project {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "testdata/runners/*/want.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no projects below %s: %v", root, err)
	}
	var projects []Project
	for _, file := range files {
		p, err := read(file)
		if err != nil {
			t.Errorf("%s: %v", file, err) // the others are tested all the same
			continue
		}
		projects = append(projects, p)
	}
	return projects
}

func read(file string) (Project, error) {
	dir, err := filepath.Abs(filepath.Dir(file))
	p := Project{Name: filepath.Base(dir), Dir: dir, Want: map[string]Verdict{}}
	if err != nil {
		return p, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if head, ok := strings.CutPrefix(line, "# "); ok {
			name, value, _ := strings.Cut(head, ": ")
			switch name {
			case "runner":
				p.Runner = value
			case "needs":
				p.needs = strings.Fields(value)
			case "args":
				p.Args = strings.Fields(value)
			case "persistent":
				p.Persistent = value == "yes"
			}
			continue
		}
		columns := append(strings.Split(line, "\t"), "", "", "")
		switch {
		case line == "":
		case columns[0] == "problem":
			p.Problems = append(p.Problems, Problem{columns[1], columns[2]})
		default:
			p.Want[columns[1]] = Verdict{batch.Status(columns[0]), columns[2], columns[3]}
		}
	}
	if p.Runner == "" || len(p.Want) == 0 {
		return p, fmt.Errorf("it has no runner or no verdict")
	}
	return p, nil
}

// Need skips the test if the machine lacks what the project needs; see Required.
func (p Project) Need(t testing.TB) {
	t.Helper()
	required := strings.Fields(os.Getenv(Required))
	for _, need := range p.needs {
		var err error
		if strings.Contains(need, "/") {
			_, err = os.Stat(filepath.Join(p.Dir, need))
		} else {
			_, err = exec.LookPath(need)
		}
		switch {
		case err == nil:
		case slices.Contains(required, p.Name) || slices.Contains(required, "all"):
			t.Fatalf("project %s needs %s: %v (make runners installs it)", p.Name, need, err)
		default:
			t.Skipf("project %s needs %s: %v (make runners installs it)", p.Name, need, err)
		}
	}
}

// Status is the exit status of a run of the project.
func (p Project) Status() int {
	for _, v := range p.Want {
		if v.Status != batch.Passed && v.Status != batch.Skipped {
			return 1
		}
	}
	return min(1, len(p.Problems))
}

// Check compares what became of a unit with what the project wants.
func (p Project) Check(t testing.TB, how, id string, o batch.Outcome) {
	t.Helper()
	want, ok := p.Want[id]
	place := o.File
	if o.Line > 0 {
		place = fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	switch {
	case !ok:
		t.Errorf("%s: %s is a unit that want.txt does not know: %s", how, id, o.Status)
	case o.Status != want.Status || !strings.Contains(o.Message, want.Message) || want.Place != "" && place != want.Place:
		t.Errorf("%s: %s\n got %s, %q at %s\nwant %s, %q at %s\n%s", how, id, o.Status, o.Message, place, want.Status, want.Message, want.Place, o.Output)
	}
}

// CheckProblems compares the problems of a run with what the project wants: each problem explained, each explanation seen.
func (p Project) CheckProblems(t testing.TB, how string, got []batch.Problem) {
	t.Helper()
	fits := func(g batch.Problem, w Problem) bool {
		return g.Scope == w.Scope && strings.Contains(g.Message, w.Message)
	}
	for _, g := range got {
		if !slices.ContainsFunc(p.Problems, func(w Problem) bool { return fits(g, w) }) {
			t.Errorf("%s: unexpected problem: %s: %s\n%s", how, g.Scope, g.Message, g.Details)
		}
	}
	for _, w := range p.Problems {
		if !slices.ContainsFunc(got, func(g batch.Problem) bool { return fits(g, w) }) {
			t.Errorf("%s: no problem %s: %s", how, w.Scope, w.Message)
		}
	}
}
