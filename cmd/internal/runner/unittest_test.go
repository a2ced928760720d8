package runner

import (
	"os"
	"strings"
	"testing"
)

const sharedHooks = `
import unittest

def setUpModule(): print("module")
def tearDownModule(): raise RuntimeError("the module's end")

def note(text):
    with open("log.txt", "a") as log:
        log.write(text + "\n")

class A(unittest.TestCase):
    @classmethod
    def setUpClass(cls): note("+A")
    @classmethod
    def tearDownClass(cls): note("-A")
    def test_1(self): pass
    def test_2(self): pass

class B(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): raise RuntimeError("the class's end")
    def test_1(self): pass
`

// TestUnittestHooks says that classes and modules are set up once in a process that is kept, and that what fails when they are
// torn down is told.
func TestUnittestHooks(t *testing.T) {
	const a1, a2, b1, last = "test_a.A.test_1", "test_a.A.test_2", "test_a.B.test_1", "test_b.C.test_last"
	class, module := "problem unittest: tearDownClass of test_a.B: RuntimeError: the class's end", "problem unittest: tearDownModule of test_a: RuntimeError: the module's end"
	files := []string{"test_a.py", sharedHooks, "test_b.py", "import unittest\nclass C(unittest.TestCase):\n  def test_last(self):\n    self.assertEqual(open('log.txt').read(), '+A\\n-A\\n')\n"}
	t.Run("run", func(t *testing.T) {
		p := newProject(t, Options{Name: "unittest", Persistent: "off"}, ".", files...)
		same(t, "run", p.run(b1, a2, last, a1), []string{"passed " + a2, "passed " + a1, "passed " + b1, class, module, "passed " + last})
	})
	t.Run("persistent", func(t *testing.T) {
		p := newProject(t, Options{Name: "unittest", Persistent: "on"}, ".", files...)
		for _, id := range []string{a1, a2, b1} {
			same(t, id, p.run(id), []string{"passed " + id})
		}
		same(t, last, p.run(last), []string{class, module, "passed " + last})
		same(t, "at rest", p.rest(), nil)
	})
}

// TestUnittestOptions says how tests are found where the options of discovery say so.
func TestUnittestOptions(t *testing.T) {
	files := []string{"src/checks/check_a.py", "import unittest, helper\nclass A(unittest.TestCase):\n  def test_1(self): pass\n  def test_2(self): pass\n", "src/checks/helper.py", "",
		"src/checks/sub/__init__.py", "", "src/checks/sub/check_b.py", "import unittest\nclass B(unittest.TestCase):\n  def test_3(self): pass\n"}
	args := []string{"-s", "src/checks", "-p", "check_*.py"}
	p := newProject(t, Options{Name: "unittest", Args: args}, ".", files...)
	all := []string{"check_a.A.test_1", "check_a.A.test_2", "sub.check_b.B.test_3"}
	same(t, "list", p.list(), all)
	same(t, "list of a class", p.list("check_a.A"), all[:2])
	same(t, "list of a package", p.list("sub"), all[2:])
	same(t, "run", p.run(all...), []string{"passed " + all[0], "passed " + all[1], "passed " + all[2]})
	same(t, "unknown", p.run("check_a.A.test", "check_a"), []string{"passed check_a"})
	if got, want := p.Reproduce(all[0]), "python3 -m unittest discover -s src/checks -p 'check_*.py' -k check_a.A.test_1"; got != want {
		t.Errorf("reproduce: %s; want %s", got, want)
	}
	p.o.Granularity = unitClass
	same(t, "classes", p.list(), []string{"check_a.A", "sub.check_b.B"})
	p.o.Granularity = unitFile
	same(t, "modules", p.list(), []string{"check_a", "sub.check_b"})
	if _, err := p.List(t.Context(), []string{"check_c"}); err == nil || !strings.Contains(err.Error(), "check_c: there is no such test") {
		t.Errorf("an unknown pattern: %v", err)
	}
	p.o.Args = append(args, "--strange")
	if _, err := p.List(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "unrecognized arguments: --strange") {
		t.Errorf("an unknown option: %v", err)
	}
}

// A test runs once, also where others had to be looked for everywhere.
func TestUnittestOnce(t *testing.T) {
	note := "import unittest\nclass A(unittest.TestCase):\n  def test_1(self): open('log.txt', 'a').write('x')\n"
	p := newProject(t, Options{Name: "unittest", Persistent: "off"}, ".", "test_a.py", note)
	same(t, "run", p.run("nowhere.A.test_1", "test_a.A.test_1"), []string{"passed test_a.A.test_1"})
	if log, err := os.ReadFile("log.txt"); err != nil || string(log) != "x" {
		t.Errorf("ran %q, %v", log, err)
	}
}
