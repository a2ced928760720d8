package control

import "testing"

// One record in Redis that cannot be read costs no other, and is written over when that test runs again.
func TestTimingsWithBrokenRecords(t *testing.T) {
	known := parseFields(map[string]string{"a": "{", "b": `{"seconds": 2}`, "c": `[]`, commonField: "nonsense"})
	if len(known.Tests) != 1 || known.Tests["b"].Seconds != 2 || known.Costs.Startup != 0 {
		t.Errorf("%+v", known)
	}
}
