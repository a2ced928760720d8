package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden reads each numbered journal of testdata, and compares what is told of it live, at the end and as JUnit with the
// .golden file beside it.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.journal")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("inputs %v, error %v", inputs, err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			j := readJournal(t, input)
			v := Judge(j.history(), j.ending)
			report := JUnit(v)
			var b strings.Builder
			b.WriteString("=== live\n")
			writePlain(&b, j)
			b.WriteString("=== verdict\n")
			if err := WriteVerdict(&b, v, TextOptions{Reproduce: func(id string) string { return "run-test " + id }}); err != nil {
				t.Fatal(err)
			}
			assertHarmless(t, b.String())
			b.WriteString("=== junit\n")
			if err := junit.Write(&b, report); err != nil {
				t.Fatal(err)
			}
			assertAgree(t, v, report)
			golden := strings.TrimSuffix(input, ".journal") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func writePlain(b *strings.Builder, j journal) {
	p := NewPlain(b, PlainOptions{RunID: "ci-1", Verbose: true})
	for i := 0; i <= len(j.events); i++ {
		for _, at := range j.beats[i] {
			p.Heartbeat(at.state, at.elapsed)
		}
		if i < len(j.events) {
			p.Event(j.events[i])
		}
	}
}

// assertHarmless checks that no line is a command to a CI system or to a terminal.
func assertHarmless(t testing.TB, text string) {
	t.Helper()
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") || strings.Contains(line, "##vso[") {
			t.Errorf("a CI system reads this line as a command: %q", line)
		}
		if strings.ContainsAny(line, "\x1b\x07\x08\u009b") {
			t.Errorf("a terminal reads this line as a command: %q", line)
		}
	}
}

// assertAgree checks that a report says the same as the verdict that it was made of.
func assertAgree(t testing.TB, v Verdict, r junit.Report) {
	t.Helper()
	totals := r.Totals()
	if red := totals.Failures+totals.Errors > 0; red != (v.Exit != ExitPassed) {
		t.Errorf("JUnit has %d failures and %d errors, the exit status is %d", totals.Failures, totals.Errors, v.Exit)
	}
	if totals.Tests < len(v.Tests) {
		t.Errorf("JUnit has %d cases of %d tests", totals.Tests, len(v.Tests))
	}
	if flaky := len(v.Flaky()); (flaky > 0) != (totals.Flaky > 0) {
		t.Errorf("JUnit has %d flaky cases, the verdict %d flaky tests", totals.Flaky, flaky)
	}
	if !strings.Contains(v.Sentence(), map[int]string{0: "PASSED: ", 1: "FAILED: ", 3: "INCOMPLETE: ", 4: "NO TESTS: "}[v.Exit]) {
		t.Errorf("exit status %d and %q", v.Exit, v.Sentence())
	}
}
