package junit_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

func suiteOf(cases ...junit.Case) junit.Report {
	return junit.Report{Suites: []junit.Suite{{Name: "s", Cases: cases}}}
}

func TestWrite(t *testing.T) {
	got := write(t, junit.Report{Suites: []junit.Suite{
		{
			Name: "shop", Hostname: "h<1>", Timestamp: time.Date(2026, 3, 1, 12, 0, 0, 5, time.FixedZone("", 7200)),
			Stdout: "\x1b[1msuite\x1b[0m out", Stderr: "suite err",
			Cases: []junit.Case{
				{Name: "passes", Classname: "C", File: "c.go", Line: 3, Seconds: 1.5, Status: junit.Passed, Stdout: "a]]>b"},
				{Name: "is \x1b[31mflaky", Seconds: 0.25, Status: junit.Passed, Reruns: []junit.Attempt{
					{Status: junit.Failed, Seconds: 2, Message: "1st", Type: "T", Details: "trace", Output: "out"},
					{Status: junit.Errored, Details: "no message\nbut details"},
				}},
				{Name: "fails", Status: junit.Failed, Message: "last\nof three", Reruns: []junit.Attempt{
					{Status: junit.Errored}, {Status: junit.Failed},
				}},
				{Name: "errors", Status: junit.Errored, Message: strings.Repeat("ö", 301), Type: "E"},
				{Name: "skipped", Status: junit.Skipped, Message: "why", Details: "because: why", Seconds: -1, Line: -1},
			},
		},
		{},
	}})
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" errors="1" skipped="1" time="0.750">
	<testsuite name="shop" tests="5" failures="1" errors="1" id="0" hostname="h&lt;1&gt;" time="0.750" timestamp="2026-03-01T10:00:00" skipped="1">
		<testcase name="passes" classname="C" time="1.500000" file="c.go" line="3">
			<system-out><![CDATA[a]]]]><![CDATA[>b]]></system-out>
		</testcase>
		<testcase name="is flaky" classname="" time="0.250000">
			<flakyFailure message="1st" type="T" time="2.000000">
				<stackTrace><![CDATA[1st
trace]]></stackTrace>
				<system-out><![CDATA[out]]></system-out>
			</flakyFailure>
			<flakyError message="no message" type="" time="0.000000">
				<stackTrace><![CDATA[no message
but details]]></stackTrace>
			</flakyError>
		</testcase>
		<testcase name="fails" classname="" time="0.000000">
			<failure message="last"><![CDATA[last
of three]]></failure>
			<rerunError message="" type="" time="0.000000">
				<stackTrace></stackTrace>
			</rerunError>
			<rerunFailure message="" type="" time="0.000000">
				<stackTrace></stackTrace>
			</rerunFailure>
		</testcase>
		<testcase name="errors" classname="" time="0.000000">
			<error message="LONG…" type="E"><![CDATA[LONGöö]]></error>
		</testcase>
		<testcase name="skipped" classname="" time="0.000000">
			<skipped message="why"><![CDATA[because: why]]></skipped>
		</testcase>
		<system-out><![CDATA[suite out]]></system-out>
		<system-err><![CDATA[suite err]]></system-err>
	</testsuite>
	<testsuite name="(unnamed)" tests="0" failures="0" errors="0" id="1" time="0.000" skipped="0"></testsuite>
</testsuites>
`
	if diff := cmp.Diff(strings.ReplaceAll(want, "LONG", strings.Repeat("ö", 299)), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWriteErrors(t *testing.T) {
	failed := []junit.Attempt{{Status: junit.Failed}}
	for name, c := range map[string]junit.Case{
		"no status":              {Name: "n"},
		"unknown status":         {Name: "n", Status: "crashed"},
		"skipped after failures": {Name: "n", Status: junit.Skipped, Reruns: failed},
		"rerun that passed":      {Name: "n", Status: junit.Failed, Reruns: []junit.Attempt{{Status: junit.Passed}}},
		"rerun without status":   {Name: "n", Status: junit.Passed, Reruns: []junit.Attempt{{}}},
	} {
		var b strings.Builder
		if err := junit.Write(&b, suiteOf(c)); err == nil || !strings.Contains(err.Error(), `"n"`) || b.Len() > 0 {
			t.Errorf("%s: error %v, written %q", name, err, b.String())
		}
	}
}

// closedPipe fails each write.
func closedPipe() io.Writer {
	r, w := io.Pipe()
	r.Close()
	return w
}

func TestWriteFailingWriter(t *testing.T) {
	for _, report := range []junit.Report{{}, suiteOf(junit.Case{Name: strings.Repeat("x", 1<<20), Status: junit.Passed})} {
		if err := junit.Write(closedPipe(), report); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("error %v", err)
		}
	}
}

func BenchmarkWrite100k(b *testing.B) {
	report := manyCases(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := junit.Write(io.Discard, report); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead100k(b *testing.B) {
	xml := string(write(b, manyCases(100_000)))
	b.SetBytes(int64(len(xml)))
	b.ReportAllocs()
	for b.Loop() {
		read(b, xml)
	}
}

// manyCases returns n cases of which each tenth failed.
func manyCases(n int) junit.Report {
	cases := make([]junit.Case, n)
	for i := range cases {
		cases[i] = junit.Case{
			Name: "TestSomething/with_parameters", Classname: "example.com/shop/cart", File: "cart/cart_test.go", Line: i,
			Seconds: 0.123, Status: junit.Passed,
		}
		if i%10 == 0 {
			cases[i].Status, cases[i].Message, cases[i].Details = junit.Failed, "got 1, want 2", strings.Repeat("a line of a stack trace\n", 20)
		}
	}
	return suiteOf(cases...)
}
