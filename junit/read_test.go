package junit_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

// TestReadTotals says of each dialect, by hand and apart from the golden files, what there is to see.
func TestReadTotals(t *testing.T) {
	for file, want := range map[string]junit.Totals{
		"001-gotestsum":             {Tests: 7, Failures: 4, Skipped: 1},
		"002-gotestsum-rerun-fails": {Tests: 11, Failures: 7, Skipped: 1},
		"003-pytest-xunit1":         {Tests: 10, Failures: 1, Errors: 2, Skipped: 2},
		"004-jest-junit":            {Tests: 4, Failures: 1, Skipped: 1},
		"005-rspec-junit-formatter": {Tests: 5, Failures: 3, Skipped: 1},
		"006-mocha-junit-reporter":  {Tests: 4, Failures: 2},
		"007-phpunit-nested":        {Tests: 5, Failures: 1, Errors: 1, Skipped: 1},
		"008-surefire-reruns":       {Tests: 4, Failures: 1, Errors: 1, Flaky: 1},
		"009-googletest":            {Tests: 4, Failures: 1, Skipped: 2},
		"010-oddities":              {Tests: 7, Failures: 2, Errors: 3},
		"011-latin-1":               {Tests: 1},
	} {
		report, err := junit.ReadFile("testdata/" + file + ".xml")
		if err != nil {
			t.Error(err)
			continue
		}
		got := report.Totals()
		got.Seconds = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func TestReadCase(t *testing.T) {
	for name, test := range map[string]struct {
		xml  string
		want junit.Case
	}{
		"plain": {
			`<testcase name="n" classname="c" file="f.py" line="7" time="1,234.5"><system-out>a</system-out><system-out>b</system-out><system-err>e</system-err></testcase>`,
			junit.Case{Name: "n", Classname: "c", File: "f.py", Line: 7, Seconds: 1234.5, Status: junit.Passed, Stdout: "a\nb", Stderr: "e"},
		},
		"the suite's file": {
			`<testcase name="n"/>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Passed},
		},
		"nothing usable": {
			`<testcase time="-0.1" line="-3"/>`,
			junit.Case{Name: "(unnamed)", File: "suite.py", Status: junit.Passed},
		},
		"absurd time": {
			`<testcase name="n" time="1e300"/>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Passed},
		},
		"first failure counts": {
			`<testcase name="n"><failure message="m1" type="T">d1</failure><error message="m2">d2</error></testcase>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Failed, Message: "m1", Type: "T", Details: "d1\nm2\nd2"},
		},
		"failed and skipped": {
			`<testcase name="n"><skipped/><error message="m"/></testcase>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Errored, Message: "m"},
		},
		"attribute says failed, element says skipped": {
			`<testcase name="n" status="FAIL"><skipped/></testcase>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Failed},
		},
		"result says skipped, status says error": {
			`<testcase name="n" result="skipped" status="error"/>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Errored},
		},
		"disabled": {
			`<testcase name="n" status="disabled"/>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Skipped},
		},
		"failed with a flaky element": {
			`<testcase name="n"><flakyError message="1st" time="2"/><failure message="2nd"/></testcase>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Failed, Message: "2nd", Reruns: []junit.Attempt{
				{Status: junit.Errored, Seconds: 2, Message: "1st"},
			}},
		},
		"rerun elements without a failure": {
			`<testcase name="n"><rerunError message="1st"/><rerunFailure message="2nd" type="T">trace</rerunFailure></testcase>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Failed, Message: "2nd", Type: "T", Details: "trace", Reruns: []junit.Attempt{
				{Status: junit.Errored, Message: "1st"},
			}},
		},
		"skipped after a failure": {
			`<testcase name="n"><skipped/><flakyFailure message="1st"/></testcase>`,
			junit.Case{Name: "n", File: "suite.py", Status: junit.Failed, Message: "1st", Reruns: []junit.Attempt{}},
		},
		"indented text": {
			"<testcase name=\"n\"><failure>\n    at a\n    at b\n  </failure></testcase>",
			junit.Case{Name: "n", File: "suite.py", Status: junit.Failed, Details: "    at a\n    at b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, `<testsuite name="s" file="suite.py">`+test.xml+`</testsuite>`)
			want := junit.Report{Suites: []junit.Suite{{Name: "s", Cases: []junit.Case{test.want}}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadNeverSilentlyGreen has reports that show no case that failed, and yet failed.
func TestReadNeverSilentlyGreen(t *testing.T) {
	for name, test := range map[string]struct{ xml, classname string }{
		"suite counts an error":           {`<testsuite name="s" errors="1"/>`, "s"},
		"suite counts a failure":          {`<testsuite name="s" failures="1"><testcase name="n"/></testsuite>`, "s"},
		"root counts a failure":           {`<testsuites name="r" failures="1"><testsuite name="s"><testcase name="n"/></testsuite></testsuites>`, "r"},
		"root counts an error":            {`<testsuites name="r" errors="1"/>`, "r"},
		"root counts more than suites":    {`<testsuites name="r" errors="1"><testsuite name="s" errors="0"/></testsuites>`, "r"},
		"outer suite counts a failure":    {`<testsuite name="o" failures="1"><testsuite name="i" failures="0"/></testsuite>`, "o"},
		"inner suite counts a failure":    {`<testsuite name="o" failures="1"><testsuite name="i" failures="1"/></testsuite>`, "i"},
		"error element in the suite":      {`<testsuite name="s" errors="1"><error message="boot"/></testsuite>`, "s"},
		"error element in the root":       {`<testsuites name="r" errors="1"><error message="boot"/></testsuites>`, "r"},
		"a flaky case explains nothing":   {`<testsuite name="s" failures="1"><testcase name="n"><flakyFailure/></testcase></testsuite>`, "s"},
		"a grouped count":                 {`<testsuite name="s" failures=" 1,000 "/>`, "s"},
		"a case in an unknown wrapper":    {`<testsuite name="s"><tests><testcase name="n" classname="c"><failure/></testcase></tests></testsuite>`, "c"},
		"a case beside the suites":        {`<testsuites><testcase name="n" classname="c"><failure/></testcase></testsuites>`, "c"},
		"a case of a suite without names": {`<testsuite><testcase><failure/></testcase></testsuite>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			report := read(t, test.xml)
			var failed []junit.Case
			for _, s := range report.Suites {
				for _, c := range s.Cases {
					if c.Status == junit.Failed || c.Status == junit.Errored {
						failed = append(failed, c)
					}
				}
			}
			if len(failed) != 1 || failed[0].Classname != test.classname {
				t.Errorf("failed: %+v, want one of class %q", failed, test.classname)
			}
		})
	}
}

