package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewCommandRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "not-executable")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		argv []string
		want []string
	}{
		{"empty", nil, []string{`no command`, `"--"`}},
		{"empty name", []string{""}, []string{`no command`}},
		{"not found", []string{"no-such-command-here", "{tests}"}, []string{`"no-such-command-here"`, "not found", "PATH"}},
		{"not executable", []string{file}, []string{"permission denied"}},
		{"quoted", []string{"sh -c true"}, []string{`"sh -c true"`, "not in quotes"}},
		{"tests inside an argument", []string{"sh", "-c", "run {tests}"}, []string{`"run {tests}"`, "{tests_file}", `"$@"`}},
		{"tests twice", []string{"sh", "{tests}", "{tests}"}, []string{"twice"}},
		{"artifacts without folder", []string{"sh", "--out={artifacts}/x"}, []string{`"--out={artifacts}/x"`, "--artifacts DIR"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewCommand(tt.argv, "")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not contain %q", err, want)
				}
			}
		})
	}
}

func TestCommandArgs(t *testing.T) {
	c, err := NewCommand([]string{"sh", "{tests_file}", "--a={junit}:{junit_dir}", "--", "{tests}", "{batch}{batch}", "{artifacts}",
		"{other}", "{}", `{"json": {}}`, "$SHARD_JUNIT"}, "kept")
	if err != nil {
		t.Fatal(err)
	}
	files := runFiles{tests: "/{junit}/tests", junitDir: "/{batch}", artifacts: "/kept"}
	got := c.args([]string{"-x", "a b", "{batch}"}, files, 7)
	want := []string{"/{junit}/tests", "--a=/{batch}/junit.xml:/{batch}", "--", "-x", "a b", "{batch}", "77", "/kept",
		"{other}", "{}", `{"json": {}}`, "$SHARD_JUNIT"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !filepath.IsAbs(c.artifacts) {
		t.Errorf("%q", c.artifacts)
	}
}

func TestCommandSplit(t *testing.T) {
	ids := []string{strings.Repeat("a", 400<<10), strings.Repeat("b", 400<<10), strings.Repeat("c", 400<<10), "d"}
	all, err := NewCommand([]string{"sh", "{tests}"}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		ids   []string
		other int
		want  []int
	}{
		{ids, 0, []int{2, 2}},
		{ids, 400 << 10, []int{1, 1, 2}},
		{ids, 2 << 20, []int{1, 1, 1, 1}}, // no room at all: the kernel says so
		{ids[3:], 0, []int{1}},
	} {
		parts := all.split(tt.ids, tt.other)
		var sizes []int
		for _, p := range parts {
			sizes = append(sizes, len(p))
		}
		if !slices.Equal(sizes, tt.want) || !slices.Equal(slices.Concat(parts...), tt.ids) {
			t.Errorf("%d ids beside %d bytes: %v, want %v", len(tt.ids), tt.other, sizes, tt.want)
		}
	}
	file, err := NewCommand([]string{"sh", "{tests_file}"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if parts := file.split(ids, 2<<20); len(parts) != 1 {
		t.Errorf("a file has no limit, but %d parts", len(parts))
	}
}
