package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// lifeline is a FIFO that a script holds open with `exec 9>"$LIFE"`, and with it everything that the script starts. Its
// read end meets the end of the file when the last of them is gone.
type lifeline struct{ r *os.File }

func newLifeline(t *testing.T) (line lifeline, env string) {
	t.Helper()
	name := fifo(t)
	r, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return lifeline{r}, "LIFE=" + name
}

// mustBeDead fails if a process still holds the lifeline. The time is only how long a failure takes.
func (l lifeline) mustBeDead(t *testing.T) {
	t.Helper()
	_ = l.r.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, l.r); err != nil {
		t.Errorf("a process of the group is left: %v", err)
	}
}

func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// noLeaks fails if the test leaves goroutines behind.
func noLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// watch keeps what is written and calls then once when it contains want.
type watch struct {
	buf  bytes.Buffer
	want string
	then func()
	once sync.Once
}

func (w *watch) Write(p []byte) (int, error) {
	w.buf.Write(p)
	if strings.Contains(w.buf.String(), w.want) {
		w.once.Do(w.then)
	}
	return len(p), nil
}

func shell(script string, env ...string) process {
	return process{Path: "sh", Args: []string{"-c", script}, Env: env}
}

func mustRun(t *testing.T, ctx context.Context, p process) exit {
	t.Helper()
	end, err := p.run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

func TestProcessExit(t *testing.T) {
	noLeaks(t)
	for _, tt := range []struct {
		script string
		want   exit
		text   string
	}{
		{"exit 0", exit{}, "exit status 0"},
		{"exit 3", exit{Code: 3}, "exit status 3"},
		{"exit 126", exit{Code: 126}, "exit status 126 (as shells report a file that they may not execute)"},
		{"/no/such/command 2>&-", exit{Code: 127}, "exit status 127 (as shells report a command that they did not find)"},
		{"kill -KILL $$", exit{Code: -1, Signal: syscall.SIGKILL}, "killed by SIGKILL, often because the machine ran out of memory"},
		{"ulimit -c 0; kill -SEGV $$", exit{Code: -1, Signal: syscall.SIGSEGV}, "killed by SIGSEGV, segmentation fault"},
		{"kill -TERM $$", exit{Code: -1, Signal: syscall.SIGTERM}, "killed by SIGTERM"},
		{"sh -c 'kill -KILL $$'; exit $?", exit{Code: 137}, "exit status 137 (as shells report a command that was killed by SIGKILL, often because the machine ran out of memory)"},
		{"exit 128", exit{Code: 128}, "exit status 128"},
		{"exit 255", exit{Code: 255}, "exit status 255"},
	} {
		got := mustRun(t, t.Context(), shell(tt.script))
		if got != tt.want || got.String() != tt.text {
			t.Errorf("%s: %+v, %q; want %+v, %q", tt.script, got, got, tt.want, tt.text)
		}
	}
}

func TestProcessKilledBy(t *testing.T) {
	for _, tt := range []struct {
		end  exit
		want syscall.Signal
	}{
		{exit{}, 0}, {exit{Code: 1}, 0}, {exit{Code: 128}, 0}, {exit{Code: 255}, 0},
		{exit{Code: 137}, syscall.SIGKILL}, {exit{Code: 139}, syscall.SIGSEGV},
		{exit{Code: -1, Signal: syscall.SIGABRT}, syscall.SIGABRT},
	} {
		if got := tt.end.killedBy(); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.end, got, tt.want)
		}
	}
}

