package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/junit"
)

// events writes the events file of a journal.
func (j journal) eventsFile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewEventsWriter(&b, EventsHeader{Run: j.ending.RunID, Birth: "b0", Tool: "shardctl test"})
	w.Add(j.events...)
	if err := w.End(Judge(j.history(), j.ending), j.ending, func(id string) string { return "run-test " + id }); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// journals are all of testdata, and those of which everything is hostile, or large.
func journals(t testing.TB) map[string]journal {
	t.Helper()
	inputs, err := filepath.Glob("testdata/*.journal")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("inputs %v, error %v", inputs, err)
	}
	all := map[string]journal{"hostile": hostileJournal(), "large": large(2000, 7)}
	for _, input := range inputs {
		all[strings.TrimSuffix(filepath.Base(input), ".journal")] = readJournal(t, input)
	}
	return all
}

// allReports are all reports of a verdict as text.
func allReports(t testing.TB, v Verdict) string {
	t.Helper()
	var b strings.Builder
	for _, err := range []error{
		WriteVerdict(&b, v, TextOptions{}), junit.Write(&b, JUnit(v)), WriteTrace(&b, v), WriteHTML(&b, v, HTMLOptions{}), WriteSummary(&b, v, SummaryOptions{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// Whatever is made of an events file is the same as what was made of the run.
func TestEventsTellTheSame(t *testing.T) {
	for name, j := range journals(t) {
		t.Run(name, func(t *testing.T) {
			file := j.eventsFile(t)
			assertHarmless(t, string(file))
			read := 0
			rec, err := ReadEvents(bytes.NewReader(file), func(batch.Event) { read++ })
			if err != nil {
				t.Fatal(err)
			}
			if !rec.Whole || read != len(j.events) || rec.Header.Run != j.ending.RunID || rec.Header.Birth != "b0" {
				t.Errorf("read %d of %d entries, whole %v, header %+v", read, len(j.events), rec.Whole, rec.Header)
			}
			v := Judge(j.history(), j.ending)
			if diff := cmp.Diff(allReports(t, v), allReports(t, rec.Verdict())); diff != "" {
				t.Error(diff)
			}
			if rec.Verdict().Exit != v.Exit {
				t.Errorf("exit %d, want %d", rec.Verdict().Exit, v.Exit)
			}
			for _, j := range v.Tests {
				if want := map[bool]string{true: "run-test " + j.ID}[j.Bad() || j.Flaky()]; rec.Reproduce(j.ID) != want {
					t.Errorf("reproduce %q, want %q", rec.Reproduce(j.ID), want)
				}
			}
		})
	}
}

// Every field of an event comes back: a new one that does not must be added to the format.
func TestEventsHoldAllFields(t *testing.T) {
	for _, kind := range []batch.EventType{batch.Finish, batch.Resulted, batch.ProblemFound, batch.Quarantined} {
		var e batch.Event
		n := 0
		fill(reflect.ValueOf(&e).Elem(), &n)
		e.Type, e.Time = kind, testEpoch
		switch kind {
		case batch.ProblemFound:
			e.Outcome, e.Quarantine = batch.Outcome{}, batch.Quarantine{}
		case batch.Quarantined:
			e.Outcome, e.Problem = batch.Outcome{}, batch.Problem{}
		default:
			e.Problem, e.Quarantine = batch.Problem{}, batch.Quarantine{}
		}
		var b bytes.Buffer
		NewEventsWriter(&b, EventsHeader{}).Add(e)
		var got []batch.Event
		if _, err := ReadEvents(&b, func(e batch.Event) { got = append(got, e) }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]batch.Event{e}, got, cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

// fill sets everything to something of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	}
}

// A file that is not as it was written is never green: cut anywhere, it is incomplete; with a line less or more, it is refused.
func TestDamagedEvents(t *testing.T) {
	j := readJournal(t, "testdata/01-pass.journal")
	file := string(j.eventsFile(t))
	lines := strings.SplitAfter(strings.TrimSuffix(file, "\n"), "\n")
	last := len(lines) - 1
	lines[last] += "\n"
	for n := range len(file) - 1 {
		rec, err := ReadEvents(strings.NewReader(file[:n]), nil)
		if err != nil && n >= len(lines[0]) {
			t.Fatalf("cut at byte %d: %v", n, err)
		}
		if err == nil && rec.Verdict().Exit != ExitIncomplete {
			t.Fatalf("cut at byte %d: exit %d", n, rec.Verdict().Exit)
		}
	}
	with := func(some ...string) string { return strings.Join(some, "") }
	for name, c := range map[string]struct{ file, says string }{
		"nothing":            {"", "no events were written to it"},
		"another file":       {"<testsuites/>\n", "it is no events file"},
		"JSON of another":    {"{}\n", "it is no events file"},
		"a later schema":     {strings.Replace(file, `"schema":1`, `"schema":2`, 1), "use the version that wrote it"},
		"a line is missing":  {with(append(append([]string{}, lines[:3]...), lines[4:]...)...), "lines are missing"},
		"a line is twice":    {with(append(append([]string{}, lines[:3]...), lines[2:]...)...), "lines are missing, or were added"},
		"something behind":   {file + lines[1], "something stands behind the last line"},
		"a part behind":      {file + "{", "something stands behind the last line"},
		"two files":          {file + file, "two files in one"},
		"an unreadable line": {with(lines[0], "{\"type\":\n", with(lines[1:]...)), "line 2 is damaged"},
		"no type":            {with(lines[0], "{}\n", with(lines[1:]...)), "it has no type"},
	} {
		if _, err := ReadEvents(strings.NewReader(c.file), nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
	// What the last line says about the end does not make green what the entries call red, nor what Redis did not hold.
	red := readJournal(t, "testdata/02-fail.journal")
	text := strings.Replace(string(red.eventsFile(t)), `"exit":1`, `"exit":0`, 1)
	if rec, err := ReadEvents(strings.NewReader(text), nil); err != nil || rec.Verdict().Exit != ExitFailed {
		t.Errorf("exit %d, error %v", rec.Verdict().Exit, err)
	}
	text = strings.Replace(file, `"done":true`, `"done":false`, 1)
	if rec, err := ReadEvents(strings.NewReader(text), nil); err != nil || rec.Verdict().Exit != ExitIncomplete {
		t.Errorf("exit %d, error %v", rec.Verdict().Exit, err)
	}
}

// TestGoldenFiles compares the events file and the trace of some journals with files beside them.
func TestGoldenFiles(t *testing.T) {
	for _, name := range []string{"01-pass", "03-flaky", "04-crash", "05-lost", "14-injection", "15-reopened"} {
		j := readJournal(t, "testdata/"+name+".journal")
		var trace strings.Builder
		if err := WriteTrace(&trace, Judge(j.history(), j.ending)); err != nil {
			t.Fatal(err)
		}
		for file, got := range map[string]string{"testdata/" + name + ".events": string(j.eventsFile(t)), "testdata/" + name + ".trace": trace.String()} {
			assertHarmless(t, got)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
	}
}

func FuzzReadEvents(f *testing.F) {
	j := readJournal(f, "testdata/03-flaky.journal")
	f.Add(j.eventsFile(f))
	f.Fuzz(func(t *testing.T, file []byte) {
		rec, err := ReadEvents(bytes.NewReader(file), nil)
		if err == nil && !rec.Whole && rec.Verdict().Exit == ExitPassed {
			t.Error("green without an end")
		}
	})
}

func BenchmarkWriteHTML(b *testing.B) {
	j := large(100_000, 64)
	v := Judge(j.history(), j.ending)
	for b.Loop() {
		var out bytes.Buffer
		if err := WriteHTML(&out, v, HTMLOptions{}); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(out.Len()))
	}
}
