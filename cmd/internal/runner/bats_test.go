package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBatsStream(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"a.bats": "@test \"one\" { true; }\n@test \"two\" { true; }\n", "b.bats": "# none\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b := "suite "+filepath.Join(dir, "a.bats")+"\n", "suite "+filepath.Join(dir, "b.bats")+"\n"
	for name, c := range map[string]struct {
		ids  []string
		args []string
		text string
		e    exit
		want []string
	}{
		"a file": {
			ids: []string{"a.bats"},
			text: "1..2\n" + a + "begin 1 one\nok 1 one in 12ms\nbegin 2 two\nnot ok 2 two in 3ms\n# (from function `f' in file lib.bash, line 7,\n" +
				"#  in test file a.bats, line 2)\n#   `f' failed with status 4\n# printed\n",
			e: exit{Code: 1},
			want: []string{
				"start a.bats", "at a.bats: one", "at a.bats: two",
				"finish a.bats failed | one passed | two failed \"`f' failed with status 4\" a.bats:2", "end",
			},
		},
		"names that look like what follows them": {
			ids:  []string{"a.bats"},
			text: "1..2\n" + a + "begin 1 x in 5ms\nok 1 x in 5ms in 1ms\nbegin 2 y # skip no\nok 2 y # skip no in 1ms # skip why # not\n",
			want: []string{"start a.bats", "at a.bats: x in 5ms", "at a.bats: y # skip no", `finish a.bats passed | x in 5ms passed | y # skip no skipped "why # not"`, "end"},
		},
		"results of nobody": {
			ids:  []string{"a.bats"},
			text: "1..2\n" + a + "ok 1 one\nbegin 1 one\nok 2 one\nok 1 other\nok 1 one garbage\nnot ok 9 nothing\nok 99999999999999999999 x\nok 1 one\n",
			want: []string{"start a.bats", "at a.bats: one", "finish a.bats passed | one passed", "end"},
		},
		"a test is killed": {
			ids:  []string{"a.bats"},
			text: "1..2\n" + a + "begin 1 one\nbegin 2 two\nok 2 two in 1ms\n",
			e:    exit{Code: 1},
			want: []string{
				"start a.bats", "at a.bats: one", "at a.bats: two",
				`finish a.bats failed | one failed "its process ended before the test did: something killed it" | two passed`, "end",
			},
		},
		"a test runs again": {
			ids:  []string{"a.bats"},
			text: "1..1\n" + a + "begin 1 one\nbegin 1 one\nok 1 one in 1ms\n",
			want: []string{"start a.bats", "at a.bats: one", "finish a.bats passed | one passed", "end"},
		},
		"a file without tests, and one of which none began": {
			ids:  []string{"b.bats", "a.bats"},
			text: "1..2\n" + b + a,
			e:    exit{Code: 1},
			want: []string{
				"start b.bats", `finish b.bats skipped "the file has no test"`, "start a.bats",
				`finish a.bats failed "none of its tests (2) began: something killed the process of the file"`, "end",
			},
		},
		"options choose none": {
			ids: []string{"a.bats"}, args: []string{"--filter-tags", "slow"},
			text: "1..0\n",
			want: []string{`finish a.bats skipped "the options choose none of its tests"`, "end"},
		},
		"setup_suite": {
			ids:  []string{"a.bats", "b.bats"},
			text: "1..2\nnot ok 1 setup_suite\n# (from function `setup_suite' in test file setup_suite.bash, line 2)\n#   `false' failed\n",
			e:    exit{Code: 1},
			want: []string{
				"finish a.bats failed \"setup_suite failed: `false' failed\" setup_suite.bash:2",
				"finish b.bats failed \"setup_suite failed: `false' failed\" setup_suite.bash:2", "end",
			},
		},
		"teardown_suite": {
			ids:  []string{"a.bats"},
			text: "1..1\n" + a + "begin 1 one\nok 1 one\nnot ok 2 teardown_suite\n#   `false' failed\n",
			e:    exit{Code: 1},
			want: []string{"start a.bats", "at a.bats: one", "problem teardown_suite: teardown_suite failed: `false' failed", "finish a.bats passed | one passed", "end"},
		},
		"tests": {
			ids:  []string{"a.bats::two", "a.bats::one"},
			text: "1..2\n" + a + "begin 1 one\nok 1 one in 1ms\nbegin 2 two\nok 2 two # skip\nnot ok 3 teardown_file failed\n# x\n",
			e:    exit{Code: 1},
			want: []string{
				"start a.bats::one", "finish a.bats::one passed | one passed", "start a.bats::two", "finish a.bats::two skipped | two skipped",
				"problem a.bats: teardown_file failed: x", "end",
			},
		},
		"options leave some tests out": {
			ids: []string{"a.bats::one", "a.bats::two"}, args: []string{"--filter-tags", "slow"},
			text: "1..1\n" + a + "begin 1 two\nok 1 two in 1ms\n",
			want: []string{"start a.bats::two", "finish a.bats::two passed | two passed", "end"},
		},
		"options leave a test out": {
			ids: []string{"a.bats::two"}, args: []string{"--filter-tags", "slow"}, text: "1..0\n",
			want: []string{`finish a.bats::two skipped "the options do not choose it"`, "end"},
		},
		"a test never begins": {
			ids: []string{"a.bats::two"}, text: "1..1\n" + a, e: exit{Code: 1},
			want: []string{`finish a.bats::two failed "it never began: something killed the process of its file"`, "end"},
		},
		"a test is not there": {ids: []string{"a.bats::three"}, text: "1..0\n", want: []string{"end"}},
		"nothing could run": {
			ids: []string{"a.bats"}, text: "Error: Duplicate test name(s)\n", e: exit{Code: 1},
			want: []string{`finish a.bats failed "bats cannot run it: Error: Duplicate test name(s)"`},
		},
		"bats itself is killed": {
			ids: []string{"a.bats"}, text: "1..2\n" + a + "begin 1 one\n", e: exit{Code: 137},
			want: []string{"start a.bats", "at a.bats: one"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := newBatsStream(c.ids, c.args)
			if err != nil {
				t.Fatal(err)
			}
			checkTold(t, append(heard(s, c.text), sayMessages(s.end(c.e, c.text))...), c.want...)
		})
	}
}

func TestBatsNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.bats")
	text := "@test \"two words\" {\n  @test 'a { b' { x; }\r\n@test bare {\nfunction_name() { # @test\n# @test \"no\" {\n@test \"no brace\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := batsNames(file)
	if diff := cmp.Diff([]string{"two words", "a { b", "bare", "function_name"}, names); diff != "" || err != nil {
		t.Errorf("error %v, -want +got\n%s", err, diff)
	}
}

func TestBatsArguments(t *testing.T) {
	if got := batsSelect([]string{"-a.bats", "b c.bats"}); !slices.Equal(got, []string{"./-a.bats", "b c.bats"}) {
		t.Errorf("%q", got)
	}
	want := []string{"--filter", `^(a\+b \(c\)|\[x\] \^y\$ \{1\} \\ \| \*\?\.)$`, "a.bats"}
	if diff := cmp.Diff(want, batsSelect([]string{"a.bats::a+b (c)", `a.bats::[x] ^y$ {1} \ | *?.`})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	long := strings.Repeat("x", maxPattern/4)
	parts := batsParts([]string{"a::1" + long, "b", "a::2" + long, "a::3" + long, "c::4", "d"})
	if diff := cmp.Diff([][]string{{"a::1" + long, "a::2" + long}, {"a::3" + long}, {"c::4"}, {"b", "d"}}, parts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