func TestProcessStreams(t *testing.T) {
	t.Run("joined in order", func(t *testing.T) {
		var out bytes.Buffer
		p := shell("for i in 1 2 3; do echo out$i; echo err$i >&2; done")
		p.Stdout = &out
		mustRun(t, t.Context(), p)
		if want := "out1\nerr1\nout2\nerr2\nout3\nerr3\n"; out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
	t.Run("apart", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		p := shell("echo out; echo err >&2")
		p.Stdout, p.Stderr = &stdout, &stderr
		mustRun(t, t.Context(), p)
		if stdout.String() != "out\n" || stderr.String() != "err\n" {
			t.Errorf("%q and %q", stdout.String(), stderr.String())
		}
	})
	t.Run("stdin", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "in")
		if err := os.WriteFile(name, []byte("a b\nc\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var out bytes.Buffer
		mustRun(t, t.Context(), process{Path: "cat", Stdin: in, Stdout: &out})
		if out.String() != "a b\nc\n" {
			t.Errorf("%q", out.String())
		}
		mustRun(t, t.Context(), process{Path: "cat"}) // ends: stdin is empty
	})
	t.Run("a writer that fails does not hold up the process", func(t *testing.T) {
		p := shell("head -c 1000000 /dev/zero; exit 5")
		r, w := io.Pipe()
		r.CloseWithError(errors.New("full"))
		p.Stdout = w
		if end := mustRun(t, t.Context(), p); end.Code != 5 {
			t.Error(end)
		}
	})
}

func TestProcessEnvironment(t *testing.T) {
	t.Setenv("RUNNER_TEST_A", "outer")
	t.Setenv("RUNNER_TEST_B", "outer")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := shell(`echo "$RUNNER_TEST_A $RUNNER_TEST_B $PWD"`, "RUNNER_TEST_B=inner")
	p.Dir, p.Stdout = dir, &out
	mustRun(t, t.Context(), p)
	if want := "outer inner " + dir + "\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestProcessDoesNotStart(t *testing.T) {
	t.Run("no such command", func(t *testing.T) {
		_, err := process{Path: "no-such-command-here"}.run(t.Context())
		if err == nil || !strings.Contains(err.Error(), `cannot start "no-such-command-here"`) {
			t.Error(err)
		}
	})
	t.Run("no such folder", func(t *testing.T) {
		p := shell("exit 0")
		p.Dir, p.Stdout = filepath.Join(t.TempDir(), "gone"), io.Discard
		if _, err := p.run(t.Context()); err == nil || !strings.Contains(err.Error(), "gone: no such file") {
			t.Error(err)
		}
	})
	t.Run("context ended before", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		cancel(cause)
		mark := filepath.Join(t.TempDir(), "mark")
		if _, err := shell("touch '" + mark + "'").run(ctx); !errors.Is(err, cause) {
			t.Error(err)
		}
		if _, err := os.Stat(mark); !os.IsNotExist(err) {
			t.Error("the process ran")
		}
	})
}

// What the child leaves behind in its group is killed, and does not hold up run with the pipe that it inherited.
func TestProcessLeavesNothing(t *testing.T) {
	noLeaks(t)
	for name, left := range map[string]string{
		"silent":             "sleep 1000",
		"ignores signals":    "trap '' TERM HUP INT; while :; do sleep 1000; done",
		"prints without end": "yes",
		"stopped":            "kill -STOP $(exec sh -c 'echo $PPID')",
	} {
		t.Run(name, func(t *testing.T) {
			line, life := newLifeline(t)
			out := newCapture(100)
			p := shell(`exec 9>"$LIFE"; (`+left+`) & echo hello; exit 4`, life)
			p.Stdout = out
			if end := mustRun(t, t.Context(), p); end.Code != 4 || end.Cause != nil {
				t.Error(end)
			}
			line.mustBeDead(t)
			if name == "silent" && out.String() != "hello\n" {
				t.Errorf("%q", out)
			}
		})
	}
}

