package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/runner/runnertest"
)

func TestVitestList(t *testing.T) {
	t.Chdir(t.TempDir())
	files := fmt.Sprintf("[\n  {\n    \"file\": %q\n  },\n  {\n    \"file\": %q,\n    \"projectName\": \"two\"\n  }\n]", nodePath("a.test.ts"), nodePath("b [x].test.ts"))
	for _, c := range []struct {
		text string
		code int
		want []string
	}{
		{text: files, want: []string{"a.test.ts", "b [x].test.ts", "end"}},
		{text: "what the configuration prints\n" + files, want: []string{"a.test.ts", "b [x].test.ts", "end"}},
		{text: "[vite] warning\n[plugin] another\n" + files, want: []string{"a.test.ts", "b [x].test.ts", "end"}},
		{text: files + "\n[plugin] bye", want: []string{"a.test.ts", "b [x].test.ts", "end"}},
		{text: "[]", want: []string{"end"}},
		{text: files, code: 1},
		{text: ""},
		{text: "[\n  {\n"},
		{text: "[1]"},
	} {
		list := &vitestList{}
		for line := range strings.Lines(c.text) {
			if got := list.line([]byte(strings.TrimSuffix(line, "\n"))); got != nil {
				t.Errorf("%q: %v", line, got)
			}
		}
		if got := listedUnits(list.end(exit{Code: c.code}, "")); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestVitestCommand(t *testing.T) {
	for text, refused := range map[string]bool{
		`{"version":"1.6.1"}`: true, `{"version":"2.0.5"}`: true,
		`{"version":"2.1.9"}`: false, `{"version":"10.0.0-beta.1"}`: false, `{}`: false, `not JSON`: false,
	} {
		dir := t.TempDir()
		lay(t, dir, map[string]string{"node_modules/.bin/vitest": "", "node_modules/vitest/package.json": text})
		words, err := vitestCommand(dir)
		if !refused && (err != nil || len(words) != 1) {
			t.Errorf("%s: %q, %v", text, words, err)
		}
		if refused && (err == nil || !strings.Contains(err.Error(), "2.1 and later can: npm install")) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestVitest2 says that the project of testdata/runners comes to the same statuses with Vitest 2, in one batch but for the file
// that hangs.
func TestVitest2(t *testing.T) {
	const hangs = "tests/hang.test.js"
	projects := runnertest.Projects(t, "../../..")
	present := projects[slices.IndexFunc(projects, func(p runnertest.Project) bool { return p.Name == "vitest" })]
	want := map[string]batch.Status{}
	for id, verdict := range present.Want {
		want[id] = verdict.Status
	}
	for _, persistent := range []string{"off", "on"} {
		t.Run("persistent="+persistent, func(t *testing.T) {
			p := newInstalled(t, "vitest2", Options{Name: "vitest", Persistent: persistent}, map[string]string{"package.json": `{"type": "module"}`})
			must(t, os.CopyFS("tests", os.DirFS(filepath.Join(present.Dir, "tests"))))
			got := map[string]batch.Status{}
			collect := func(events ...batch.Event) {
				for _, e := range events {
					switch e.Type {
					case batch.Finish:
						got[e.Test] = e.Outcome.Status
						if e.Test == hangs && !strings.Contains(e.Outcome.Message, `while "sleeps" ran`) {
							t.Errorf("%s: %q", e.Test, e.Outcome.Message)
						}
					case batch.ProblemFound:
						t.Errorf("problem %s: %s", e.Problem.Scope, e.Problem.Message)
					}
				}
			}
			for _, ids := range [][]string{slices.DeleteFunc(p.list(), func(id string) bool { return id == hangs }), {hangs}} {
				job := Job{Limits: Limits{Test: 6 * time.Second, Grace: time.Second}}
				for _, id := range ids {
					job.Batch.Tests = append(job.Batch.Tests, batch.Test{ID: id})
				}
				must(t, p.Run(t.Context(), job, collect))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestVitest2Types says that with Vitest 2 the types of each file are checked, those of a file that has ordinary tests too, and
// that what is wrong with the types elsewhere is a problem of the run.
func TestVitest2Types(t *testing.T) {
	p := newInstalled(t, "vitest2", Options{Name: "vitest", Persistent: "on"}, map[string]string{
		"package.json":      `{"type": "module"}`,
		"tsconfig.json":     `{"compilerOptions": {"strict": true, "noEmit": true, "lib": ["es5"], "types": []}}`,
		"vitest.config.mjs": `export default { test: { globals: true, typecheck: { enabled: true, include: ["*.test.ts"] } } };`,
		"fits.test.ts":      `declare const test: any; test("it", () => { const one: number = 1; }); export {};`,
		"wrong.test.ts":     `declare const test: any; test("it", () => { const one: string = 1; }); export {};`,
	})
	const wrong = "TypeCheckError: Type 'number' is not assignable to type 'string'."
	same(t, "first", p.run("fits.test.ts"), []string{"passed fits.test.ts", "problem vitest: Unhandled Source Error: Type 'number' is not assignable to type 'string'."})
	same(t, "second", p.run("wrong.test.ts"), []string{"failed wrong.test.ts it: " + wrong})
	same(t, "at rest", p.rest(), nil)
}
