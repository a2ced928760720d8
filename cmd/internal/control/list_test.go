package control_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// project is a runner that finds tests.
type project struct {
	runner.Runner
	tests []batch.Test
	err   error
}

func (p project) List(_ context.Context, patterns []string) ([]batch.Test, error) {
	if len(patterns) > 0 {
		return asTests(patterns...), p.err
	}
	return p.tests, p.err
}

// loading is a call of Load, and what it logged.
type loading struct {
	stdin    string
	runner   runner.Runner
	patterns []string
	err, log strings.Builder
}

func (l *loading) load(ctx context.Context, t *testing.T, flags ...string) ([]batch.Test, error) {
	t.Helper()
	var list control.List
	must(t, parse(list.Register, flags...))
	streams := cli.Streams{In: strings.NewReader(l.stdin), Err: &l.err}
	return list.Load(ctx, streams, l.runner, l.patterns, cli.NewLog(&l.log, "test", slog.LevelInfo))
}

// The list comes from one of four places, and is the same from each.
func TestLoad(t *testing.T) {
	const text = "\ufeffa\r\n\n  \n{\"test\": \"b\", \"seconds\": 1.5}\n{not JSON, a name}\na\nc::test with = and spaces"
	want := []batch.Test{{ID: "a"}, {ID: "b", Seconds: 1.5}, {ID: "{not JSON, a name}"}, {ID: "c::test with = and spaces"}}
	file := write(t, "tests.txt", text)
	for name, test := range map[string]struct {
		loading
		flags []string
	}{
		"a file":         {loading{}, []string{"--tests", file}},
		"standard input": {loading{stdin: text}, []string{"--tests", "-"}},
		"a command":      {loading{}, []string{"--list-command", "cat '" + file + "'"}},
		"the project":    {loading{runner: project{tests: append(want, batch.Test{ID: "a"})}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.load(t.Context(), t, test.flags...)
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("-want +got:\n" + diff)
			}
			if !strings.Contains(test.log.String(), "listed more than once; it runs once test=a") {
				t.Errorf("it says %q", &test.log)
			}
		})
	}
	some := loading{runner: project{}, patterns: []string{"x", "y"}}
	if got, err := some.load(t.Context(), t); err != nil || !cmp.Equal(got, asTests("x", "y")) {
		t.Errorf("patterns: %v, %v", got, err)
	}
}

