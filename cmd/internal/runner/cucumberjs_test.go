package runner

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCucumberPaths(t *testing.T) {
	for _, c := range []struct {
		name      string
		ids, want []string
	}{
		{"none", nil, []string{}},
		{"one argument for each file", []string{"b.feature:3", "a.feature:1", "b.feature:12"}, []string{"b.feature:3:12", "a.feature:1"}},
		{"a file that cannot be parsed has no line", []string{"a.feature"}, []string{"a.feature"}},
		{"characters of globs", []string{"a [b](c)*?{d}!+@.feature:1"}, []string{"a [[]b[]][(]c[)][*][?][{]d[}][!][+][@].feature:1"}},
		{"a colon in the name", []string{"a:b.feature:1", "a:b.feature", "c:", "d:x1"}, []string{"a:b.feature:1", "c:", "d:x1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, cucumberPaths(c.ids)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestCucumberTakesPlugins(t *testing.T) {
	for text, want := range map[string]bool{
		`{"version": "9.6.0"}`:  false,
		`{"version": "12.3.0"}`: false,
		`{"version": "12.4.0"}`: true,
		`{"version": "13.0.0"}`: true,
		`{"version": "next"}`:   true,
		`{`:                     true,
	} {
		t.Run(text, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "node_modules", "@cucumber", "cucumber", "package.json")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := cucumberTakesPlugins(filepath.Join(dir, "node_modules", ".bin", "cucumber-js")); got != want {
				t.Errorf("beside the program: got %v, want %v", got, want)
			}
			t.Chdir(dir)
			if got := cucumberTakesPlugins("npx"); got != want {
				t.Errorf("in the project: got %v, want %v", got, want)
			}
		})
	}
}
