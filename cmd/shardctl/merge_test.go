package main

import (
	"path/filepath"
	"testing"

	"github.com/shardctl/shardctl/junit"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cases := func(name, text string) string {
		return write(t, dir, name, `<testsuite name="s">`+text+`</testsuite>`)
	}
	a := cases("a.xml", `<testcase name="a"/>`)
	b := cases("b.xml", `<testcase name="b"/><testcase name="c"><skipped/></testcase>`)
	bad := cases("bad.xml", `<testcase name="a"><failure message="no"/></testcase>`)
	none := cases("none.xml", "")
	broken := write(t, dir, "broken.xml", `<testsuite name="s"><testcase name="a">`)
	expected, more := list(t, "a", "b", "c"), list(t, "a", "b", "c", "d d")
	for _, test := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"green", []string{a, b}, 0, []string{"2 reports, 3 cases: 0 failed, 0 errors, 1 skipped, 0 flaky"}},
		{"all that is expected", []string{"--expect", expected, a, b}, 0, nil},
		{"one is missing", []string{"--expect", more, a, b}, 3, []string{"missing: d d", "INCOMPLETE: 1 expected"}},
		{"one is missing and one failed", []string{"--expect", more, bad, b}, 3, []string{"missing: d d", "1 failed"}},
		{"the list of the expected is empty", []string{"--expect", list(t), a}, 2, []string{"--expect", "the list is empty"}},
		{"the list of the expected is not there", []string{"--expect", filepath.Join(dir, "no.txt"), a}, 2, []string{"--expect", "no.txt"}},
		{"broken XML", []string{a, broken}, 2, []string{broken, "line 1"}},
		{"a report is not there", []string{a, filepath.Join(dir, "no.xml")}, 2, []string{"no.xml", "no such file"}},
		{"a failure", []string{bad, b}, 1, []string{"1 failed"}},
		{"failed, then passed", []string{bad, a}, 0, []string{"1 flaky"}},
		{"passed, then failed", []string{a, bad}, 1, []string{"1 failed"}},
		{"no case", []string{none}, 4, []string{"no tests", "the reports have no case"}},
		{"no report", nil, 2, []string{"which reports?"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			output := filepath.Join(t.TempDir(), "new", "merged.xml")
			shardctl(t, append([]string{"merge", "--output", output}, test.args...)...).expect(t, test.status, test.says...)
			if test.status == 0 {
				statuses(t, output)
			}
		})
	}
	r := shardctl(t, "merge", a, b).expect(t, 0)
	equal(t, map[string]junit.Status{"a": junit.Passed, "b": junit.Passed, "c": junit.Skipped}, statuses(t, write(t, dir, "out.xml", r.out)))
}
