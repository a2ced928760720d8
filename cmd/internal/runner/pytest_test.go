package runner

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// scopes notes when fixtures of each scope are set up and torn down.
const scopes = `
import pytest

def note(scope):
    @pytest.fixture(scope=scope, name=scope + "_")
    def fixture(request):
        with open("log.txt", "a") as log:
            log.write("+%s %s\n" % (scope, request.node.name))
        yield
        with open("log.txt", "a") as log:
            log.write("-%s %s\n" % (scope, request.node.name))
    return fixture

session, package, module, klass = map(note, ["session", "package", "module", "class"])
`

const usesAll = `
import pytest

@pytest.mark.usefixtures("session_", "package_", "module_", "class_")
class TestC:
    def test_1(self): pass
    def test_2(self): pass
`

// TestPytestScopes says that fixtures live as long in a process that is kept as in one that runs all tests at once.
func TestPytestScopes(t *testing.T) {
	p := newPytest(t, Options{Persistent: "on"}, ".", "pytest.ini", "[pytest]\naddopts = --import-mode=importlib\n", "p/conftest.py", scopes,
		"p/__init__.py", "", "p/test_a.py", usesAll, "p/test_b.py", usesAll, "test_c.py", "def test_last(): pass\n")
	for _, id := range []string{"p/test_a.py::TestC::test_1", "p/test_a.py::TestC::test_2", "p/test_b.py::TestC::test_1", "p/test_b.py::TestC::test_2", "test_c.py::test_last"} {
		same(t, id, p.run(id), []string{"passed " + id})
	}
	same(t, "at rest", p.rest(), nil)
	log, err := os.ReadFile("log.txt")
	must(t, err)
	var got []string
	for line := range strings.Lines(string(log)) {
		got = append(got, strings.Fields(line)[0])
	}
	same(t, "log.txt", got, strings.Fields("+session +package +module +class -class -module +module +class -class -module -package -session"))
}

const breaksAtEnd = `
import pytest

@pytest.fixture(scope="SCOPE")
def shared():
    yield
    raise RuntimeError("the SCOPE's end")

def test_1(shared): pass
def test_2(shared): pass
`

// TestPytestSharedTeardown says that what fails when shared fixtures are torn down is told: as the failure of the last test, or
// where its result was told already, as a problem.
func TestPytestSharedTeardown(t *testing.T) {
	module, session := strings.ReplaceAll(breaksAtEnd, "SCOPE", "module"), strings.ReplaceAll(breaksAtEnd, "SCOPE", "session")
	t.Run("run", func(t *testing.T) {
		p := newPytest(t, Options{Persistent: "off"}, ".", "test_a.py", module, "test_b.py", session)
		same(t, "run", p.run("test_a.py::test_1", "test_a.py::test_2", "test_b.py::test_1"), []string{"passed test_a.py::test_1",
			"failed test_a.py::test_2 teardown failed: RuntimeError: the module's end", "failed test_b.py::test_1 teardown failed: RuntimeError: the session's end"})
	})
	t.Run("persistent", func(t *testing.T) {
		p := newPytest(t, Options{Persistent: "on"}, ".", "test_a.py", module, "test_b.py", session)
		same(t, "first", p.run("test_a.py::test_1"), []string{"passed test_a.py::test_1"})
		same(t, "second", p.run("test_a.py::test_2"), []string{"passed test_a.py::test_2"})
		same(t, "third", p.run("test_b.py::test_1"), []string{
			"problem pytest: teardown of a shared fixture after test_a.py::test_2: RuntimeError: the module's end", "passed test_b.py::test_1"})
		same(t, "at rest", p.rest(), []string{"problem pytest: teardown of a shared fixture after test_b.py::test_1: RuntimeError: the session's end"})
	})
}

// TestPytestKeptDies says that a test that ends the process that is kept is charged alone, and that the next batch has another.
func TestPytestKeptDies(t *testing.T) {
	p := newPytest(t, Options{Persistent: "on"}, ".", "test_a.py", `
import os, pytest
def test_ok(): pass
def test_exit(): os._exit(0)
def test_quits(): pytest.exit("enough", returncode=0)
def test_later(): pass
`)
	same(t, "first", p.run("test_a.py::test_ok", "test_a.py::test_exit", "test_a.py::test_later"), []string{
		"passed test_a.py::test_ok", "crashed test_a.py::test_exit its process ended before the test did: exit status 0"})
	same(t, "second", p.run("test_a.py::test_quits", "test_a.py::test_later"), []string{"failed test_a.py::test_quits pytest.exit: enough"})
	same(t, "third", p.run("test_a.py::test_later"), []string{"passed test_a.py::test_later"})
	same(t, "at rest", p.rest(), nil)
}

