package runner

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// loads is what a module of a test does to leave a line in log.txt for each process that loads it.
const loads = "import os\nopen('log.txt', 'a').write(os.environ['SHARD_WORKER_INDEX'] + ' ' + __name__ + '\\n')\n"

// expects makes p expect two slots, and returns the job of one of them with some units.
func (p project) expects() func(slot int, ids ...string) Job {
	jobs := []Job{{Slot: 0, Env: []string{"SHARD_WORKER_INDEX=0"}}, {Slot: 1, Env: []string{"SHARD_WORKER_INDEX=1"}}}
	p.Expect(jobs)
	p.ahead = len(jobs)
	return func(slot int, ids ...string) Job {
		job := jobs[slot]
		job.Env = append(slices.Clone(job.Env), "SHARD_BATCH_ID=w.1")
		job.Batch.Number = 1
		for _, id := range ids {
			job.Batch.Tests = append(job.Batch.Tests, batch.Test{ID: id})
		}
		return job
	}
}

// TestForetold says that the process that lists runs the first batches too, and that nothing is loaded twice in a process.
func TestForetold(t *testing.T) {
	plain := "def test_1(): pass\ndef test_2(): pass\n"
	classes := "import unittest\nclass A(unittest.TestCase):\n  def test_1(self): pass\n  def test_2(self): pass\n"
	for _, c := range []struct {
		name string
		text string
		ids  []string
	}{
		{"pytest", plain, []string{"test_a.py::test_1", "test_a.py::test_2", "test_b.py::test_1", "test_b.py::test_2"}},
		{"unittest", classes, []string{"test_a.A.test_1", "test_a.A.test_2", "test_b.A.test_1", "test_b.A.test_2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProject(t, Options{Name: c.name, Persistent: "on"}, ".", "test_a.py", loads+c.text, "test_b.py", loads+c.text)
			job := p.expects()
			same(t, "list", p.list(), c.ids)
			for _, slot := range []int{0, 1, 0} {
				told := p.runJob(job(slot, c.ids[1], c.ids[2]))
				slices.Sort(told) // what is set up runs first
				same(t, "run", told, []string{"passed " + c.ids[1], "passed " + c.ids[2]})
			}
			log, err := os.ReadFile("log.txt")
			must(t, err)
			lines := strings.Split(strings.TrimSpace(string(log)), "\n")
			slices.Sort(lines)
			same(t, "loaded", lines, []string{"0 test_a", "0 test_b", "1 test_a", "1 test_b"})
		})
	}
}

// A file of which only a part is listed is collected whole when a batch names another.
func TestForetoldPart(t *testing.T) {
	p := newPytest(t, Options{Persistent: "on"}, ".", "test_a.py", "def test_1(): pass\ndef test_2(): pass\n")
	job := p.expects()
	same(t, "list", p.list("test_a.py::test_1"), []string{"test_a.py::test_1"})
	same(t, "run", p.runJob(job(0, "test_a.py::test_1")), []string{"passed test_a.py::test_1"})
	same(t, "run", p.runJob(job(0, "test_a.py::test_2")), []string{"passed test_a.py::test_2"})
}

// A process that ended before its first batch is no problem: the batch gets another. So does one with another environment.
func TestForetoldAnother(t *testing.T) {
	dies := "import os\nif not os.path.exists('died' + os.environ['SHARD_WORKER_INDEX']):\n  open('died' + os.environ['SHARD_WORKER_INDEX'], 'w')\n"
	p := newPytest(t, Options{Persistent: "on"}, ".", "conftest.py", dies+"  if os.environ['SHARD_WORKER_INDEX'] == '1': os._exit(3)\n",
		"test_a.py", "import os\ndef test_1(): assert os.environ.get('OTHER') is None\ndef test_2(): assert os.environ['OTHER']\n")
	job := p.expects()
	same(t, "list", p.list(), []string{"test_a.py::test_1", "test_a.py::test_2"})
	same(t, "run", p.runJob(job(1, "test_a.py::test_1")), []string{"passed test_a.py::test_1"})
	changed := job(0, "test_a.py::test_2")
	changed.Env = append(changed.Env, "OTHER=1")
	same(t, "run", p.runJob(changed), []string{"passed test_a.py::test_2"})

	must(t, os.Remove("died1"))
	p.list()
	<-p.kept[1].done
	var told []string
	must(t, p.Rest(t.Context(), 1, Limits{}, collectTold(&told)))
	same(t, "at rest", told, nil)
}

// A process that still starts when nobody needs it any more comes to its own end, and is not waited for in vain.
func TestForetoldUnused(t *testing.T) {
	starts := "import os\ndef pytest_unconfigure():\n  if os.environ['SHARD_WORKER_INDEX'] == '1': open('ended', 'w')\n"
	slow := "#!/bin/sh\nif [ $SHARD_WORKER_INDEX = 1 ]; then until [ -e listed ]; do sleep 0.05; done; fi\nexec pytest \"$@\"\n"
	p := newPytest(t, Options{Persistent: "on", Command: "./slow"}, ".", "slow", slow, "conftest.py", starts, "test_a.py", "def test_1(): pass\n")
	must(t, os.Chmod("slow", 0o755))
	p.expects()
	same(t, "list", p.list(), []string{"test_a.py::test_1"})
	time.AfterFunc(200*time.Millisecond, func() { _ = os.WriteFile("listed", nil, 0o644) })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var told []string
	must(t, p.Rest(ctx, 1, Limits{}, collectTold(&told)))
	same(t, "at rest", told, nil)
	if exists(".", "ended") == "" {
		t.Error("it did not come to its own end")
	}
}

// What keeps the tests from being listed is told as in a process that only lists.
func TestForetoldAmiss(t *testing.T) {
	for name, c := range map[string]struct {
		patterns []string
		files    []string
		want     string
	}{
		"unknown file":    {patterns: []string{"test_x.py"}, want: "file or directory not found: test_x.py"},
		"broken conftest": {files: []string{"conftest.py", "raise RuntimeError('no database')"}, want: "no database"},
		"exit":            {files: []string{"test_b.py", "import os; os._exit(0)"}, want: "it ended well, but told no list"},
		"broken folder":   {files: []string{"conftest.py", "def pytest_ignore_collect(): raise RuntimeError('no rules')"}, want: "no rules"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPytest(t, Options{Persistent: "on"}, ".", append(c.files, "test_a.py", "def test_1(): pass\n")...)
			p.expects()
			if _, err := p.List(t.Context(), c.patterns); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %q", err, c.want)
			}
		})
	}
}
