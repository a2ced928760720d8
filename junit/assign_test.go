package junit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A case proves one unit: the one that names it most exactly.
func TestAssign(t *testing.T) {
	for name, test := range map[string]struct {
		cases []Case
		units []string
		want  map[string]int
	}{
		"class and name before name": {[]Case{{Classname: "admin", Name: "login"}}, []string{"login", "admin.login"}, map[string]int{"admin.login": 1}},
		"name before class":          {[]Case{{Classname: "a", Name: "b"}}, []string{"a", "b"}, map[string]int{"b": 1}},
		"class before file":          {[]Case{{Classname: "C", File: "f", Name: "x"}}, []string{"f", "C"}, map[string]int{"C": 1}},
		"two spellings":              {[]Case{{Classname: "c", Name: "n"}}, []string{"c.n", "c::n"}, map[string]int{"c.n": 1}},
		"each has its own":           {[]Case{{Classname: "admin", Name: "login"}, {Classname: "user", Name: "login"}}, []string{"login", "admin.login"}, map[string]int{"admin.login": 1, "login": 1}},
		"a class with all its cases": {[]Case{{Classname: "C", Name: "x"}, {Classname: "C", Name: "y"}}, []string{"C"}, map[string]int{"C": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]int{}
			for unit, cases := range NewIndex(Report{Suites: []Suite{{Name: "s", Cases: test.cases}}}).Assign(test.units) {
				got[unit] = len(cases)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error("cases of each unit (-want +got):\n" + diff)
			}
		})
	}
}

// A status that nobody knows is not a pass.
func TestStatusWords(t *testing.T) {
	for word, want := range map[string]Status{
		"": Passed, "Passed": Passed, "run": Passed, "TIMED_OUT": Errored, "timed out": Errored, "not-run": Skipped, "killed": Errored, "KO": Errored,
	} {
		if got := (&caseElement{Status: word}).attributeStatus(); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
