package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newNode writes files to a new folder, goes there, and returns the runner that is installed for its project of testdata/runners.
// It skips the test if that is not.
func newNode(t *testing.T, name string, files map[string]string, args ...string) project {
	t.Helper()
	return newInstalled(t, name, Options{Name: name, Persistent: "on", Args: args}, files)
}

// newInstalled does so with any options, and what is installed in a folder of testdata/runners.
func newInstalled(t *testing.T, folder string, o Options, files map[string]string) project {
	t.Helper()
	modules, err := filepath.Abs(filepath.Join("../../../testdata/runners", folder, "node_modules"))
	must(t, err)
	if _, err := os.Stat(modules); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	lay(t, dir, files)
	must(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	t.Chdir(dir)
	r, err := New(o)
	must(t, err)
	p := project{t, r.(*Tool)}
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

// noted are the lines that the tests have written to the file log so far, without their order.
func noted(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("log")
	must(t, err)
	return slices.Sorted(strings.SplitSeq(strings.TrimSpace(string(text)), "\n"))
}

const (
	nodeUp   = `require("node:fs").appendFileSync("log", "up\n");`
	nodeDown = `require("node:fs").appendFileSync("log", "down\n"); throw new Error("cannot clean up");`
	// nodeCase fails if globals of another file can be seen.
	nodeCase = `require("node:fs").appendFileSync("log", "ran\n"); if (globalThis.left) throw new Error("left: " + globalThis.left);`
	nodeExit = `process.exit(0);`
)

// nodeProjects are for each runner that can be kept: a global set-up and tear-down, and files with one test each.
var nodeProjects = map[string]func(cases map[string]string) map[string]string{
	"jest": func(cases map[string]string) map[string]string {
		files := map[string]string{
			"jest.config.js": `module.exports = { testEnvironment: "node", globalSetup: "./up.js", globalTeardown: "./down.js" };`,
			"up.js":          "module.exports = () => {" + nodeUp + "};", "down.js": "module.exports = () => {" + nodeDown + "};",
		}
		for name, text := range cases {
			files[name+".test.js"] = `test("it", () => {` + text + "globalThis.left = 'by a file'; });"
		}
		return files
	},
	"vitest": func(cases map[string]string) map[string]string {
		files := map[string]string{
			"vitest.config.mjs": `export default { test: { globals: true, globalSetup: "./around.mjs" } };`,
			"around.mjs": `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` +
				"export function setup() {" + nodeUp + "} export function teardown() {" + nodeDown + "}",
		}
		for name, text := range cases {
			files[name+".test.js"] = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` +
				`test("it", () => {` + text + "globalThis.left = 'by a file'; });"
		}
		return files
	},
	"mocha": func(cases map[string]string) map[string]string {
		files := map[string]string{
			".mocharc.json": `{"require": "./around.js", "spec": "*.test.js"}`,
			"around.js":     "exports.mochaGlobalSetup = () => {" + nodeUp + "}; exports.mochaGlobalTeardown = () => {" + nodeDown + "};",
		}
		for name, text := range cases {
			files[name+".test.js"] = `it("it", () => {` + text + "});"
		}
		return files
	},
}

// TestNodeKept says that what is global is set up once for all batches, that its failing at the end is a problem, and that a
// file finds nothing that one of another batch left in its globals.
func TestNodeKept(t *testing.T) {
	for name, files := range nodeProjects {
		t.Run(name, func(t *testing.T) {
			p := newNode(t, name, files(map[string]string{"a": nodeCase, "b": nodeCase, "c": nodeCase, "never": nodeCase}))
			first := p.run("a.test.js", "b.test.js")
			slices.Sort(first)
			same(t, "first", first, []string{"passed a.test.js", "passed b.test.js"})
			same(t, "one that does not exist", p.run("none.test.js"), nil)
			same(t, "third", p.run("c.test.js"), []string{"passed c.test.js"})
			same(t, "log before the end", noted(t), []string{"ran", "ran", "ran", "up"})
			if problems := p.rest(); len(problems) != 1 || !strings.HasPrefix(problems[0], "problem "+name+": ") || !strings.Contains(problems[0], "cannot clean up") {
				t.Errorf("at rest: %q", problems)
			}
			same(t, "log", noted(t), []string{"down", "ran", "ran", "ran", "up"})
		})
	}
}

// TestNodeKeptDies says that a file that ends the process that is kept is charged alone, and that the next batch has another.
func TestNodeKeptDies(t *testing.T) {
	for _, name := range []string{"jest", "mocha"} { // Vitest's files have processes of their own
		t.Run(name, func(t *testing.T) {
			p := newNode(t, name, nodeProjects[name](map[string]string{"a": nodeCase, "dies": nodeExit, "c": nodeCase}))
			same(t, "first", p.run("a.test.js"), []string{"passed a.test.js"})
			same(t, "second", p.run("dies.test.js"), []string{
				`crashed dies.test.js while "it" ran: its process ended before the test did: exit status 0`})
			same(t, "third", p.run("c.test.js"), []string{"passed c.test.js"})
			same(t, "log", noted(t), []string{"ran", "ran", "up", "up"})
		})
	}
}

// TestNodeKeptCrowded says that a process in which tests leave too much behind makes way for another.
func TestNodeKeptCrowded(t *testing.T) {
	t.Setenv("NODE_OPTIONS", "--max-old-space-size=200")
	const leaks = `(global.leaks ??= []).push(Array.from({ length: 1e6 }, (_, i) => ({ i })));` // some 40 MB
	p := newNode(t, "mocha", map[string]string{
		".mocharc.json": `{"require": "./around.js", "spec": "*.test.js"}`,
		"around.js":     "exports.mochaGlobalSetup = () => {" + nodeUp + "};",
		"a.test.js":     `it("it", () => {` + leaks + "});", "b.test.js": `it("it", () => {` + leaks + leaks + leaks + "});", "c.test.js": `it("it", () => {});`,
	})
	for _, id := range []string{"a.test.js", "b.test.js", "c.test.js"} {
		same(t, id, p.run(id), []string{"passed " + id})
	}
	same(t, "at rest", p.rest(), nil)
	same(t, "log", noted(t), []string{"up", "up"})
}

// TestVitestParallel says that files that the user's options let run beside each other are told apart.
func TestVitestParallel(t *testing.T) {
	cases, want := map[string]string{}, []string(nil)
	for _, name := range strings.Fields("a b c d e f") {
		cases[name] = nodeCase
		want = append(want, "passed "+name+".test.js")
	}
	p := newNode(t, "vitest", nodeProjects["vitest"](cases), "--maxWorkers=2")
	got := p.run("a.test.js", "b.test.js", "c.test.js", "d.test.js", "e.test.js", "f.test.js")
	slices.Sort(got)
	same(t, "run", got, want)
}