func TestProcessStop(t *testing.T) {
	noLeaks(t)
	const (
		long = time.Hour // a grace that nobody waits for
		// ready waits in a child that, unlike a fork of the shell that is not yet "sleep", cannot miss a signal.
		ready = `sh -c 'echo ready; exec sleep 1000' & while :; do wait; done`
	)
	for _, tt := range []struct {
		name   string
		script string
		stop   syscall.Signal
		grace  time.Duration
		end    exit
		out    string
	}{
		{"dies", `echo ready; exec sleep 1000`, 0, long, exit{Code: -1, Signal: syscall.SIGTERM}, "ready\n"},
		{"ends well", `trap 'echo bye; exit 7' TERM; ` + ready, 0, long, exit{Code: 7}, "ready\nbye\n"},
		{"ignores it", `trap '' TERM; ` + ready, 0, time.Millisecond, exit{Code: -1, Signal: syscall.SIGKILL}, "ready\n"},
		{"no grace", `trap '' TERM; ` + ready, 0, 0, exit{Code: -1, Signal: syscall.SIGKILL}, "ready\n"},
		// A shell's background commands ignore SIGQUIT.
		{"other signal", `trap 'echo quit; kill $!; exit 2' QUIT; ` + ready, syscall.SIGQUIT, long, exit{Code: 2}, "ready\nquit\n"},
		{"the shell is gone, its child still reports", `(trap 'head -c 100000000 /dev/zero >/dev/null; echo report; exit' TERM; ` + ready + `) & wait`, 0, long,
			exit{Code: -1, Signal: syscall.SIGTERM}, "ready\nreport\n"},
		{"the shell is gone, its child ignores it", `(trap '' TERM; ` + ready + `) & wait`, 0, time.Millisecond,
			exit{Code: -1, Signal: syscall.SIGTERM}, "ready\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line, life := newLifeline(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			cause := errors.New("the batch limit")
			out := &watch{want: "ready\n", then: func() { cancel(cause) }}
			p := shell(`exec 9>"$LIFE"; `+tt.script, life)
			p.Stdout, p.Stop, p.Grace = out, tt.stop, tt.grace
			stopping := 0
			p.Stopping = func() { stopping++ }
			end := mustRun(t, ctx, p)
			tt.end.Cause = cause
			if end != tt.end || out.buf.String() != tt.out || stopping != 1 {
				t.Errorf("%+v, %q, %d; want %+v, %q, 1", end, out.buf.String(), stopping, tt.end, tt.out)
			}
			if s := end.String(); strings.Contains(s, "memory") {
				t.Errorf("%q explains what we did ourselves", s)
			}
			line.mustBeDead(t)
		})
	}
}

// The signal waits for Stopping.
func TestProcessStoppingComesFirst(t *testing.T) {
	gate := fifo(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := &watch{want: "ready\n", then: cancel}
	p := shell(`trap 'echo term; exit' TERM; echo ready; read -r x <"$GATE"; echo "$x"; while :; do :; done`, "GATE="+gate)
	p.Stdout, p.Grace = out, time.Hour
	p.Stopping = func() {
		// Opening the gate returns once the shell reads from it, and it answers before it is signalled.
		if err := os.WriteFile(gate, []byte("still here\n"), 0); err != nil {
			t.Error(err)
		}
	}
	mustRun(t, ctx, p)
	if got := out.buf.String(); !strings.HasSuffix(got, "term\n") {
		t.Errorf("%q", got)
	}
}

func TestProcessManyAtOnce(t *testing.T) {
	noLeaks(t)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			var out bytes.Buffer
			p := process{Path: "echo", Args: []string{fmt.Sprint(i)}, Stdout: &out}
			if end, err := p.run(t.Context()); err != nil || end != (exit{}) || out.String() != fmt.Sprintln(i) {
				t.Errorf("%d: %v, %v, %q", i, end, err, out.String())
			}
		})
	}
	wg.Wait()
}

// A gigabyte of output costs no memory.
func TestProcessFlood(t *testing.T) {
	const size, most = 1_000_000_000, 4 << 20
	out := newCapture(outputEnds)
	p := shell(fmt.Sprintf("echo first; head -c %d /dev/zero; echo last", size))
	p.Stdout = out
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	end := mustRun(t, t.Context(), p)
	runtime.ReadMemStats(&after)
	if end.Code != 0 {
		t.Error(end)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > most {
		t.Errorf("%d bytes were allocated, more than %d", allocated, most)
	}
	text := out.String()
	dropped := fmt.Sprintf("\n[... %d bytes dropped ...]\n", size+len("first\nlast\n")-2*outputEnds)
	if !strings.HasPrefix(text, "first\n\x00") || !strings.Contains(text, dropped) || !strings.HasSuffix(text, "\x00last\n") {
		t.Errorf("%d bytes, want a first and a last line and %q", len(text), dropped)
	}
}

// What a daemon keeps printing is not copied for ever.
func TestPumpDrainEnds(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	copied := 0
	p := &pump{r: r, to: writerFunc(func(b []byte) (int, error) {
		copied += len(b)
		return w.Write(b) // never empty
	})}
	if _, err := w.WriteString("daemon"); err != nil {
		t.Fatal(err)
	}
	p.drain(make([]byte, 4096))
	if copied < maxPipe || copied > maxPipe+4096 {
		t.Errorf("%d bytes were copied", copied)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
