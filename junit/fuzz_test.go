package junit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/junit"
)

// FuzzRead: Read never panics, what it accepts can be written, and what is written reads back with the same cases.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range seeds {
		xml, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(xml)
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		first, err := junit.Read(bytes.NewReader(xml))
		if err != nil {
			return
		}
		second := read(t, string(write(t, first)))
		if diff := cmp.Diff(outcomes(first), outcomes(second)); diff != "" {
			t.Errorf("%q, read, written and read again (-first +second):\n%s", xml, diff)
		}
		third := read(t, string(write(t, second)))
		if diff := cmp.Diff(second, third, cmp.Comparer(closeEnough)); diff != "" {
			t.Errorf("%q changes each time it is written (-second +third):\n%s", xml, diff)
		}
		once := junit.Merge(first)
		if diff := cmp.Diff(once, junit.Merge(once)); diff != "" {
			t.Errorf("merged twice (-once +twice):\n%s", diff)
		}
		index := junit.NewIndex(first)
		for _, s := range first.Suites {
			for _, c := range s.Cases {
				if len(index.Cases(c.Name)) == 0 {
					t.Errorf("case %q is not in the index", c.Name)
				}
			}
		}
	})
}

// outcome is what a round trip must keep.
type outcome struct {
	Suite, Classname, Name, File string
	Line                         int
	Status                       junit.Status
	Reruns                       []junit.Status
}

func outcomes(r junit.Report) []outcome {
	var all []outcome
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			o := outcome{
				Suite: cleanName(s.Name), Classname: junit.Sanitize(c.Classname), Name: cleanName(c.Name),
				File: junit.Sanitize(c.File), Line: c.Line, Status: c.Status,
			}
			for _, a := range c.Reruns {
				o.Reruns = append(o.Reruns, a.Status)
			}
			all = append(all, o)
		}
	}
	return all
}

func cleanName(name string) string {
	if name = junit.Sanitize(name); strings.TrimSpace(name) == "" {
		return "(unnamed)"
	}
	return name
}

// closeEnough allows for seconds that are rounded once.
func closeEnough(a, b float64) bool { return a-b < 1e-5 && b-a < 1e-5 }
