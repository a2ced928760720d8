package runner

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPlaywrightFile(t *testing.T) {
	t.Chdir(t.TempDir())
	ids := []string{"a.spec.ts", "a.spec.tsx", "aa.spec.ts", "a+spec.ts", "x/a.spec.ts", "[id] (b) ü $1 ^.spec.ts", "a|b.spec.ts", "c:12", "-d.spec.ts"}
	for _, id := range ids {
		arg := playwrightFile(id)
		text, begins := strings.CutPrefix(arg, "/")
		text, ends := strings.CutSuffix(text, "/")
		if !begins || !ends {
			t.Fatalf("%s: Playwright takes no %s for a regular expression", id, arg)
		}
		if regexp.MustCompile(`^(.*?):(\d+):?(\d+)?$`).MatchString(arg) {
			t.Errorf("%s: Playwright finds a line number in %s", id, arg)
		}
		pattern := regexp.MustCompile(text)
		for _, other := range ids {
			if got := pattern.MatchString(nodePath(other)); got != (other == id) {
				t.Errorf("%s fits %s: %v", arg, other, got)
			}
		}
	}
}

func TestPlaywrightWithout(t *testing.T) {
	t.Chdir(t.TempDir())
	patterns := []string{"smoke"}
	if got := playwrightWithout(nil, patterns); !slices.Equal(got, patterns) {
		t.Errorf("%q", got)
	}
	a, b := regexp.QuoteMeta(nodePath("a.spec.ts")), regexp.QuoteMeta(nodePath("b.spec.ts"))
	if got, want := playwrightWithout([]string{"a.spec.ts", "b.spec.ts"}, patterns), "/^(?!("+a+"|"+b+")$).*(smoke)/i"; !slices.Equal(got, []string{want}) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := playwrightWithout([]string{"a.spec.ts"}, nil), "/^(?!("+a+")$).*()/i"; !slices.Equal(got, []string{want}) {
		t.Errorf("%q, want %q", got, want)
	}
}
