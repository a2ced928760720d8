package junit_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden reads each numbered file of testdata, most of them written by the tool in their name, and compares what Write
// makes of it with the .golden file beside it.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("inputs %v, error %v", inputs, err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			report, err := junit.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, strings.TrimSuffix(input, ".xml")+".golden", report)
		})
	}
}

// TestGoldenMerge merges the first run and the retry of one suite.
func TestGoldenMerge(t *testing.T) {
	var reports []junit.Report
	for _, input := range []string{"first", "retry"} {
		report, err := junit.ReadFile("testdata/merge/" + input + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, report)
	}
	compareGolden(t, "testdata/merge/merged.golden", junit.Merge(reports...))
}

func compareGolden(t *testing.T, golden string, report junit.Report) {
	t.Helper()
	got := write(t, report)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
	again := write(t, read(t, string(got)))
	if diff := cmp.Diff(withoutSums(got), withoutSums(again)); diff != "" {
		t.Errorf("read and written again (-first +second):\n%s", diff)
	}
}

// withoutSums returns a report without the times of its suites: sums of times that were rounded for a file are not what the
// sums were.
func withoutSums(report []byte) string {
	return regexp.MustCompile(`(<testsuites? .*) time="[0-9.]+"`).ReplaceAllString(string(report), "$1")
}

// write returns what Write writes.
func write(t testing.TB, report junit.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := junit.Write(&b, report); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads a report that has to be valid.
func read(t testing.TB, xml string) junit.Report {
	t.Helper()
	report, err := junit.Read(strings.NewReader(xml))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, xml)
	}
	return report
}
