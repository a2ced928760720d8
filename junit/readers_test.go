package junit_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/shardctl/shardctl/junit"
)

// TestReaders lets readers that other tools are built on count the cases of what Write wrote. They are in the folder
// $JUNIT_READERS, where make readers installs them. What Strict leaves out, some of them need: the number of skipped cases.
func TestReaders(t *testing.T) {
	folder := os.Getenv("JUNIT_READERS")
	if folder == "" {
		t.Skip("JUNIT_READERS is not set: make readers installs them")
	}
	reports := map[string]junit.Report{"full": full()}
	inputs, err := filepath.Glob("testdata/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, input := range inputs {
		if report, err := junit.ReadFile(input); err == nil && len(report.Suites) > 0 {
			reports[input] = report
		}
	}
	for name, report := range reports {
		file := filepath.Join(t.TempDir(), "junit.xml")
		w, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := junit.Write(w, report); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "node", "read.mjs", file)
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		var readers map[string]junit.Totals
		if err := json.Unmarshal(out, &readers); err != nil || len(readers) < 2 {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		want := report.Totals()
		want.Seconds, want.Flaky = 0, 0
		for reader, got := range readers {
			if got != want {
				t.Errorf("%s: %s finds %+v, want %+v", name, reader, got, want)
			}
		}
	}
}
