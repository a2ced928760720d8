package gate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		is, not []string
	}{
		{"*", []string{"", "a/b::c[d]"}, nil},
		{"a", []string{"a"}, []string{"ab", "ba", "A"}},
		{"*::TestCUDA*", []string{"x/y.py::TestCUDA", "::TestCUDA::test_a[1/2]"}, []string{"x.py::testCUDA", "TestCUDA"}},
		{"test_x.py::test_y[param]", []string{"test_x.py::test_y[param]"}, []string{"test_x.py::test_yp", "test_xxpy::test_y[param]"}},
		{"*[cuda-?]", []string{"a[cuda-1]", "[cuda-ß]"}, []string{"a[cuda-]", "a[cuda-12]"}},
		{`a.b\*`, []string{`a.b\`, `a.b\c`}, []string{`a.b*`, `axb\`}},
		{`a{b,c}|d+$`, []string{`a{b,c}|d+$`}, []string{"ab", "d"}},
		{"/(?i)gpu/", []string{"a/GPU/b", "gpu"}, []string{"cpu"}},
		{"/^a/b$/", []string{"a/b"}, []string{"a/bc", "xa/b"}},
		{`/a\/[/]b/`, []string{"xa//b"}, []string{"a/b"}},
		{"*/abs/?", []string{"/abs/x"}, []string{"/abs/"}},
	} {
		p, err := ParsePattern(tt.pattern)
		if err != nil || p.String() != tt.pattern {
			t.Fatal(p, err)
		}
		for _, id := range tt.is {
			if !p.Match(id) {
				t.Errorf("%s does not match %q", p, id)
			}
		}
		for _, id := range tt.not {
			if p.Match(id) {
				t.Errorf("%s matches %q", p, id)
			}
		}
	}
	for pattern, want := range map[string]string{
		"": "empty", "//": "empty", "/": "does not end", "/gpu": "does not end", "/gpu/i": `"*/gpu/i"`, "/(/": "missing closing )",
	} {
		if _, err := ParsePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

func TestParseFlag(t *testing.T) {
	for _, tt := range []struct{ flag, pattern, command, err string }{
		{"a=b", "a", "b", ""},
		{"*[x?1]=test a = b", "*[x?1]", "test a = b", ""},
		{"/x=1/=b=/=c", "/x=1/", "b=/=c", ""},
		{"/a/b/=c", "/a/b/", "c", ""},
		{`/a\/=b/=c`, `/a\/=b/`, "c", ""},
		{`/a\\/=c`, `/a\\/`, "c", ""},
		{"a/=b", "a/", "b", ""},
		{"a", "", "", `no "="`},
		{"=b", "", "", "the pattern is empty"},
		{"//=b", "", "", "the pattern is empty"},
		{"a= ", "", "", `no command behind the pattern "a"`},
		{"/a=b", "", "", `no "/="`},
		{`/a\/=b`, "", "", `no "/="`},
		{"/(/=b", "", "", "missing closing )"},
	} {
		pattern, command, err := parseFlag(tt.flag)
		switch {
		case tt.err == "" && (err != nil || pattern.String() != tt.pattern || command != tt.command):
			t.Errorf("%s: %q, %q, %v", tt.flag, pattern, command, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: %v, want %q", tt.flag, err, tt.err)
		}
	}
	if _, err := NewRules([]string{"a=b", "c"}, "", nil); err == nil || !strings.HasPrefix(err.Error(), `--gate "c": `) {
		t.Error(err)
	}
}

func configured(t *testing.T, name, command string, patterns ...string) Configured {
	t.Helper()
	g := Configured{Name: name, Command: command}
	for _, text := range patterns {
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		g.Tests = append(g.Tests, p)
	}
	return g
}

func TestRules(t *testing.T) {
	gates := []Configured{configured(t, "gpu", "nvidia-smi", "*gpu*", "*typo*"), configured(t, "big", "test -e /big", "*gpu-big*", "*big*")}
	name := func(s string) batch.Gate { return batch.Gate{Name: s} }
	text := func(s string) batch.Gate { return batch.Gate{Command: s} }
	for what, tt := range map[string]struct {
		flags     []string
		all       string
		gates     []Configured
		id, own   string
		want      batch.Gate
		unmatched []string
	}{
		"nothing":               {id: "a"},
		"own":                   {id: "a", own: " exit 1\n", want: text("exit 1")},
		"own name":              {gates: gates[:1], id: "a-gpu-typo", own: "gpu", want: name("gpu")},
		"own comes first":       {flags: []string{"a=b"}, all: "c", id: "a", own: "d", want: text("d")},
		"blank own":             {all: "c", id: "a", own: " ", want: text("c")},
		"blank all":             {all: " ", id: "a"},
		"flag before all":       {flags: []string{"x=1", "a=2", "a=3"}, all: "c", id: "a", want: text("2"), unmatched: []string{`"x" (--gate)`}},
		"flag names":            {flags: []string{"a= gpu "}, gates: gates[:1], id: "a", want: name("gpu"), unmatched: []string{`"*gpu*" (gate gpu of .shard.yml)`, `"*typo*" (gate gpu of .shard.yml)`}},
		"all before file":       {all: "c", gates: gates[1:], id: "gpu-big", want: text("c")},
		"all names":             {all: "big", gates: gates[1:], id: "gpu-big", want: name("big")},
		"file":                  {gates: gates, id: "gpu-big", want: name("gpu"), unmatched: []string{`"*typo*" (gate gpu of .shard.yml)`}},
		"file, a later pattern": {gates: gates[1:], id: "big", want: name("big"), unmatched: []string{`"*gpu-big*" (gate big of .shard.yml)`}},
		"file, none":            {gates: gates[:1], id: "a", unmatched: []string{`"*gpu*" (gate gpu of .shard.yml)`, `"*typo*" (gate gpu of .shard.yml)`}},
	} {
		r, err := NewRules(tt.flags, tt.all, tt.gates)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := r.Gate(tt.id, tt.own); got != tt.want {
				t.Errorf("%s: %+v, want %+v", what, got, tt.want)
			}
		}
		if diff := cmp.Diff(tt.unmatched, r.Unmatched()); diff != "" {
			t.Errorf("%s: unmatched (-want +got):\n%s", what, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"gpu": "nvidia-smi", "big": "test -e /big"}, Commands(gates)); diff != "" {
		t.Error(diff)
	}
}