// TestPytestFolders says that ids are those of the current folder, wherever pytest has its rootdir and the tests are.
func TestPytestFolders(t *testing.T) {
	files := []string{"pytest.ini", "[pytest]\npython_files = check_*.py\n", "outside/check_b.py", "def test_b(): pass\n",
		"sub/check_a.py", "def test_a(): assert 0\nclass TestC:\n  def test_c(self): pass\n", "sub/deeper/check_d.py", "def test_d(): pass\n", "sub/deeper/pytest.ini", "[pytest]\n"}
	for _, persistent := range []string{"on", "off"} {
		var said []string
		p := newPytest(t, Options{Persistent: persistent, Say: func(s string) { said = append(said, s) }}, "sub", files...)
		all := []string{"../outside/check_b.py::test_b", "check_a.py::test_a", "check_a.py::TestC::test_c", "deeper/check_d.py::test_d"}
		same(t, "list", p.list("../outside", "check_a.py", "deeper"), all)
		same(t, "said", said, []string{"deeper/pytest.ini is not used, as pytest runs in this folder: give -c deeper/pytest.ini after --, or start in that folder"})
		same(t, "list of a class", p.list("check_a.py::TestC"), all[2:3])
		same(t, "run", p.run(all...), []string{"passed " + all[0], "failed " + all[1] + " assert 0", "passed " + all[2], "passed " + all[3]})
		if got, want := p.Reproduce(all[2]), "pytest check_a.py::TestC::test_c"; got != want {
			t.Errorf("reproduce: %s; want %s", got, want)
		}
	}
}

// TestPytestGranularity says what the units of classes and files are, and that one is failed if a part of it is.
func TestPytestGranularity(t *testing.T) {
	files := []string{"test_a.py", "class TestC:\n  def test_1(self): pass\n  def test_2(self): assert 0\n  class TestD:\n    def test_3(self): pass\ndef test_4(): pass\n",
		"test_b.py", "import pytest\n@pytest.mark.skip(reason='no')\ndef test_5(): pass\n", "test_c.py", "import nothing\n"}
	for granularity, want := range map[string][]string{
		"class": {"failed test_a.py::TestC test_2: assert 0", "passed test_a.py::test_4", "skipped test_b.py::test_5 no", "failed test_c.py cannot be collected: ModuleNotFoundError: No module named 'nothing'"},
		"file":  {"failed test_a.py test_2: assert 0", "skipped test_b.py no", "failed test_c.py cannot be collected: ModuleNotFoundError: No module named 'nothing'"},
	} {
		for _, persistent := range []string{"on", "off"} {
			p := newPytest(t, Options{Granularity: granularity, Persistent: persistent}, ".", files...)
			got := p.run(p.list()...)
			slices.Sort(got)
			slices.Sort(want)
			same(t, granularity+" "+persistent, got, want)
		}
	}
}

// TestPytestNeverSilent holds projects that pytest cannot read against what the list then says.
func TestPytestNeverSilent(t *testing.T) {
	for name, c := range map[string]struct {
		files    []string
		args     []string
		patterns []string
		want     string
	}{
		"conftest":        {[]string{"conftest.py", "import nothing\n", "test_a.py", ""}, nil, nil, "No module named 'nothing'"},
		"conftest below":  {[]string{"a/conftest.py", "import nothing\n", "a/test_a.py", "def test_a(): pass\n"}, nil, nil, "No module named 'nothing'"},
		"hook":            {[]string{"conftest.py", "def pytest_collection_modifyitems(): 1/0\n", "test_a.py", "def test_a(): pass\n"}, nil, nil, "ZeroDivisionError"},
		"unknown option":  {[]string{"test_a.py", "def test_a(): pass\n"}, []string{"--strange"}, nil, "unrecognized arguments: --strange"},
		"another task":    {[]string{"test_a.py", "def test_a(): pass\n"}, []string{"--version"}, nil, "told no list; does one of its options ask for something else?"},
		"unknown pattern": {[]string{"test_a.py", "def test_a(): pass\n"}, nil, []string{"test_b.py"}, "file or directory not found: test_b.py"},
		"exit":            {[]string{"test_a.py", "import pytest\npytest.exit('enough', returncode=0)\n"}, nil, nil, "enough"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPytest(t, Options{Args: c.args}, ".", c.files...)
			tests, err := p.List(t.Context(), c.patterns)
			said := fmt.Sprint(err)
			if err == nil { // a unit that fails
				said = strings.Join(p.run(batch.Batch{Tests: tests}.IDs()...), "\n")
				if !strings.Contains(said, "failed ") {
					t.Errorf("no error and no failure: %s", said)
				}
			}
			if !strings.Contains(said, c.want) {
				t.Errorf("%q does not say %q", said, c.want)
			}
		})
	}
}

