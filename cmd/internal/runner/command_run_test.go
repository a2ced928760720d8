package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// scripts is a test runner in sh: functions that write JUnit.
const scripts = `
report() { printf '<testsuite name="s">%s</testsuite>' "$1" >"$SHARD_JUNIT"; }
escape() { sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/"/\&quot;/g'; }
pass_all() { { printf '<testsuite name="s">'; escape | sed 's/.*/<testcase name="&" time="0.25"\/>/'; printf '</testsuite>'; } >"$SHARD_JUNIT"; }
`

// script returns the Command that runs text with sh; more become $1, $2 and so on.
func script(t *testing.T, text string, more ...string) *Command {
	t.Helper()
	c, err := NewCommand(append([]string{"sh", "-c", scripts + text, "sh"}, more...), "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func jobOf(ids ...string) Job {
	job := Job{Batch: batch.Batch{Number: 5, Alone: len(ids) == 1}}
	for _, id := range ids {
		job.Batch.Tests = append(job.Batch.Tests, batch.Test{ID: id})
	}
	return job
}

// told is what a Runner emitted.
type told struct {
	starts   []string
	outcomes map[string]batch.Outcome
	problems []batch.Problem
}

// runCommandIn runs job and checks what holds for every run: one Finish a test, and temporary files are gone.
func runCommandIn(t *testing.T, ctx context.Context, c *Command, job Job) (told, error) {
	t.Helper()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var got told
	err := c.Run(ctx, job, got.emit(t))
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	return got, err
}

func (got *told) emit(t *testing.T) func(...batch.Event) {
	got.outcomes = map[string]batch.Outcome{}
	return each(func(e batch.Event) {
		switch e.Type {
		case batch.Start:
			got.starts = append(got.starts, e.Test)
		case batch.Finish:
			if _, twice := got.outcomes[e.Test]; twice {
				t.Errorf("%q finished twice", e.Test)
			}
			got.outcomes[e.Test] = e.Outcome
		case batch.ProblemFound:
			got.problems = append(got.problems, e.Problem)
		default:
			t.Errorf("event %q", e.Type)
		}
	})
}

func runCommand(t *testing.T, c *Command, ids ...string) told {
	t.Helper()
	got, err := runCommandIn(t, t.Context(), c, jobOf(ids...))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// statuses are "id=status", sorted as ids is.
func (got told) statuses(ids []string) string {
	var list []string
	for _, id := range ids {
		if o, ok := got.outcomes[id]; ok {
			list = append(list, id+"="+string(o.Status))
		}
	}
	return strings.Join(list, " ")
}

// Every way to hand over names carries every name unharmed.
func TestCommandNames(t *testing.T) {
	ids := []string{"plain", "with space", "  spaces  around  ", `"quoted" 'single' \back\slash`, "$HOME `id` $(id) ; rm & | > *?[a]", "-x", "--",
		"--help=1", "ünïcödé ✓ 日本語", "{tests}", "{junit}", "%s%d\\n", "a/b::c[1<2]", strings.Repeat("long ", 2000)}
	for _, tt := range []struct {
		name string
		c    *Command
	}{
		{"arguments", script(t, `printf '%s\n' "$@" | pass_all`, "{tests}")},
		{"file", script(t, `pass_all <"$1"`, "{tests_file}")},
		{"file in the environment", script(t, `pass_all <"$SHARD_TESTS_FILE"`)},
		{"stdin", script(t, "pass_all")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := runCommand(t, tt.c, ids...)
			for _, id := range ids {
				if o := got.outcomes[id]; o.Status != batch.Passed || o.Seconds != 0.25 {
					t.Errorf("%.80q: %+v", id, o)
				}
			}
			if len(got.problems) > 0 || len(got.starts) != len(ids) {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("stdin is empty where it is not used", func(t *testing.T) {
		runCommand(t, script(t, `test -z "$(cat)" && pass_all <"$1"`, "{tests_file}"), "a")
	})
}

// What exceeds a command line is run in several processes, each with a report of its own.
func TestCommandManyNames(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	var ids []string
	for i := range 300 {
		ids = append(ids, fmt.Sprintf("%d %s", i, strings.Repeat("x", 10_000)))
	}
	got := runCommand(t, script(t, `echo run >>"$1"; shift; printf '%s\n' "$@" | pass_all`, log, "{tests}"), ids...)
	if len(got.outcomes) != len(ids) {
		t.Errorf("%d outcomes of %d", len(got.outcomes), len(ids))
	}
	if text, err := os.ReadFile(log); string(text) != strings.Repeat("run\n", 4) {
		t.Errorf("%q, %v", text, err)
	}
}

func TestCommandEnvironment(t *testing.T) {
	c := script(t, `test "$1" = "$SHARD_JUNIT" && test "$2" = "$(dirname "$1")" && test -z "$(ls "$2")" && test "$3" = 5 &&
		test "$SHARD_WORKER_ID" = w1 && test "$SHARD_JUNIT" != outer && pass_all`, "{junit}", "{junit_dir}", "{batch}")
	t.Setenv("SHARD_JUNIT", "outer")
	job := jobOf("a")
	job.Env = []string{"SHARD_WORKER_ID=w1"}
	got, err := runCommandIn(t, t.Context(), c, job)
	if err != nil || got.outcomes["a"].Status != batch.Passed {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCommandArtifacts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept", "here")
	c, err := NewCommand([]string{"sh", "-c", scripts + `pass_all; test -z "$2" || echo "$2" >"$1/shot"`, "sh", "{artifacts}", "{batch}"}, dir)
	if err != nil {
		t.Fatal(err)
	}
	runCommand(t, c, "a")
	runCommand(t, c, "a") // another worker's batch of the same number
	if shots, _ := filepath.Glob(filepath.Join(dir, "batch-5-*", "shot")); len(shots) != 2 {
		t.Errorf("%v", shots)
	}
	c.argv[1] = scripts + "pass_all"
	runCommand(t, c, "a")
	if all, _ := os.ReadDir(dir); len(all) != 2 {
		t.Errorf("an empty folder is left: %v", all)
	}
}

func TestCommandNothingToRun(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	runCommand(t, script(t, `touch "$1"`, mark))
	if _, err := os.Stat(mark); !os.IsNotExist(err) {
		t.Error("the command ran without tests")
	}
}

func TestCommandCannotStart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "runner")
	if err := os.WriteFile(name, []byte("#!/no/such/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := NewCommand([]string{name}, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := runCommandIn(t, t.Context(), c, jobOf("a", "b"))
	if err == nil || !strings.Contains(err.Error(), "cannot start") || len(got.outcomes) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	long := script(t, "pass_all", strings.Repeat("x", 200_000))
	if _, err := runCommandIn(t, t.Context(), long, jobOf("a")); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Error(err)
	}
}

// Several local workers share a Command.
func TestCommandConcurrently(t *testing.T) {
	c := script(t, "pass_all")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			var got told
			id := fmt.Sprint("test", i)
			if err := c.Run(t.Context(), jobOf(id), got.emit(t)); err != nil || got.outcomes[id].Status != batch.Passed || len(got.outcomes) != 1 {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		})
	}
	wg.Wait()
}

func TestCommandTimeLimits(t *testing.T) {
	const hang = "exec sleep 1000"
	for name, limits := range map[string]Limits{
		"--test-timeout":  {Test: 100 * time.Millisecond, Batch: time.Hour},
		"--batch-timeout": {Test: time.Hour, Batch: 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			line, life := newLifeline(t)
			c := script(t, `exec 9>"$LIFE"; sleep 1000 & trap "" TERM; sleep 1000; sleep 1000`)
			job := jobOf("a")
			job.Limits, job.Env = limits, []string{life}
			got, err := runCommandIn(t, t.Context(), c, job)
			want := "the time limit of 100ms was over (" + name + ") and the command was stopped"
			if o := got.outcomes["a"]; err != nil || o.Status != batch.Timeout || o.Message != want || o.Seconds == 0 {
				t.Errorf("%+v, %v; want %q", o, err, want)
			}
			line.mustBeDead(t)

			job = jobOf("a", "b")
			job.Limits = limits
			if got, err := runCommandIn(t, t.Context(), script(t, hang), job); err != nil || len(got.outcomes)+len(got.problems) > 0 || len(got.starts) != 2 {
				t.Errorf("several: %+v, %v", got, err)
			}
		})
	}
	t.Run("over before the start", func(t *testing.T) {
		job := jobOf("a")
		job.Limits.Test = time.Nanosecond
		got, err := runCommandIn(t, t.Context(), script(t, hang), job)
		if err != nil || got.outcomes["a"].Status != batch.Timeout {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// stopCase is a command that wrote a report and hangs until the context ends with the given cause.
type stopCase struct {
	name   string
	cause  error
	before string // cases in the report when the context ends
	ids    []string
	// what is told, as statuses and messages.
	want     string
	problems []string
}

func TestCommandStopped(t *testing.T) {
	stop := errors.New("the worker stops")
	limit := &limitError{flag: "--test-timeout", limit: time.Minute}
	const over = "the time limit of 1m0s was over (--test-timeout)"
	const passed, failed = `<testcase name="a"/>`, `<testcase name="a"><failure message="no"/></testcase>`
	const stranger = `<testcase name="setup"><error message="no"/></testcase>`
	two, one := []string{"a", "b"}, []string{"a"}
	for _, tt := range []stopCase{
		{"stopped, nothing proven", stop, ``, one, "", nil},
		{"stopped, proven", stop, passed, one, "a=passed", nil},
		{"stopped, part reported", stop, passed, two, "", nil},
		{"stopped, failure proven", stop, failed, two, "a=failed", nil},
		{"stopped, a stranger failed", stop, passed + stranger, two, "", nil},
		{"limit, nothing proven", limit, ``, two, "", nil},
		{"limit, part reported", limit, passed, two, "", nil},
		{"limit, all proven", limit, passed, one, "a=passed", []string{over + " although all tests had ended"}},
		{"limit, alone", limit, `<testcase name="other"/>`, one, "a=timeout", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ready := fifo(t)
			// What is reported after SIGTERM is what the end broke.
			c := script(t, `report "$1"; trap 'report "<testcase name=\"a\"/><testcase name=\"b\"><failure/></testcase>"; exit 0' TERM
				sh -c 'echo ready >"$READY"; exec sleep 1000' & while :; do wait; done`, tt.before)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				_, err := os.ReadFile(ready)
				cancel(errors.Join(err, tt.cause))
			}()
			job := jobOf(tt.ids...)
			job.Env, job.Limits.Grace = []string{"READY=" + ready}, time.Hour
			got, err := runCommandIn(t, ctx, c, job)
			if !errors.Is(err, tt.cause) {
				t.Errorf("%v, want %v", err, tt.cause)
			}
			if s := got.statuses(tt.ids); s != tt.want {
				t.Errorf("%q, want %q", s, tt.want)
			}
			if diff := cmp.Diff(tt.problems, got.messages()); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("before the start", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stop)
		got, err := runCommandIn(t, ctx, script(t, "pass_all"), jobOf("a"))
		if !errors.Is(err, stop) || len(got.outcomes)+len(got.starts)+len(got.problems) > 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func (got told) messages() []string {
	var list []string
	for _, p := range got.problems {
		list = append(list, p.Message)
	}
	return list
}
