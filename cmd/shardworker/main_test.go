package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/cli"
)

// What workers do in company is tested in cmd/shardctl, with processes. Here is what one says and how it ends.

var update = flag.Bool("update", false, "write the golden files anew")

// shardworker calls the command in this process, with one environment variable if env is not empty.
func shardworker(t *testing.T, env string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs buffer
	p := program()
	err := p.Run(ctx, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Patience: 200 * time.Millisecond}, args,
		func(name string) (string, bool) { key, value, _ := strings.Cut(env, "="); return value, key == name })
	status = p.Report(&errs, err)
	if ctx.Err() != nil {
		t.Fatalf("shardworker %q does not end:\n%s%s", args, &out, &errs)
	}
	return status, out.String(), errs.String()
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }
func (b *buffer) String() string              { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

func TestHelp(t *testing.T) {
	status, got, stderr := shardworker(t, "", "--help")
	if status != 0 || stderr != "" {
		t.Errorf("exit status %d, stderr %q", status, stderr)
	}
	file := filepath.Join("testdata", "help", "shardworker.golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBadUsage(t *testing.T) {
	t.Parallel()
	addr := batchtest.Embedded(t).Options().Addr
	where := []string{"--redis-url", "redis://" + addr, "--run-id", "r"}
	with := func(args ...string) []string { return append(append([]string{}, where...), args...) }
	missing := filepath.Join(t.TempDir(), "missing")
	for _, test := range []struct {
		name, env string
		args      []string
		status    int
		says      []string
	}{
		{"unknown flag", "", with("--worker", "2"), 2, []string{"unknown flag: --worker", "shardworker --help"}},
		{"a command without --", "", with("./run.sh"), 2, []string{`unexpected argument "./run.sh"`, "comes after --"}},
		{"no runner", "", where, 2, []string{"no runner", "--runner (auto", "after --"}},
		{"unknown runner", "", with("--runner", "cobol"), 2, []string{`there is no such runner`}},
		{"a command that is not there", "", with("--", missing), 2, []string{missing, "cannot be run"}},
		{"no Redis", "", []string{"--run-id", "r", "--", "true"}, 2, []string{"no Redis", "--redis-url"}},
		{"no run id", "", []string{"--redis-url", "redis://" + addr, "--", "true"}, 2, []string{"no run id", "--run-id"}},
		{"bad run id", "", []string{"--redis-url", "redis://" + addr, "--run-id", "a\nb", "--", "true"}, 2, []string{"--run-id", `"a\nb"`}},
		{"bad environment", "SHARD_BATCH_SIZE=many", with("--", "true"), 2, []string{"environment variable SHARD_BATCH_SIZE", `"many"`}},
		{"negative number", "", with("--batch-size", "-1", "--", "true"), 2, []string{"--batch-size -1"}},
		{"negative time", "", with("--test-timeout", "-1s", "--", "true"), 2, []string{"--test-timeout -1s"}},
		{"no such folder", "", with("-C", missing, "--", "true"), 2, []string{"--dir", missing}},
		{"Redis out of reach", "", []string{"--redis-url", "redis://u:hunter2@127.0.0.1:1", "--run-id", "r", "--", "true"}, 3, []string{"cannot be reached", "redis://u:xxxxx@127.0.0.1:1"}},
		{"nobody opens the run", "", with("--wait", "100ms", "--", "true"), 3, []string{`run "r" is not open yet, waiting up to 100ms`, "nobody opened it within --wait 100ms", "same --run-id"}},
		{"a run that is in the environment", "SHARD_RUN_ID=other", []string{"--redis-url", "redis://" + addr, "--wait", "1ms", "--", "true"}, 3, []string{`run "other"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := shardworker(t, test.env, test.args...)
			if status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			for _, text := range append(test.says, "shardworker: ") {
				if !strings.Contains(stderr, text) {
					t.Errorf("it does not say %q:\n%s", text, stderr)
				}
			}
			if stdout != "" || strings.Contains(stderr, "hunter2") {
				t.Errorf("stdout:\n%s\nstderr:\n%s", stdout, stderr)
			}
		})
	}
}

// Every flag may stand in .shard.yml, or is one that may not.
func TestEveryFlagIsASettingOrNot(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	program().Only.Flags(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(cli.Settings, f.Name) == slices.Contains(cli.NotSettings, f.Name) && f.Name != "gate" {
			t.Errorf("--%s is to be in one of cli.Settings and cli.NotSettings", f.Name)
		}
	})
}

// Whatever --name says, the worker gets a name that Redis's keys can hold.
func TestWorkerNames(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	for _, name := range []string{"", "plain-1.2_3", "two words", "ü/日本", "a\nb", "{braces}", strings.Repeat("long", 100), "::"} {
		got := (&options{name: name}).workerName()
		if !valid.MatchString(got) {
			t.Errorf("%q becomes %q", name, got)
		}
		if valid.MatchString(name) && got != name {
			t.Errorf("%q becomes %q although it is fine", name, got)
		}
	}
	rdb := batchtest.Embedded(t)
	q, err := batch.Open(t.Context(), rdb, "r", batch.Streaming, batch.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan string)
	go func() {
		_, _, stderr := shardworker(t, "", "--redis-url", "redis://"+rdb.Options().Addr, "--run-id", "r", "--name", "my machine/ü", "--", "true")
		ended <- stderr
	}()
	events, err := q.Events(t.Context(), batch.JournalStart, 10, 0)
	for cursor := batch.JournalStart; err == nil && (len(events) == 0 || events[len(events)-1].Type != batch.Joined); {
		if events, err = q.Events(t.Context(), cursor, 1, 30*time.Second); len(events) > 0 {
			cursor = events[0].ID
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if id := events[len(events)-1].Worker; !strings.HasPrefix(id, "my-machine--.") {
		t.Errorf("the worker's id is %q", id)
	}
	if _, err := q.Abort(t.Context(), batch.Abortion{Why: "enough", Who: "the test"}); err != nil {
		t.Fatal(err)
	}
	if stderr := <-ended; !strings.Contains(stderr, "worker=my-machine--.") {
		t.Error(stderr)
	}
}
