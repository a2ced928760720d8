package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lay writes files, by their path below dir.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNodeDepends(t *testing.T) {
	for text, want := range map[string]string{
		`{"devDependencies":{"jest":"30"}}`:                 "package.json",
		`{"dependencies":{"jest":"*"}}`:                     "package.json",
		`{"devDependencies":{"jest-cli":"30","babel":"1"}}`: "",
		`{"scripts":{"test":"jest"},"jest":{}}`:             "",
		`{"devDependencies":["jest"]}`:                      "",
		`not JSON`:                                          "",
		``:                                                  "",
	} {
		dir := t.TempDir()
		lay(t, dir, map[string]string{"package.json": text})
		if got := nodeDepends(dir, "jest"); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := nodeDepends(t.TempDir(), "jest"); got != "" {
		t.Errorf("no package.json: %q", got)
	}
}

func TestNodeCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	root := t.TempDir()
	lay(t, root, map[string]string{
		"own/node_modules/.bin/jest": "", "node_modules/.bin/jest": "", "packages/a/package.json": "{}",
		"yarn/.pnp.cjs": "", "yarn/b/package.json": "{}",
	})
	for dir, want := range map[string]string{
		"own":        "node_modules/.bin/jest",
		"packages/a": "../../node_modules/.bin/jest",
		"yarn/b":     "yarn run jest",
	} {
		t.Chdir(filepath.Join(root, dir))
		got, err := nodeCommand(".", "jest", "jest")
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %s", dir, got, err, want)
		}
	}
	t.Chdir(t.TempDir())
	if got, err := nodeCommand(".", "jest", "jest"); err == nil || !strings.Contains(err.Error(), "npm install --save-dev jest") {
		t.Errorf("nothing installed: %q, %v", got, err)
	}
}

func TestNodeFiles(t *testing.T) {
	ids := []string{"a b.test.js", "-x.test.js", "../c.test.js"}
	if got := nodeFiles(ids); !slices.Equal(got, []string{"a b.test.js", "./-x.test.js", "../c.test.js"}) {
		t.Errorf("%q", got)
	}
	if ids[1] != "-x.test.js" {
		t.Error("it changed its argument")
	}
}

func TestNodeID(t *testing.T) {
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	t.Chdir(link)
	real, err := filepath.EvalSymlinks(real) // the temporary folder may be behind a link itself
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(real, "tests/ü a.test.js"):       "tests/ü a.test.js",
		filepath.Join(filepath.Dir(real), "b.test.js"): "../b.test.js",
	} {
		if got := nodeID(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if got := nodePath(want); got != path {
			t.Errorf("back: %q, want %q", got, path)
		}
	}
}

func TestGivesOption(t *testing.T) {
	for arg, want := range map[string]bool{"--bail": true, "--bail=3": true, "-b": true, "--bailout": false, "bail": false, "x--bail": false} {
		if got := givesOption([]string{"--ci", arg}, "--bail", "-b"); got != want {
			t.Errorf("%s: %v", arg, got)
		}
	}
}

// listedUnits are the units of messages, with "end" for the end.
func listedUnits(messages []message) []string {
	var ids []string
	for _, m := range messages {
		if m.Type == messageEnd {
			ids = append(ids, "end")
			continue
		}
		ids = append(ids, m.ID)
	}
	return ids
}