// TestPytestHidden says that a test sees nothing of the plugin, nor what it starts.
func TestPytestHidden(t *testing.T) {
	t.Setenv("PYTHONPATH", "/nowhere")
	for _, persistent := range []string{"on", "off"} {
		p := newPytest(t, Options{Persistent: persistent}, ".", "inner/test_inner.py", "def test_inner(): pass\n", "test_a.py", `
import os, signal, subprocess, sys

def test_environment():
    assert os.environ["PYTHONPATH"] == "/nowhere"
    assert not [name for name in os.environ if name in ("SHARD_SOCKET", "SHARD_MODE", "SHARD_TESTS_FILE")]
    assert not [path for path in sys.path if "shard-plugin" in path]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL

def test_pytest_in_pytest():
    out = subprocess.run([sys.executable, "-m", "pytest", "inner"], capture_output=True, text=True)
    assert "1 passed" in out.stdout, out

def test_fork():
    child = os.fork()
    if child == 0:
        sys.exit()  # goes on as if it were pytest
    assert os.waitpid(child, 0)[1] != 0

def test_after(): pass
`)
		ids := p.list("test_a.py")
		var want []string
		for _, id := range ids {
			want = append(want, "passed "+id)
		}
		same(t, persistent, p.run(ids...), want)
		same(t, "at rest", p.rest(), nil)
	}
}

// TestPytestNotCalled says that a test whose body nobody called has not passed.
func TestPytestNotCalled(t *testing.T) {
	const why = "failed test_a.py::test_swallowed pytest did not call it: another plugin, a conftest.py or an option such as --setup-only kept it from running"
	for _, persistent := range []string{"on", "off"} {
		p := newPytest(t, Options{Persistent: persistent}, ".", "test_a.py", "def test_swallowed(): pass\ndef test_b(): pass\n",
			"conftest.py", "def pytest_runtest_protocol(item):\n  return item.name == 'test_swallowed' or None\n")
		same(t, "hook", p.run(p.list()...), []string{why, "passed test_a.py::test_b"})
		p = newPytest(t, Options{Persistent: persistent, Args: []string{"--setup-only"}}, ".", "test_a.py", "def test_swallowed(): pass\n")
		same(t, "--setup-only", p.run(p.list()...), []string{why})
		p = newPytest(t, Options{Persistent: persistent, Args: []string{"--trace"}}, ".", "test_a.py", "def test_a(): assert 0\n")
		same(t, "--trace", p.run(p.list()...), []string{"failed test_a.py::test_a assert 0"})
	}
}

// TestPytestSkippedFile says that a process is not to blame if all it was given was skipped, or is of a file with an error
// elsewhere.
func TestPytestSkippedFile(t *testing.T) {
	for _, persistent := range []string{"on", "off"} {
		p := newPytest(t, Options{Persistent: persistent}, ".", "test_a.py", "import pytest\npytest.skip('no', allow_module_level=True)\n")
		same(t, "run", p.run("test_a.py"), []string{"skipped test_a.py no"})
		same(t, "at rest", p.rest(), nil)
	}
}

// TestPytestStack says that a test that hangs shows where.
func TestPytestStack(t *testing.T) {
	p := newPytest(t, Options{}, ".", "test_a.py", "import time\ndef waits(): time.sleep(600)\ndef test_hang(): waits()\n")
	var o batch.Outcome
	job := Job{Batch: batch.Batch{Number: 1, Tests: []batch.Test{{ID: "test_a.py::test_hang"}}}, Limits: Limits{Test: time.Second, Grace: time.Second}}
	must(t, p.Run(t.Context(), job, func(events ...batch.Event) {
		for _, e := range events {
			if e.Type == batch.Finish {
				o = e.Outcome
			}
		}
	}))
	if o.Status != batch.Timeout || !strings.Contains(o.Output, "line 2 in waits") {
		t.Errorf("%s: %s", o.Status, o.Output)
	}
}
