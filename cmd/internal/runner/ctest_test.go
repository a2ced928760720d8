package runner

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

func TestCtestStream(t *testing.T) {
	const over = "Total Test time (real) =   1.04 sec\n"
	for name, c := range map[string]struct {
		ids  []string
		args []string
		text string
		want []string
	}{
		"tests": {
			ids: []string{"a: b", "c ... d", "e", "f", "g"},
			text: "test 1\n      Start  1: a: b\n1: Test command: /bin/a\n1: 1/1 Test  #1: a: b ..***Failed 0.00 sec\n 1/5 Test  #1: a: b .......   Passed    0.01 sec\n" +
				"    Start  2: c ... d\n2: one\n2: two\n 2/5 Test  #2: c ... d ...***Failed  Required regular expression not found. Regex=[x\n]  0.00 sec\n" +
				"    Start 3: e\nCould not find executable ./e\nLooked in\n3/5 Test #3: e ....***Not Run   0.00 sec\n" +
				"    Start 4: f\n4: why\n4/5 Test #4: f ....***Skipped   0.00 sec\n    Start 5: g\n5/5 Test #5: g ....Subprocess killed***Exception:   0.00 sec\n" + over,
			want: []string{
				"start a: b", "finish a: b passed", "start c ... d", `finish c ... d failed "Failed  Required regular expression not found. Regex=[x: two"`,
				"start e", `finish e failed "Not Run: Could not find executable ./e"`, "start f", `finish f skipped "Skipped: why"`, "start g", `finish g failed "Subprocess killed Exception"`, "end",
			},
		},
		"fixtures": {
			ids: []string{"a"},
			text: "Start 1: up\n    Start 1: up\n1/3 Test #1: up ....***Failed   0.00 sec\n    Start 2: a\nFailed test dependencies: up\n2/3 Test #2: a ....***Not Run   0.00 sec\n" +
				"    Start 3: down\n3/3 Test #3: down ....***Failed   0.00 sec\n" + over,
			want: []string{"start up", "start a", `finish a failed "Not Run: Failed test dependencies: up"`, "start down", `finish down failed "Failed"`, "end"},
		},
		"repeated until it passes": {
			ids: []string{"a", "b"}, args: []string{"--repeat", "until-pass:2"},
			text: "    Start 1: a\n1/2 Test #1: a ....***Failed   0.00 sec\n    Start 1: a\n    Test #1: a ....   Passed   0.00 sec\n" +
				"    Start 2: b\n2/2 Test #2: b ....***Failed   0.00 sec\n    Start 2: b\n    Test #2: b ....***Failed   0.00 sec\n" + over,
			want: []string{"start a", "at a: a (again)", "finish a passed", "start b", "at b: b (again)", `finish b failed "Failed"`, "end"},
		},
		"repeated until it fails, without our knowledge": {
			ids:  []string{"a"},
			text: "    Start 1: a\n    Test #1: a ....   Passed   0.00 sec\n    Start 1: a\n1/1 Test #1: a ....***Failed   0.00 sec\n" + over,
			want: []string{"start a", "finish a passed", "start a", `finish a failed "Failed"`, "end"},
		},
		"garbage": {ids: []string{"a"}, text: "1/1 Test #1: a ....   Passed    0.01 sec\n2: x\n    Start 99999999999999999999: a\nNo tests were found!!!\n", want: []string{"start a"}},
	} {
		t.Run(name, func(t *testing.T) { checkTold(t, heard(newCtestStream(c.ids, c.args), c.text), c.want...) })
	}
}

func TestCtestList(t *testing.T) {
	tests, err := ctestList("-- a message\n{\"kind\":\"ctestInfo\",\"tests\":[{\"name\":\"a\"},{\"name\":\"b\",\"command\":[\"x\"]},{\"name\":\"a\"}]}")
	if diff := cmp.Diff([]batch.Test{{ID: "a"}, {ID: "b"}}, tests); diff != "" || err != nil {
		t.Errorf("error %v, -want +got\n%s", err, diff)
	}
	if _, err := ctestList("No such folder"); err == nil {
		t.Error("no list is no error")
	}
	want := `-R ^(a\+b \(c\)|\[x\-y\] \^\$\\\|\*\?\.{1})$`
	if got := strings.Join(ctestSelect([]string{"a+b (c)", `[x-y] ^$\|*?.{1}`}), " "); got != want {
		t.Errorf("%s", got)
	}
}
