package junit_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shardctl/shardctl/junit"
)

// full is a report that has everything, of which some is hostile.
func full() junit.Report {
	nasty := "]]> <b> & \x00\x1b[31m\xff \u202e ☃ \"'\r\n::error::x"
	attempts := []junit.Attempt{
		{Status: junit.Failed, Seconds: 1.5, Message: nasty, Type: nasty, Details: nasty, Output: nasty},
		{Status: junit.Errored},
	}
	return junit.Report{Suites: []junit.Suite{
		{Name: nasty, Hostname: nasty, Timestamp: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC), Stdout: nasty, Stderr: nasty, Cases: []junit.Case{
			{Name: nasty, Classname: nasty, File: "a/b_test.go", Line: 7, Seconds: 1234.5678, Status: junit.Passed, Reruns: attempts, Stdout: nasty, Stderr: nasty},
			{Name: "failed", Status: junit.Failed, File: "a", Line: 1, Message: nasty, Type: nasty, Details: nasty, Reruns: attempts, Stdout: nasty},
			{Name: "errored", Status: junit.Errored, Seconds: math.MaxFloat64},
			{Name: "skipped", Status: junit.Skipped, Message: nasty, Type: "quarantine", Details: nasty},
			{Status: junit.Passed, Seconds: 1e9},
		}},
		{},
	}}
}

// What the strict profile writes is valid by the schema of Jenkins's xUnit plugin; what the default one adds is not.
func TestStrictProfile(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is not installed (Debian: libxml2-utils)")
		}
		t.Skip("xmllint is not installed (Debian: libxml2-utils)")
	}
	check := func(report junit.Report, profile junit.Profile) (string, bool) {
		t.Helper()
		var text bytes.Buffer
		if err := profile.Write(&text, report); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), xmllint, "--nonet", "--noout", "--schema", "testdata/schema/jenkins-junit-10.xsd", "-")
		cmd.Stdin = &text
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), err == nil
	}
	if out, valid := check(full(), junit.Default); valid || !strings.Contains(out, "not allowed") {
		t.Errorf("the default profile should not be valid: %s", out)
	}
	reports := []junit.Report{full(), {}}
	inputs, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("inputs %v, error %v", inputs, err)
	}
	for _, input := range inputs {
		if report, err := junit.ReadFile(input); err == nil {
			reports = append(reports, report)
		}
	}
	if len(reports) < 5 {
		t.Errorf("%d reports only", len(reports))
	}
	for i, report := range reports {
		if out, valid := check(report, junit.Strict); !valid {
			t.Errorf("report %d: %s", i, out)
		}
	}
}

// Strict says the same of all cases, as far as it says it.
func TestStrictProfileLosesNoResult(t *testing.T) {
	var text bytes.Buffer
	if err := junit.Strict.Write(&text, full()); err != nil {
		t.Fatal(err)
	}
	read, err := junit.Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	want := full().Totals()
	got := read.Totals()
	if want.Seconds, got.Seconds = 0, 0; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseProfile(t *testing.T) {
	for name, ok := range map[string]bool{"default": true, "strict": true, "": false, "Strict": false} {
		if p, err := junit.ParseProfile(name); (err == nil) != ok || ok && string(p) != name {
			t.Errorf("%q: %q, %v", name, p, err)
		}
	}
}
