package runner

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/junit"
)

// verdict is what one run of a command says about its tests; the comment of Command tells by which rules.
type verdict struct {
	// name of the command.
	name string
	// ids of the tests that it was to run.
	ids []string
	// alone: ids is one test, which must get a Finish.
	alone bool
	// evidence is the report of the run.
	evidence evidence
	end      exit
	// seconds that the command ran, and what it printed.
	seconds float64
	output  string

	// strangers are cases that failed and belong to none of the tests, told counts the tests that got a Finish.
	strangers []junit.Case
	told      int
}

// tell emits the verdict.
func (v *verdict) tell(emit func(...batch.Event)) {
	v.strangers = v.evidence.strangers(v.ids)
	var finished []batch.Event
	failed := false
	assigned := v.evidence.index.Assign(v.ids)
	for _, id := range v.ids {
		if cases := assigned[id]; len(cases) > 0 {
			o := outcomeOf(cases, v.output)
			failed = failed || o.Status == batch.Failed
			finished = append(finished, batch.Event{Type: batch.Finish, Test: id, Outcome: o})
		}
	}
	problems := v.problems(failed)
	complete := len(finished) == len(v.ids)
	// What a report says that leaves out tests is believed only if nothing else is strange: some runners list tests as passed
	// before they run, or that died.
	believed := complete || len(v.strangers) == 0 && len(problems) == 0 && !v.killed()
	for _, e := range finished {
		if believed || e.Outcome.Status == batch.Failed {
			v.told++
			emit(e)
		}
	}
	if complete {
		for _, p := range problems {
			emit(batch.Event{Type: batch.ProblemFound, Problem: p})
		}
	} else if v.alone && !v.stopped() {
		emit(batch.Event{Type: batch.Finish, Test: v.ids[0], Outcome: v.unreported()})
	}
}

// again says which tests of several run again, and why, with the last that the command printed: if they then pass, nothing else
// tells of it. Empty: none does.
func (v *verdict) again() string {
	if v.alone || v.stopped() || v.told == len(v.ids) {
		return ""
	}
	how := v.ended()
	if v.limit() != nil {
		how = fmt.Sprintf("%v and the command was stopped", v.limit())
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s in a batch of %d; not known to have run, and to run again, each alone: %d. The last that it printed:\n%s",
		v.name, how, len(v.ids), len(v.ids)-v.told, lastLines(v.output)))
}

// ended is how the command ended, as a sentence.
func (v *verdict) ended() string {
	if v.end.Signal != 0 {
		return fmt.Sprintf("the command was %v", v.end)
	}
	return fmt.Sprintf("the command ended with %v", v.end)
}

// limit is the time limit that ended the command, nil if none did.
func (v *verdict) limit() (l *limitError) {
	errors.As(v.end.Cause, &l)
	return l
}

// stopped says that the command was ended from outside, which says nothing about its tests.
func (v *verdict) stopped() bool { return v.end.Cause != nil && v.limit() == nil }

// killed says that the command did not come to its own end.
func (v *verdict) killed() bool { return v.end.Cause != nil || v.end.killedBy() != 0 }

// problems returns what the outcomes of the tests do not explain. failed says that one of them failed.
func (v *verdict) problems(failed bool) []batch.Problem {
	var problems []batch.Problem
	add := func(details, format string, args ...any) {
		problems = append(problems, batch.Problem{Scope: v.name, Message: oneLine(fmt.Sprintf(format, args...)), Details: details})
	}
	const most = 20
	for i, c := range v.strangers {
		if i == most {
			add("", "%d more cases failed that are none of the tests", len(v.strangers)-most)
			break
		}
		add(caseText(c, v.output), "%q failed, which is none of the tests: %s", caseName(c), caseMessage(c))
	}
	for _, err := range v.evidence.broken {
		add(lastLines(v.output), "a JUnit file cannot be read: %v", err)
	}
	switch {
	case v.stopped():
	case v.limit() != nil:
		add(lastLines(v.output), "%v although all tests had ended", v.limit())
	case v.end.Signal != 0:
		add(lastLines(v.output), "%v after all tests had ended", v.end)
	case v.end.Code != 0 && !failed && len(v.strangers) == 0:
		add(lastLines(v.output), "%v although no test failed", v.end)
	}
	return problems
}

// unreported is the outcome of a test that ran alone and that the report does not name.
func (v *verdict) unreported() batch.Outcome {
	o := batch.Outcome{Seconds: v.seconds, Output: v.output}
	how := v.ended()
	switch {
	case v.limit() != nil:
		o.Status, o.Message = batch.Timeout, fmt.Sprintf("%v and the command was stopped", v.limit())
	case v.killed():
		o.Status, o.Message = batch.Crashed, how
	case len(v.strangers) > 0:
		c := v.strangers[0]
		o.Status, o.Message = batch.Failed, fmt.Sprintf("the test was not executed, but %q failed: %s", caseName(c), caseMessage(c))
		o.File, o.Line, o.Output = c.File, c.Line, caseText(c, v.output)
	default:
		o.Status, o.Message = batch.Unexecuted, fmt.Sprintf("the test was not executed: %s and %s", how, v.evidence)
	}
	o.Message = oneLine(o.Message)
	return o
}

// lastLines returns the end of s, at most 20 lines and 4 KiB.
func lastLines(s string) string {
	const lines, bytes = 20, 4 << 10
	s = strings.TrimRight(s, "\n")
	start := len(s)
	for range lines {
		if start = strings.LastIndexByte(s[:start], '\n'); start < 0 {
			break
		}
	}
	return strings.ToValidUTF8(s[max(start+1, len(s)-bytes):], "")
}
