package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"b.x", "a/c.x", "a/d.y", "a/[e].x", "node_modules/f.x", ".hidden/g.x", "module/.git/h", "module/i.x", "vendor/j.x"} {
		must(t, os.MkdirAll(filepath.Dir(name), 0o700))
		must(t, os.WriteFile(name, nil, 0o600))
	}
	for patterns, want := range map[string][]string{
		"":                {"a/[e].x", "a/c.x", "b.x"},
		"a":               {"a/[e].x", "a/c.x"},
		"./a/ a":          {"a/[e].x", "a/c.x"},
		"*.x a/d.y":       {"b.x", "a/d.y"},
		"a/[e].x":         {"a/[e].x"},
		"module vendor/*": {"module/i.x", "vendor/j.x"},
		"missing":         nil,
		"a/*.z":           nil,
	} {
		got, err := findFiles(strings.Fields(patterns), func(name string) bool { return strings.HasSuffix(name, ".x") })
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: error %v, -want +got\n%s", patterns, err, diff)
		}
	}
}

func TestSizedParts(t *testing.T) {
	parts := sizedParts([]string{"aa", "b", "cccc", "d"}, 3, func(id string) int { return len(id) })
	if diff := cmp.Diff([][]string{{"aa", "b"}, {"cccc"}, {"d"}}, parts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
