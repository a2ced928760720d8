package runner

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What left the group of the process ends with it, whichever way the process ends.
func TestProcessLeavesNoDaemon(t *testing.T) {
	noLeaks(t)
	// body tells that it runs and stays. In a daemon nothing is left that the process started itself.
	const body = `trap "" TERM HUP INT QUIT; echo ready >"$READY"; while :; do sleep 1000; done`
	daemons := map[string]string{
		"session":                `setsid sh -c "$BODY" >/dev/null 2>&1`,
		"session with the pipes": `setsid sh -c "$BODY"`,
		"nohup":                  `nohup setsid sh -c "$BODY" >/dev/null 2>&1`,
		"double fork":            `setsid sh -c 'setsid sh -c "$BODY" & exit' >/dev/null 2>&1 </dev/null`,
		"job control":            `bash -c 'set -m; sh -c "$BODY" & exit'`,
		"two, one with little":   `setsid env -i LIFE= READY="$READY" SHARD_PROCESS="$SHARD_PROCESS" sh -c "$BODY" & setsid sleep 1000`,
		"stopped":                `setsid sh -c 'echo ready >"$READY"; kill -STOP $$'`,
	}
	ends := map[string]struct {
		script string
		cause  error
	}{
		"by itself": {"exit 4", nil},
		"crash":     {"kill -KILL $$", nil},
		"limit":     {"while :; do sleep 1000; done", &limitError{flag: "--test-timeout", limit: time.Second}},
		"stop":      {"trap 'exit 0' TERM; echo up; while :; do sleep 1000 & wait; done", errors.New("the worker stops")},
	}
	for name, daemon := range daemons {
		for how, e := range ends {
			t.Run(name+", "+how, func(t *testing.T) {
				line, life := newLifeline(t)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				out := &watch{want: "daemon\n", then: func() {
					if e.cause != nil {
						cancel(e.cause)
					}
				}}
				p := shell(`exec 9>"$LIFE"; (`+daemon+`) & read -r x <"$READY"; echo daemon; `+e.script, life, "READY="+fifo(t), "BODY="+body)
				p.Stdout, p.Grace = out, time.Millisecond
				if end := mustRun(t, ctx, p); !errors.Is(end.Cause, e.cause) {
					t.Errorf("%+v", end)
				}
				line.mustBeDead(t)
			})
		}
	}
}

// A daemon that begins while the process ends is in the middle of a fork or an execve when it is looked for.
func TestProcessLeavesNoNewDaemon(t *testing.T) {
	line, life := newLifeline(t)
	for range 100 {
		mustRun(t, t.Context(), shell(`exec 9>"$LIFE"; setsid setsid -f env sleep 1000 &`, life))
	}
	line.mustBeDead(t)
}

// Only what the process started is ended: not the daemon of another run at the same time, nor what has nothing to do with runs.
func TestProcessSparesOthers(t *testing.T) {
	strangers := []*exec.Cmd{exec.Command("sleep", "1000"), exec.Command("sleep", "1000"), exec.Command("sleep", "1000")}
	strangers[0].Env = []string{}
	strangers[1].Env = newTag().env()
	for _, s := range strangers {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	out := &watch{want: "daemon\n"}
	gate := fifo(t)
	out.then = func() {
		go func() {
			if _, err := shell("setsid sleep 1000 &").run(t.Context()); err != nil {
				t.Error(err)
			}
			if err := exec.Command("sh", "-c", `echo ended >"$0"`, gate).Run(); err != nil {
				t.Error(err)
			}
		}()
	}
	p := shell(`setsid sh -c 'echo $$ >"$READY"; exec sleep 1000' & read -r pid <"$READY"; echo daemon; read -r x <"$GATE"; kill -0 $pid`,
		"READY="+fifo(t), "GATE="+gate)
	p.Stdout = out
	if end := mustRun(t, t.Context(), p); end.Code != 0 {
		t.Errorf("the daemon of another run is gone: %v", end)
	}
	for i, s := range strangers {
		if err := s.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := s.Wait(); s.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
			t.Errorf("stranger %d: %v", i, err)
		}
	}
}

// The run of a worker that itself is in a run belongs to both.
func TestProcessTagNested(t *testing.T) {
	outer := newTag()
	t.Setenv(tagVariable, string(outer))
	out := &watch{want: "ready\n", then: func() { go outer.kill() }}
	p := shell(`echo "$SHARD_PROCESS"; echo ready; exec sleep 1000`)
	p.Stdout = out
	end := mustRun(t, t.Context(), p)
	if end.Signal != syscall.SIGKILL || !strings.HasPrefix(out.buf.String(), string(outer)+"/") {
		t.Errorf("%v, %q", end, out.buf.String())
	}
}

// In the middle of an execve a process is no stranger: its environment is not there yet.
func TestTagLookInExecve(t *testing.T) {
	own := newTag()
	hunt := newTagHunt(own)
	for range 300 {
		cmd := exec.Command("/bin/sleep", "1000")
		cmd.Env = append(own.env(), "PAD="+strings.Repeat("x", 100_000)) // the kernel is busy with it for a while
		if err := cmd.Start(); err != nil {                              // returns within execve
			t.Fatal(err)
		}
		seen := isUnclear
		for seen == isUnclear {
			seen = hunt.look(strconv.Itoa(cmd.Process.Pid))
		}
		if seen != isTagged {
			t.Errorf("%v", seen)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func TestTagLook(t *testing.T) {
	own := newTag()
	hunt := newTagHunt(own)
	look := func(pid string) (seen sighting) {
		for seen = isUnclear; seen == isUnclear && t.Context().Err() == nil; { // Start returns within execve
			seen = hunt.look(pid)
		}
		return seen
	}
	start := func(env ...string) (pid string) {
		cmd := exec.Command("/bin/sleep", "1000")
		cmd.Env = env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		return strconv.Itoa(cmd.Process.Pid)
	}
	variable := own.env()[0]
	// Wherever the tag is, also where two reads meet.
	for _, length := range []int{0, 1, len(hunt.buf) - len(variable) - len("PAD=\x00") + 1, len(hunt.buf) - len(variable) + 10, len(hunt.buf), 100_000} {
		if got := look(start("PAD="+strings.Repeat("x", length), variable)); got != isTagged {
			t.Errorf("%d bytes before the tag: %v", length, got)
		}
	}
	zombie := start(variable)
	pid, _ := strconv.Atoi(zombie)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	if err := awaitEnd(pid); err != nil {
		t.Fatal(err)
	}
	for what, pid := range map[string]string{"other tag": start(newTag().env()...), "no environment": start([]string{}...), "zombie": zombie,
		"not there": "0", "the kernel's": "2"} {
		if got := look(pid); got != isStranger {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// BenchmarkProcess tells which part of a run the search for leftovers is, beside 300 other processes. The run is the shortest
// there is: one of tests takes longer, the search does not.
func BenchmarkProcess(b *testing.B) {
	for range 300 {
		other := exec.Command("sleep", "1000")
		if err := other.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() {
			_ = other.Process.Kill()
			_ = other.Wait()
		}()
	}
	var search time.Duration
	for b.Loop() {
		if _, err := (process{Path: "true"}).run(b.Context()); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		newTag().kill()
		search += time.Since(began)
	}
	b.ReportMetric(search.Seconds()*1e3/float64(b.N), "search-ms")
	b.ReportMetric(search.Seconds()/(b.Elapsed()-search).Seconds(), "search/run")
}
