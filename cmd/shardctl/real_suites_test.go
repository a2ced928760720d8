package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/junit"
)

// gostd are packages of Go's standard library: tests that nobody here wrote.
var gostd = strings.Fields("bufio bytes container/... encoding/csv encoding/hex errors flag html path/... sort strconv strings text/tabwriter")

// gostdWhole are most of its packages.
var gostdWhole = strings.Fields("archive/... bufio bytes compress/... container/... context database/... embed/... encoding/... errors expvar flag fmt go/ast go/build/... " +
	"go/constant go/doc/... go/format go/parser go/printer go/scanner go/token hash/... html/... index/... log/... math/... mime/... path/... regexp/... sort strconv " +
	"strings text/... time unicode/...")

// TestStandardLibrary runs them with `go test`, and with shardctl on an embedded server and on a real one with two worker
// processes: the same tests with the same statuses, and the same exit status.
func TestStandardLibrary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "GOFLAGS=") // a temporary folder that is no module
	want, status := goTest(t, w, gostd...)
	if status != 0 || len(want) < 900 {
		t.Fatalf("go test: exit status %d, %d tests", status, len(want))
	}

	embedded := filepath.Join(t.TempDir(), "junit.xml")
	args := append([]string{"run", "--runner", "go", "--junit", embedded, "--workers", "2"}, gostd...)
	w.run("shardctl", append(args, "--", "-short", "-vet=off")...).expect(t, status, "PASSED")
	sameTests(t, want, embedded)

	where := []string{"--redis-url", "redis://" + batchtest.StartReal(t).Addr, "--run-id", "r"}
	remote := filepath.Join(t.TempDir(), "junit.xml")
	args = append(append([]string{"run", "--runner", "go", "--junit", remote, "--expect-workers", "2"}, where...), gostd...)
	controller := w.start("shardctl", append(args, "--", "-short", "-vet=off")...)
	var workers []*process
	for range 2 {
		workers = append(workers, w.start("shardworker", append(where, "--runner", "go", "--", "-short", "-vet=off")...))
	}
	controller.wait().expect(t, status, "PASSED")
	for _, worker := range workers {
		worker.wait().expect(t, 0)
	}
	sameTests(t, want, remote)
	w.empty()
}

// TestDependencies does the same with modules that this project uses, as they stand in the module cache. What `go test` says
// of them is right, whatever it is: not all that they need to be tested is there.
func TestDependencies(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	must(t, err)
	for _, pattern := range []string{"github.com/google/go-cmp/...", "github.com/spf13/pflag/..."} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.dir = root
			want, status := goTest(t, w, pattern)
			report := filepath.Join(t.TempDir(), "junit.xml")
			w.run("shardctl", "run", "--runner", "go", "--workers", "2", "--junit", report, pattern, "--", "-short", "-vet=off").expect(t, status)
			if status == 0 {
				sameTests(t, want, report)
			}
			t.Logf("%d tests, exit status %d", len(want), status)
			w.empty()
		})
	}
}

// goTest returns what `go test` alone makes of packages: each test and subtest, as statuses names it, with its status.
func goTest(t *testing.T, w *world, patterns ...string) (map[string]junit.Status, int) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"test", "-json", "-short", "-vet=off", "-count=1"}, patterns...)...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.Output()
	status := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		must(t, err)
	}
	ends := map[string]junit.Status{"pass": junit.Passed, "fail": junit.Failed, "skip": junit.Skipped}
	all := map[string]junit.Status{}
	for line := range strings.Lines(string(out)) {
		var e struct{ Action, Package, Test string }
		must(t, json.Unmarshal([]byte(line), &e))
		if end, ok := ends[e.Action]; ok && e.Test != "" {
			all[e.Package+"::"+e.Test] = end
		}
	}
	return all, status
}

// pointer is an address in Go's heap on 64-bit systems as %v prints it: in a name it differs between any two runs.
var pointer = regexp.MustCompile(`0x[0-9a-f]{8,16}\b`)

// sameTests expects the tests of `go test` in a JUnit file, but for addresses in their names.
func sameTests(t *testing.T, want map[string]junit.Status, file string) {
	t.Helper()
	got := statuses(t, file)
	unpaired := func(a, b map[string]junit.Status) map[string]int {
		only := map[string]int{}
		for name, status := range a {
			if b[name] != status {
				only[fmt.Sprintf("%s: %s", pointer.ReplaceAllString(junit.Sanitize(name), "ADDRESS"), status)]++
			}
		}
		return only
	}
	missing, strange := unpaired(want, got), unpaired(got, want)
	if !maps.Equal(missing, strange) {
		t.Errorf("-go test +shardctl:\n%s", cmp.Diff(missing, strange))
	}
	if len(want) != len(got) {
		t.Errorf("%d tests with go test, %d with shardctl", len(want), len(got))
	}
	for name := range missing {
		if !strings.Contains(name, "ADDRESS") && !strings.ContainsRune(name, '\uFFFD') {
			t.Errorf("%s has no address in its name", name)
		}
	}
}