func TestReadSuites(t *testing.T) {
	got := read(t, `<testsuites name="tool">
		<testsuite name="Shop" hostname="h" timestamp="2026-03-01T12:00:00.5+02:00">
			<testcase name="before"/>
			<system-out>one</system-out>
			<testsuite name="Shop\Cart"><testsuite name="Shop\Cart::add"><testcase name="a"/></testsuite></testsuite>
			<testsuite name="other"><testsuite><testcase name="b"/></testsuite></testsuite>
			<testsuite name="empty"/>
			<testcase name="after"/>
			<system-out>two</system-out><system-err>three</system-err>
		</testsuite>
		<testsuite name="local time" timestamp="2026-03-01 10:00:00"><testcase name="c"/></testsuite>
		<testsuite timestamp="yesterday"><testcase name="d"/></testsuite>
	</testsuites>`)
	named := func(names ...string) (cases []junit.Case) {
		for _, n := range names {
			cases = append(cases, junit.Case{Name: n, Status: junit.Passed})
		}
		return cases
	}
	ten := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	want := junit.Report{Suites: []junit.Suite{
		{Name: "Shop", Hostname: "h", Timestamp: ten.Add(time.Second / 2), Cases: named("before", "after"), Stdout: "one\ntwo", Stderr: "three"},
		{Name: `Shop\Cart::add`, Cases: named("a")},
		{Name: "Shop / other", Cases: named("b")},
		{Name: "local time", Timestamp: ten, Cases: named("c")},
		{Name: "(unnamed)", Cases: named("d")},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadCharacters(t *testing.T) {
	for name, test := range map[string]struct{ xml, want string }{
		"byte order mark":       {"\xef\xbb\xbf<testsuite><testcase name='ö'/></testsuite>", "ö"},
		"declared UTF-8":        {"<?xml version='1.0' encoding='utf8'?><testsuite><testcase name='ö'/></testsuite>", "ö"},
		"ISO-8859-1":            {"<?xml version='1.0' encoding='Latin1'?><testsuite><testcase name='\xf6&#233;'/></testsuite>", "öé"},
		"US-ASCII that is not":  {"<?xml version='1.0' encoding='us-ascii'?><testsuite><testcase name='a\xf6b'/></testsuite>", "a\ufffdb"},
		"not UTF-8":             {"<testsuite><testcase name='a\xf6b'/></testsuite>", "a\ufffdb"},
		"control characters":    {"<testsuite><testcase name='a\x00\x1b\x7fb'/></testsuite>", "a\ufffd\ufffd\x7fb"},
		"illegal references":    {"<testsuite><testcase name='&#27;&#x0;&#xD800;&#xFFFFFFF;'/></testsuite>", "\ufffd\ufffd\ufffd\ufffd"},
		"legal references":      {"<testsuite><testcase name='&#65;&#x1F600;&#10;&amp;#27;'/></testsuite>", "A😀\n&#27;"},
		"reference at the end":  {"<testsuite><testcase name='&#27;'/></testsuite>", "\ufffd"},
		"text in front of name": {"<!-- c --><?pi?><!DOCTYPE x><testsuite><testcase name='x'/></testsuite><!-- end -->\n", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, test.xml).Suites[0].Cases[0].Name; got != test.want {
				t.Errorf("name %q, want %q", got, test.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	const ok = `<testsuite name="s"><testcase name="n"/></testsuite>`
	for name, test := range map[string]struct{ xml, want string }{
		"empty":                 {"", "empty"},
		"blank":                 {" \n\t", "no <testsuites> or <testsuite>"},
		"only a declaration":    {`<?xml version="1.0"?>`, "no <testsuites> or <testsuite>"},
		"only a mark":           {"\xef\xbb\xbf", "no <testsuites> or <testsuite>"},
		"plain text":            {"ok 1 - works\n", "text outside of the root"},
		"text before the root":  {"Running tests\n" + ok, "text outside of the root"},
		"text behind the root":  {ok + "\npanic: exit", "line 2: text outside of the root"},
		"HTML":                  {"<!DOCTYPE html>\n<html></html>", "line 2: <html>"},
		"a case as root":        {`<testcase name="n"/>`, "<testcase>"},
		"two roots":             {ok + ok, "<testsuite> where the one root"},
		"two files":             {`<?xml version="1.0"?>` + ok + `<?xml version="1.0"?>` + ok, "the one root"},
		"truncated in a tag":    {"<testsuite>\n<testcase na", "line 2: unexpected EOF"},
		"truncated in a case":   {"<testsuite>\n<testcase name='n'><failure>x", "line 2: unexpected EOF"},
		"truncated after one":   {`<testsuite><testcase name="n"/>`, "unexpected EOF"},
		"wrong end tag":         {"<testsuite>\n\n<testcase></testsuite>", "line 3: element <testcase> closed by </testsuite>"},
		"unquoted attribute":    {"<testsuite name=s/>", "line 1"},
		"unknown entity":        {`<!DOCTYPE t [<!ENTITY lol "lol">]><testsuite name="&lol;"/>`, "invalid character entity &lol;"},
		"UTF-16":                {"\xff\xfe<\x00t\x00", "UTF-16"},
		"another encoding":      {`<?xml version="1.0" encoding="windows-1252"?>` + ok, `"windows-1252"`},
		"count is no number":    {`<testsuite failures="some"/>`, `<testsuite failures="some"> is no count`},
		"count is negative":     {`<testsuite errors="-1"/>`, "is no count"},
		"case in a case":        {`<testsuite><testcase name="n"><testcase><failure/></testcase></testcase></testsuite>`, `inside of <testcase name="n">`},
		"deep":                  {strings.Repeat("<testsuite>", 101), "deeper than 100"},
		"deep below a case":     {"<testsuite><testcase>" + strings.Repeat("<x>", 200), "deeper than 100"},
		"deep, but XML is fine": {strings.Repeat("<testsuite>", 101) + strings.Repeat("</testsuite>", 101), "deeper than 100"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := junit.Read(strings.NewReader(test.xml))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "JUnit report: ") {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			if len(report.Suites) > 0 {
				t.Errorf("report beside the error: %+v", report)
			}
		})
	}
}

// TestReadTruncated cuts a report at every byte: no part of it may be taken for a whole.
func TestReadTruncated(t *testing.T) {
	whole, err := os.ReadFile("testdata/008-surefire-reruns.xml")
	if err != nil {
		t.Fatal(err)
	}
	whole = []byte(strings.TrimSpace(string(whole)))
	for n := range len(whole) {
		if report, err := junit.Read(strings.NewReader(string(whole[:n]))); err == nil {
			t.Fatalf("cut after %d of %d bytes: %+v", n, len(whole), report.Totals())
		}
	}
}

func TestReadFailingReader(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, start := range []string{"", "<testsuite>"} {
		_, err := junit.Read(io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %q: %v", start, err)
		}
	}
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := junit.ReadFile(filepath.Join(dir, "none.xml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	empty := filepath.Join(dir, "empty.xml")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, dir} {
		if _, err := junit.ReadFile(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v does not name it", path, err)
		}
	}
}
