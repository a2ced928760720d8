package runner

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestJestList(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	line, err := json.Marshal([]string{nodePath("a.test.js"), nodePath("src/ü [id] \"x\".test.js")})
	if err != nil {
		t.Fatal(err)
	}
	if got := listedUnits(jestList(line)); !slices.Equal(got, []string{"a.test.js", "src/ü [id] \"x\".test.js", "end"}) {
		t.Errorf("%q", got)
	}
	if got := listedUnits(jestList([]byte("[]"))); !slices.Equal(got, []string{"end"}) {
		t.Errorf("an empty list: %q", got)
	}
	for _, text := range []string{"", "/a/b.test.js", "[1]", `["a"`, `{"a":1}`, `["a"] trailing`, "[dotenv] injecting", `"a"`} {
		if got := jestList([]byte(text)); got != nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestWithoutOption(t *testing.T) {
	for _, c := range [][2]string{
		{"--ci --filter f.js x", "--ci x"},
		{"--filter=f.js --ci", "--ci"},
		{"--filters=f.js -- --filter", "--filters=f.js --"},
		{"", ""},
	} {
		if got := withoutOption(strings.Fields(c[0]), "--filter"); strings.Join(got, " ") != c[1] {
			t.Errorf("%s: %q", c[0], got)
		}
	}
}
