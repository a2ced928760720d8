package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// speaker is a program that is kept. Its units say what else it does.
const speaker = `
import json, os, socket, time

connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ.pop("SHARD_SOCKET"))
answers = connection.makefile()

def send(type, **fields):
    connection.sendall(json.dumps({"type": type, **fields}).encode() + b"\n")

ids = []
while True:
    send("want")
    if "then exits" in ids:
        os._exit(3)
    if "fails, then is killed" in ids:
        os.kill(os.getpid(), 15)
    if "then fails" in ids:
        send("finish", id="then fails", status="failed", message="late")
    if "then does not read" in ids:
        time.sleep(600)
    answer = json.loads(answers.readline())
    if answer["type"] == "stop":
        break
    ids = answer["ids"]
    for id in ids:
        send("start", id=id)
        if id != "has no end":
            send("finish", id=id, status="failed" if id.startswith("fails") else "passed", cases=[{"name": "a case", "status": "failed"}] if id == "has a failed case" else [])
send("end")
`

func newSpeaker(t *testing.T) project {
	t.Helper()
	return newProject(t, Options{Name: "socket", Persistent: "on", Args: []string{"python3", "speaker.py"}}, ".", "speaker.py", speaker)
}

// TestKeptBetweenBatches says that what a process does after its batch is told with the next one.
func TestKeptBetweenBatches(t *testing.T) {
	p := newSpeaker(t)
	same(t, "first", p.run("a", "then exits"), []string{"passed a", "passed then exits"})
	<-p.kept[0].done
	same(t, "second", p.run("a"), []string{"problem socket: exit status 3 although no test failed", "passed a"})
	same(t, "with a failure", p.run("fails, then is killed"), []string{"failed fails, then is killed"})
	<-p.kept[0].done
	same(t, "which explains no signal", p.run("a"), []string{"problem socket: after its last test its process was killed by SIGTERM", "passed a"})
	same(t, "a late failure", slices.Concat(p.run("then fails"), p.run("b")), []string{"passed then fails",
		"problem then fails: it failed, although it is none of the units that this process was to run, or had ended before: late", "passed b"})
	same(t, "at rest", p.rest(), nil)
}

// TestKeptAmiss holds a plugin that breaks the rules against what becomes of its units.
func TestKeptAmiss(t *testing.T) {
	p := newSpeaker(t)
	same(t, "units", p.run("a", "has no end", "has a failed case"), []string{
		"passed a", "failed has a failed case a case:", "crashed has no end the runner went on to the next batch without telling its end"})
	same(t, "before it does not read", p.run("then does not read"), []string{"passed then does not read"})
	b := batch.Batch{Number: 2}
	for i := range 5000 {
		b.Tests = append(b.Tests, batch.Test{ID: fmt.Sprint(i, strings.Repeat(" more than a socket holds", 10))})
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, enough)
	defer cancel()
	if err := p.Run(ctx, Job{Batch: b}, func(...batch.Event) {}); !errors.Is(err, enough) {
		t.Errorf("it does not read: %v", err)
	}
	if !p.Resting(0) {
		t.Error("the process is still there")
	}
}

// TestToolHidesSocket says that tests do not see the address of a socket that no plugin takes away from them.
func TestToolHidesSocket(t *testing.T) {
	t.Setenv("SHARD_SOCKET", "") // what is seen below is that of Run
	p := newProject(t, Options{Name: "ctest"}, ".", "build/CTestTestfile.cmake", `add_test(sees "/bin/sh" "-c" "test -z \"$SHARD_SOCKET\"")`+"\n")
	same(t, "run", p.run("sees"), []string{"passed sees"})
}

// TestSocketHearsTheDead says that what a process said counts, even if it has ended before anybody listened.
func TestSocketHearsTheDead(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 50 {
		var heard []message
		s, err := listen(func(m message) { heard = append(heard, m) }, func(err error) { t.Error(err) })
		must(t, err)
		conn, err := net.Dial("unix", s.path())
		must(t, err)
		_, err = conn.Write([]byte(`{"type":"start","id":"a"}` + "\n"))
		must(t, err)
		conn.Close()
		for began := time.Now(); time.Since(began) < 15*time.Millisecond; { // the machine is busy
			s.path()
		}
		s.close()
		if len(heard) != 1 {
			t.Fatalf("heard %v", heard)
		}
		silent, err := listen(func(message) { t.Error("nobody spoke") }, func(err error) { t.Error(err) })
		must(t, err)
		silent.close()
	}
}

// TestUnexplainedEnd says that a failed test explains the exit status that it leads to, and no other end of its process.
func TestUnexplainedEnd(t *testing.T) {
	const tests = "import atexit, os, unittest\nclass A(unittest.TestCase):\n  def test_fails(self): self.fail('no')\n" +
		"  def test_spoils(self):\n    atexit.register(os._exit, 3)\n    self.fail('no')\n" +
		"  def test_cuts(self):\n    import __main__\n    __main__.Runner.teardown = lambda self: os._exit(1)\n    self.fail('no')\n"
	const spoilt, cut = "problem unittest: exit status 3, which the tests that failed do not explain: something else went wrong in their process, or the project chose that status",
		"problem unittest: exit status 1 before it said that it was at its end, which the tests that failed do not explain"
	for _, persistent := range []string{"on", "off"} {
		p := newProject(t, Options{Name: "unittest", Persistent: persistent}, ".", "test_a.py", tests)
		same(t, "fails", append(p.run("test_a.A.test_fails"), p.rest()...), []string{"failed test_a.A.test_fails AssertionError: no"})
		same(t, "spoils", append(p.run("test_a.A.test_spoils"), p.rest()...), []string{"failed test_a.A.test_spoils AssertionError: no", spoilt})
		same(t, "cuts", append(p.run("test_a.A.test_cuts"), p.rest()...), []string{"failed test_a.A.test_cuts AssertionError: no", cut})
	}
}

// TestSocketHearsOut says that it takes all that a process said, however long that takes, and then waits for nobody who holds the
// connection.
func TestSocketHearsOut(t *testing.T) {
	var heard []string
	s, err := listen(func(m message) {
		time.Sleep(300 * time.Millisecond) // the machine is busy
		heard = append(heard, m.ID[:1])
	}, func(err error) { t.Error(err) })
	must(t, err)
	survivor, err := net.Dial("unix", s.path())
	must(t, err)
	defer survivor.Close()
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		_, err = fmt.Fprintf(survivor, `{"type":"start","id":"%s"}`+"\n", strings.Repeat(id, 30_000))
		must(t, err)
	}
	s.close()
	same(t, "heard", heard, []string{"a", "b", "c", "d", "e"})
}
