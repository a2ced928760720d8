package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// TestNodeTestList lists a folder as node --test does, and by patterns.
func TestNodeTestList(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip(err)
	}
	t.Chdir(t.TempDir())
	for _, file := range []string{
		"a.test.js", "b-test.mjs", "c_test.cjs", "test.js", "test-d.js", "lib/test/deep/any.js", "lib/e.test.js", "lib/x+(y).test.js",
		"main.js", "testing.js", "a.test.json", "contest.js", ".hidden/a.test.js", "node_modules/a/a.test.js", "test/data.txt",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := New(Options{Name: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.(*Tool).Close()
	for _, c := range []struct {
		name           string
		patterns, want []string
	}{
		{"all", nil, []string{"a.test.js", "b-test.mjs", "c_test.cjs", "lib/e.test.js", "lib/test/deep/any.js", "lib/x+(y).test.js", "test-d.js", "test.js"}},
		{"a folder", []string{"lib"}, []string{"lib/e.test.js", "lib/test/deep/any.js", "lib/x+(y).test.js"}},
		{"files, each once", []string{"main.js", "./main.js", "lib/x+(y).test.js"}, []string{"lib/x+(y).test.js", "main.js"}},
		{"globs", []string{"**/{a,e}.test.*", "./test?d.[jt]s"}, []string{"a.test.js", "a.test.json", "lib/e.test.js", "test-d.js"}},
		{"a star within a name", []string{"*/*.js"}, []string{"lib/e.test.js", "lib/x+(y).test.js"}},
		{"nothing", []string{"nowhere/*.js"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tests, err := r.(Lister).List(t.Context(), c.patterns)
			if err != nil {
				t.Fatal(err)
			}
			var got []string // nil for none, as in the table
			if got = append(got, batch.Batch{Tests: tests}.IDs()...); len(tests) == 0 {
				got = nil
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestNodeTestOptions(t *testing.T) {
	tool := &Tool{preset: nodeTest, words: []string{"node", "--import", "tsx", "--test"}, o: Options{Args: []string{"--test", "--test-only"}}}
	if diff := cmp.Diff([]string{"--import", "tsx", "--test-only"}, nodeTestOptions(tool)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff("node --test --import tsx --test-only 'it'\\''s.js'", tool.Reproduce("it's.js")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
