package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// goModule writes a module example.com/m with files (by slash-separated name) and returns its folder.
func goModule(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/m\n\ngo 1.25\n")
	for name, text := range files {
		write(name, text)
	}
	return dir
}

func newTestGo(t *testing.T, dir string, args ...string) *Go {
	t.Helper()
	g, err := NewGo(GoOptions{Dir: dir, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func ids(tests []batch.Test) []string { return batch.Batch{Tests: tests}.IDs() }

const goListFile = `package a

import (
	"fmt"
	. "testing"
)

func TestMain(m *M)        {}
func TestB(t *T)           {}
func Test(t *T)            {}
func Testing(t *T)         {}
func Test_lower(t *T)      {}
func TestÜ(*T)             {}
func FuzzZ(f *F)           {}
func FuzzA(f *F)           {}
func BenchmarkX(b *B)      {}
func ExampleSilent()       { fmt.Println() }
func Example() {
	fmt.Println("x")
	// Output: x
}
func Example_empty() {
	// Output:
}

type s struct{}

func (s) TestMethod(t *T) {}
`

func TestGoList(t *testing.T) {
	dir := goModule(t, map[string]string{
		"a/a_test.go":    goListFile,
		"a/x_test.go":    "package a_test\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) {}\nfunc TestB(t *testing.T) {}\n",
		"a/tag_test.go":  "//go:build tagged\n\npackage a\n\nimport \"testing\"\n\nfunc TestTagged(t *testing.T) {}\n",
		"main/m_test.go": "package main\n\nimport \"testing\"\n\nfunc TestMain(t *testing.T) {}\n",
		"none/n.go":      "package none\n",
		"only/o_test.go": "package only\n\nimport \"testing\"\n\nfunc BenchmarkX(b *testing.B) {}\n",
		"sig/s_test.go":  "package sig\n\nimport \"testing\"\n\nfunc TestX(t *testing.T, x int) {}\n",
		"syn/s_test.go":  "package syn\n\nfunc TestX(\n",
		"two/s_test.go":  "package two\n",
		"two/t.go":       "package other\n",
	})
	list := func(patterns []string, args ...string) ([]string, error) {
		tests, err := newTestGo(t, dir, args...).List(t.Context(), patterns)
		return ids(tests), err
	}
	a := []string{"a::TestB", "a::Test", "a::Test_lower", "a::TestÜ", "a::TestX", "a::FuzzZ", "a::FuzzA", "a::Example", "a::Example_empty"}
	rest := []string{"main::TestMain", "only::[package]", "sig::[package]", "syn::[package]", "two::[package]"}
	tagged := slices.Insert(slices.Clone(a), 4, "a::TestTagged")
	for _, test := range []struct {
		patterns, args string
		want           []string
		err            string
	}{
		{"./...", "", append(slices.Clone(a), rest...), ""},
		{"./only ./a ./only", "", append([]string{"only::[package]"}, a...), ""},
		{"./a", "-tags tagged -short", tagged, ""},
		{"./none", "", nil, ""},
		{"./absent", "", nil, "directory not found"},
		{"./a ./none/absent/...", "", nil, "./none/absent"},
		{"./a ./absent...", "", nil, `"./absent..." matched no packages`},
		{"example.com/elsewhere", "", nil, "no required module provides"},
		{"a/a_test.go", "", nil, "./a"},
		{"./a", "-tags tagged -mod=nonsense", nil, "nonsense"},
	} {
		got, err := list(strings.Fields(test.patterns), strings.Fields(test.args)...)
		for i := range got {
			got[i] = strings.TrimPrefix(got[i], "example.com/m/")
		}
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s %s: error %v, want %q", test.patterns, test.args, err, test.err)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s %s:\n%q, want\n%q", test.patterns, test.args, got, test.want)
		}
	}
}

// An overlay adds a test that is in no file of the module.
func TestGoListOverlay(t *testing.T) {
	dir := goModule(t, map[string]string{
		"a_test.go":    "package m\n",
		"new.txt":      "package m\n\nimport \"testing\"\n\nfunc TestNew(t *testing.T) {}\n",
		"overlay.json": `{"Replace": {"a_test.go": "new.txt"}}`,
	})
	tests, err := newTestGo(t, dir, "-overlay", "overlay.json").List(t.Context(), nil)
	if want := []string{"example.com/m::TestNew"}; err != nil || !slices.Equal(ids(tests), want) {
		t.Errorf("%q, %v; want %q", ids(tests), err, want)
	}
}

// The truth about what a test binary holds is the binary.
func TestGoListMatchesBinaries(t *testing.T) {
	g := newTestGo(t, ".", "-vet=off")
	tests, err := g.List(t.Context(), []string{"container/...", "errors", "embed", "sort", "unicode/utf8"})
	if err != nil {
		t.Fatal(err)
	}
	g.Prepare(tests)
	var names []string
	for i, test := range tests {
		pkg, name, err := parseGoID(test.ID)
		if err != nil {
			t.Fatal(err)
		}
		if name != goPackageUnit {
			names = append(names, name)
		}
		if i+1 < len(tests) && strings.HasPrefix(tests[i+1].ID, pkg+"::") {
			continue
		}
		build, err := g.compiler.next(t.Context(), []string{pkg})
		if err != nil || build.err != nil {
			t.Fatal(pkg, err, build.err)
		}
		cmd := exec.Command(build.binary, "-test.list=.")
		cmd.Dir = build.dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(pkg, err)
		}
		truth := slices.DeleteFunc(strings.Fields(string(out)), func(s string) bool { return strings.HasPrefix(s, "Benchmark") })
		if !slices.Equal(names, truth) {
			t.Errorf("%s: listed %q, the binary has %q", pkg, names, truth)
		}
		names = nil
	}
}
