package runner

import (
	"context"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// puppet is a runner that does what a function says with each unit.
type puppet struct {
	tests []string
	run   func(id string, alone bool, emit func(...batch.Event))
}

func (p puppet) List(context.Context, []string) ([]batch.Test, error) {
	var tests []batch.Test
	for _, id := range p.tests {
		tests = append(tests, batch.Test{ID: id})
	}
	return tests, nil
}

func (p puppet) Run(_ context.Context, job Job, emit func(...batch.Event)) error {
	for _, id := range job.Batch.IDs() {
		p.run(id, job.Batch.Alone, emit)
	}
	return nil
}

func begins(id string) batch.Event { return batch.Event{Type: batch.Start, Test: id} }
func ends(id string, status batch.Status) batch.Event {
	return batch.Event{Type: batch.Finish, Test: id, Outcome: batch.Outcome{Status: status, Message: "why"}}
}

// Examine finds what a plugin may do wrong, and nothing with one that does it right.
func TestExamine(t *testing.T) {
	right := func(id string, _ bool, emit func(...batch.Event)) {
		if id == stranger {
			emit(ends(id, batch.Unexecuted))
			return
		}
		emit(begins(id), ends(id, batch.Passed))
	}
	for name, c := range map[string]struct {
		puppet puppet
		want   string // a part of what is broken, empty: nothing is
	}{
		"all is well":     {puppet{[]string{"a", "b"}, right}, ""},
		"no tests":        {puppet{nil, right}, "0 units"},
		"one name twice":  {puppet{[]string{"a", "a"}, right}, "listed twice"},
		"a bad name":      {puppet{[]string{"a\nb"}, right}, "line break"},
		"passes anything": {puppet{[]string{"a"}, func(id string, _ bool, emit func(...batch.Event)) { emit(begins(id), ends(id, batch.Passed)) }}, "does not exist passed"},
		"says nothing": {puppet{[]string{"a"}, func(id string, alone bool, emit func(...batch.Event)) {
			if alone {
				right(id, alone, emit)
			}
		}}, "was not executed"},
		"never ends": {puppet{[]string{"a"}, func(id string, alone bool, emit func(...batch.Event)) {
			if emit(begins(id)); id == stranger {
				emit(ends(id, batch.Unexecuted))
			}
		}}, "has no finish"},
		"ends twice": {puppet{[]string{"a"}, func(id string, alone bool, emit func(...batch.Event)) {
			right(id, alone, emit)
			right(id, alone, emit)
		}}, "after its finish"},
		"another unit": {puppet{[]string{"a"}, func(id string, alone bool, emit func(...batch.Event)) {
			right(id, alone, emit)
			emit(begins("z"))
		}}, "none of the batch's units"},
		"only in company": {puppet{[]string{"a"}, func(id string, alone bool, emit func(...batch.Event)) {
			if alone && id != stranger {
				emit(begins(id), ends(id, batch.Failed))
				return
			}
			right(id, alone, emit)
		}}, "failed alone"},
		"without a word": {puppet{[]string{"a"}, func(id string, alone bool, emit func(...batch.Event)) {
			if id == stranger {
				right(id, alone, emit)
				return
			}
			emit(begins(id), batch.Event{Type: batch.Finish, Test: id, Outcome: batch.Outcome{Status: batch.Failed}})
		}}, "without a message"},
	} {
		t.Run(name, func(t *testing.T) {
			var broken []string
			err := Examine(t.Context(), c.puppet, nil, 20, func(f Finding) {
				if f.Broken {
					broken = append(broken, f.Text)
				}
			})
			all := strings.Join(broken, "\n")
			if err != nil || (c.want == "") != (len(broken) == 0) || !strings.Contains(all, c.want) {
				t.Errorf("%v, broken: %q, want %q", err, broken, c.want)
			}
		})
	}
}
