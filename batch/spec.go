package batch

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The spec of a test begins with its version. Version 1 is the bare test. Version 2 adds an object: {"gate": hash, "group": name},
// each empty if there is none. A version that adds to it uses another number, so that those who cannot heed what it says leave the test to others.
const (
	specPlain  = "1"
	specObject = "2 "
)

type specFields struct {
	Gate  string `json:"gate"`
	Group string `json:"group,omitempty"`
}

func encodeSpec(t Test) string {
	if t.Gate.None() && t.Group == "" {
		return specPlain
	}
	fields, _ := json.Marshal(specFields{Gate: t.Gate.hash(), Group: t.Group}) // a struct of strings
	return specObject + string(fields)
}

// decodeSpec makes the test that a spec stands for, in a batch behind a gate.
func (q *Queue) decodeSpec(id, spec string, gate Gate) (Test, error) {
	if spec == specPlain {
		return Test{ID: id}, nil
	}
	var fields specFields
	text, ok := strings.CutPrefix(spec, specObject)
	if !ok || json.Unmarshal([]byte(text), &fields) != nil {
		return Test{}, &Error{Code: UnknownSpec, RunID: q.runID, Detail: fmt.Sprintf("test %q was enqueued by a newer version of this program (spec %.40q): update this worker", id, spec)}
	}
	if fields.Gate != gate.hash() {
		return Test{}, &Error{Code: UnknownSpec, RunID: q.runID, Detail: fmt.Sprintf("the gate of test %q was changed in Redis: its command is not the one that was enqueued", id)}
	}
	return Test{ID: id, Gate: gate, Group: fields.Group}, nil
}

// hash is Hash, and empty for no gate.
func (g Gate) hash() string {
	if g.None() {
		return ""
	}
	return g.Hash()
}
