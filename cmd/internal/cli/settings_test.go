package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// A flag counts more than the environment, that more than .shard.yml, that more than the default; and what the file says wrongly is an
// error that says where, and what may be meant.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file string
		args       []string
		env        map[string]string
		want       string // what the command sees, or a part of the error
	}{
		{"nothing", "", nil, nil, "runner= tests= list= retries=0 fail=false timeout=1m0s pattern=[] after=[]"},
		{"the file", "runner: go\nretries: 2\nfail-fast: true\ntest-timeout: 5m\npattern: [./..., ./x]\nargs: [-tags, a b]", nil, nil,
			"runner=go tests= list= retries=2 fail=true timeout=5m0s pattern=[./... ./x] after=[-tags a b]"},
		{"the environment before the file", "retries: 2", nil, map[string]string{"SHARD_RETRIES": "3"}, "retries=3"},
		{"a flag before the environment", "retries: 2", []string{"--retries", "4"}, map[string]string{"SHARD_RETRIES": "3"}, "retries=4"},
		{"an empty variable", "retries: 2", nil, map[string]string{"SHARD_RETRIES": ""}, "retries=2"},
		{"a flag as the default", "retries: 2", []string{"--retries", "0"}, nil, "retries=0"},
		{"another source of the list", "list-command: ls\npattern: [x]", []string{"--tests", "file"}, nil, "tests=file list= retries=0 fail=false timeout=1m0s pattern=[]"},
		{"what follows --", "args: [a]", []string{"--", "b", "c"}, nil, "after=[b c]"},
		{"nothing follows --", "args: [a]", []string{"--"}, nil, "after=[]"},
		{"text for a number", "retries: \"2\"", nil, nil, "retries=2"},
		{"of another command", "elect: true", nil, nil, "retries=0"},
		{"a folder", "", []string{"--dir", "sub"}, nil, "retries=7"},
		{"a typo", "retry: 2", nil, nil, `.shard.yml:1: unknown key "retry"; known here: gates, quarantine, and the settings that ` + "`shardctl init`" + ` writes; did you mean retries?`},
		{"other dashes", "\n\ntest_timeout: 2", nil, nil, `.shard.yml:3: unknown key "test_timeout"; known here: gates, quarantine, and the settings that ` + "`shardctl init`" + ` writes; did you mean test-timeout?`},
		{"a part of the file", "gate: {}", nil, nil, "did you mean gates?"},
		{"of one run", "run-id: x", nil, nil, ".shard.yml:1: run-id cannot stand in this file: give --run-id, or set SHARD_RUN_ID"},
		{"a bad value", "runner: go\nretries: many", nil, nil, ".shard.yml:2: retries: "},
		{"a list", "retries: [1]", nil, nil, ".shard.yml:1: retries must be one value, no list"},
		{"a mapping", "retries: {a: 1}", nil, nil, ".shard.yml:1: retries must be one value"},
		{"nothing at all", "retries:", nil, nil, "retries must be one value"},
		{"a password", "redis-url: redis://u:hunter2@h", nil, nil, "a password does not belong into a file: set SHARD_REDIS_URL"},
		{"twice", "retries: 1\nretries: 2", nil, nil, ".shard.yml:2:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for path, text := range map[string]string{".shard.yml": test.file, "sub/.shard.yml": "retries: 7"} {
				path = filepath.Join(dir, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			args := append([]string{"-C", dir}, test.args...)
			if len(test.args) > 0 && test.args[0] == "--dir" {
				args = []string{"--dir", filepath.Join(dir, test.args[1])}
			}
			var out bytes.Buffer
			err := settingsProgram(&out).Run(t.Context(), Streams{Out: &out}, args, environment(test.env))
			got := out.String()
			if err != nil {
				got = err.Error()
				if Status(err) != StatusUsage {
					t.Errorf("exit status %d", Status(err))
				}
			}
			if !strings.Contains(got, test.want) || strings.Contains(got, "hunter2") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// settingsProgram prints what its flags came to.
func settingsProgram(out *bytes.Buffer) Program {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	runner, tests, list := flags.String("runner", "", ""), flags.String("tests", "", ""), flags.String("list-command", "", "")
	retries, fail, timeout := flags.Int("retries", 0, ""), flags.Bool("fail-fast", false, ""), flags.Duration("test-timeout", 60e9, "")
	pattern := flags.StringArray("pattern", nil, "")
	flags.StringP("dir", "C", "", "")
	return Program{Name: "program", Only: &Command{
		Flags: func(f *pflag.FlagSet) { f.AddFlagSet(flags) },
		Run: func(_ context.Context, _ Streams, args Args) error {
			fmt.Fprintf(out, "runner=%s tests=%s list=%s retries=%d fail=%v timeout=%v pattern=%v after=%v", *runner, *tests, *list, *retries, *fail, *timeout, *pattern, args.After)
			return nil
		},
	}}
}

// A command without any setting does not look at the file.
func TestFileOfOthers(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".shard.yml", []byte("nonsense: 1"), 0o644); err != nil {
		t.Fatal(err)
	}
	called := false
	p := Program{Name: "program", Only: &Command{Run: func(context.Context, Streams, Args) error { called = true; return nil }}}
	if err := p.Run(t.Context(), Streams{}, nil, environment(nil)); err != nil || !called {
		t.Errorf("called: %v, error %v", called, err)
	}
}
