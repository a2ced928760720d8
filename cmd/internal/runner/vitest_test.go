package runner

import (
	"fmt"
	"slices"
	"strings"
	"testing"
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