// What is wrong with a list is said, with the place where it is.
func TestLoadRefuses(t *testing.T) {
	broken := errors.New("the project does not compile")
	for name, test := range map[string]struct {
		loading
		flags []string
		says  []string
	}{
		"two places":               {loading{}, []string{"--tests", "-", "--list-command", "true"}, []string{"exclude each other"}},
		"a list and patterns":      {loading{patterns: []string{"./..."}}, []string{"--tests", "-"}, []string{`unexpected argument "./..."`}},
		"nothing":                  {loading{}, nil, []string{"which tests?", "--tests FILE or --list-command"}},
		"no such file":             {loading{}, []string{"--tests", "/nonexistent/list"}, []string{"--tests", "/nonexistent/list", "no such file"}},
		"a command that fails":     {loading{}, []string{"--list-command", "echo a; exit 3"}, []string{`--list-command "echo a; exit 3"`, "exit status 3"}},
		"a project that is broken": {loading{runner: project{err: broken}}, nil, []string{broken.Error()}},
		"a long line":              {loading{stdin: "a\n" + strings.Repeat("x", 9*batch.MaxIDBytes)}, []string{"--tests", "-"}, []string{"standard input, line 2: longer than the 16384 bytes"}},
		"a long name":              {loading{stdin: strings.Repeat("x", batch.MaxIDBytes+1)}, []string{"--tests", "-"}, []string{"line 1", "more than the 16384"}},
		"no UTF-8":                 {loading{stdin: "a\nb\xff"}, []string{"--tests", "-"}, []string{"line 2", "not valid UTF-8"}},
		"a NUL":                    {loading{stdin: "a\x00b"}, []string{"--tests", "-"}, []string{"line 1", "NUL"}},
		"half an object":           {loading{stdin: `{"test": "a"`}, []string{"--tests", "-"}, []string{"line 1", "not a JSON object"}},
		"an unknown member":        {loading{stdin: `{"test": "a", "timeout": 3}`}, []string{"--tests", "-"}, []string{"line 1", `"timeout"`}},
		"no name":                  {loading{stdin: `{"seconds": 3}`}, []string{"--tests", "-"}, []string{"line 1", "a test name is empty"}},
		"two objects":              {loading{stdin: `{"test": "a"} {"test": "b"}`}, []string{"--tests", "-"}, []string{"line 1", `{\"test\": \"b\"}`, "stands behind it"}},
		"negative seconds":         {loading{stdin: `{"test": "a", "seconds": -1}`}, []string{"--tests", "-"}, []string{"line 1", "-1 seconds are negative"}},
		"two gates":                {loading{stdin: `{"test": "a", "gate": "x"}` + "\n" + `{"test": "a", "gate": "y"}`}, []string{"--tests", "-"}, []string{`"a"`, "two gates", `"x"`, `"y"`}},
		"a gate without a command": {loading{stdin: "a"}, []string{"--tests", "-", "--gate", "a"}, []string{`--gate "a"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.load(t.Context(), t, test.flags...)
			refused(t, err, test.says...)
		})
	}
}

// No tests are an error of their own, unless somebody said that they are right: then the list is known, and empty.
func TestLoadNothing(t *testing.T) {
	for where, test := range map[string]struct {
		loading
		flags []string
	}{
		"the list on standard input": {loading{stdin: "\n \n"}, []string{"--tests", "-"}},
		"the list of --list-command": {loading{}, []string{"--list-command", "true"}},
		`the project (patterns [])`:  {loading{runner: project{}}, nil},
		"the list " + os.DevNull:     {loading{}, []string{"--tests", os.DevNull}},
	} {
		t.Run(where, func(t *testing.T) {
			_, err := test.load(t.Context(), t, test.flags...)
			if cli.Status(err) != cli.StatusNoTests || !strings.Contains(err.Error(), where+" has none") {
				t.Errorf("%v", err)
			}
			tests, err := test.load(t.Context(), t, append(test.flags, "--allow-empty")...)
			if err != nil || tests == nil || len(tests) > 0 {
				t.Errorf("%#v, %v", tests, err)
			}
		})
	}
}

// A list command is ended by a stop, with all that it started; what it left in the background is not waited for.
func TestLoadFromCommand(t *testing.T) {
	stopped := errors.New("stopped")
	alive := filepath.Join(t.TempDir(), "alive")
	must(t, syscall.Mkfifo(alive, 0o600))
	ctx, cancel := context.WithCancelCause(t.Context())
	ended, dead := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := new(loading).load(ctx, t, "--list-command", "sleep 1000 >'"+alive+"' & wait")
		ended <- err
	}()
	pipe, err := os.Open(alive) // when sleep has opened the other end
	must(t, err)
	defer pipe.Close()
	go func() {
		_, err := io.ReadAll(pipe) // until sleep has ended
		dead <- err
	}()
	cancel(stopped)
	for _, end := range []struct {
		of   chan error
		want error
	}{{ended, stopped}, {dead, nil}} {
		select {
		case err := <-end.of:
			if !errors.Is(err, end.want) {
				t.Errorf("it ends with %v, want %v", err, end.want)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it does not end")
		}
	}

	var l loading
	tests, err := l.load(t.Context(), t, "--list-command", "echo a; echo the database is slow >&2")
	if err != nil || !cmp.Equal(tests, asTests("a")) || l.err.String() != "the database is slow\n" {
		t.Errorf("%v, %v, standard error %q", tests, err, &l.err)
	}
}

// Each test gets the gate that its line, the flags or .shard.yml say, in this order.
func TestLoadGates(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, ".shard.yml"), []byte("gates:\n  gpu: {command: nvidia-smi, tests: [\"*_gpu\"]}\n"), 0o644))
	t.Chdir(dir)
	l := loading{stdin: "a\nb\nc_gpu\nd_gpu\n" + `{"test": "e", "gate": "gpu"}` + "\n" + `{"test": "f", "gate": "own"}`}
	tests, err := l.load(t.Context(), t, "--tests", "-", "--gate", "b=two", "--gate", "d*=gpu", "--gate", "z=three")
	must(t, err)
	got := map[string]string{}
	for _, test := range tests {
		got[test.ID] = test.Gate.Name + "|" + test.Gate.Command
	}
	want := map[string]string{"a": "|", "b": "|two", "c_gpu": "gpu|", "d_gpu": "gpu|", "e": "gpu|", "f": "|own"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
	if !strings.Contains(l.log.String(), `the pattern "z" (--gate) fits no test of this list`) {
		t.Errorf("it says %q", &l.log)
	}
	if diff := cmp.Diff(map[string]bool{"two": true, "own": true}, control.Given(tests)); diff != "" {
		t.Error("given, -want +got:\n" + diff)
	}

	all := loading{stdin: "a\nb"}
	tests, err = all.load(t.Context(), t, "--tests", "-", "--gate", "b=two", "--gate-cmd", "one")
	if err != nil || tests[0].Gate.Command != "one" || tests[1].Gate.Command != "two" {
		t.Errorf("%v, %v", tests, err)
	}
	if err := parse(new(control.List).Register, "--gate-cmd", " "); err == nil || !strings.Contains(err.Error(), "the command is blank") {
		t.Errorf("a blank --gate-cmd: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, ".shard.yml"), []byte("gates: 3"), 0o644))
	_, err = new(loading).load(t.Context(), t, "--tests", os.DevNull, "--allow-empty")
	refused(t, err, ".shard.yml")
}

// A run is told from others by its list, in whatever order, its gates, and what runs it.
func TestManifest(t *testing.T) {
	manifest := func(args []string, tests ...batch.Test) string { return control.Manifest(tests, "go", args) }
	a, b := batch.Test{ID: "a"}, batch.Test{ID: "b"}
	behind := batch.Test{ID: "b", Gate: batch.Gate{Command: "true"}}
	slow := batch.Test{ID: "a", Seconds: 3}
	if manifest(nil, a, b) != manifest(nil, b, slow) {
		t.Error("the order or the expected time makes another run")
	}
	seen := map[string]string{}
	for name, m := range map[string]string{
		"both": manifest(nil, a, b), "one": manifest(nil, a), "none": manifest(nil), "behind a gate": manifest(nil, a, behind),
		"flags": manifest([]string{"-race"}, a, b), "a flag that is a test": manifest([]string{"a"}, b), "another runner": control.Manifest([]batch.Test{a, b}, "", nil),
	} {
		if other, twice := seen[m]; twice {
			t.Errorf("%s is the same run as %s", name, other)
		}
		seen[m] = name
	}
}
