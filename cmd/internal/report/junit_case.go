package report

import (
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/junit"
)

// cases returns the JUnit cases of a test, at least one; one of them is red if the test is Bad.
func (j Judged) cases() []junit.Case {
	decisive := j.decisive()
	parts := j.parts(decisive)
	main, red := 0, false
	for i := len(parts) - 1; i >= 0; i-- {
		if isTest(j.ID, parts[i]) {
			main = i
		}
		red = red || junitStatus(parts[i].Status) == junit.Failed || junitStatus(parts[i].Status) == junit.Errored
	}
	if j.Bad() && !red {
		parts[main].Status = j.Status
	}
	cases := make([]junit.Case, len(parts))
	for i, p := range parts {
		cases[i] = junitCase(p)
		if i != main || !j.Bad() {
			continue
		}
		c := &cases[i]
		if decisive != nil {
			c.Message = first(c.Message, decisive.Outcome.Message)
			p.Output = first(p.Output, decisive.Outcome.Output)
		}
		c.Message = first(c.Message, j.Why)
		if c.Status == junit.Failed || c.Status == junit.Errored {
			c.Details = paragraphs(j.Why, strings.Join(historyLines(j.Test), "\n"), j.refusals(), p.Output)
		}
	}
	r := reruns{id: j.ID, parts: parts, cases: cases, main: main}
	for _, a := range j.Attempts {
		if a != decisive && (a.failed() || j.Bad() && a.broken()) {
			r.add(a)
		}
	}
	if from := j.Test.Former(); from != "" {
		cases[main].Stdout = formerWords(from)
	}
	if j.Excused() {
		for i := range cases {
			excuse(&cases[i], j)
		}
	}
	return cases
}

// excuse makes a case that failed one that was skipped, since readers know no other that is neither red nor green: what happened
// is told in its text.
func excuse(c *junit.Case, j Judged) {
	if c.Status != junit.Failed && c.Status != junit.Errored {
		return
	}
	details := []string{"in quarantine " + quarantineWords(j.Quarantine), c.Details}
	for _, a := range c.Reruns {
		details = append(details, "before: "+a.Message, a.Details)
	}
	c.Message = fmt.Sprintf("in quarantine, %s: %s", first(c.Type, string(j.Status)), first(c.Message, "no message"))
	c.Status, c.Type, c.Details, c.Reruns = junit.Skipped, "quarantine", paragraphs(details...), nil
}

// refusals says who answered what at the gate for which no worker qualified.
func (j Judged) refusals() string {
	if j.Gate == nil {
		return ""
	}
	return GateName(j.Gate.Label) + ":\n" + strings.Join(j.Gate.words(maxMessage), "\n")
}

// parts returns the cases of the attempt that decided, as a copy; or the test itself as its only one.
func (j Judged) parts(a *Attempt) []batch.Case {
	result := j.Status == batch.Lost || j.Status == batch.Unroutable || j.Status == Missing || j.Status == Aborted || j.Status == Unproven
	if a != nil && a.End == Finished && len(a.Outcome.Cases) > 0 && !result {
		cases := append([]batch.Case(nil), a.Outcome.Cases...)
		if len(cases) == 1 && cases[0].Output == "" { // the runner told it once
			cases[0].Output = a.Outcome.Output
		}
		return cases
	}
	own := batch.Case{Status: j.Status, Message: first(j.Why, j.Reason)}
	if a != nil && a.Decision == batch.Final { // the reason is why there was no retry
		own.Message = j.Why
	}
	own.Classname, own.Name = j.names()
	if a != nil && a.End == Finished {
		o := a.Outcome
		own.Message = first(own.Message, o.Message)
		own.Seconds, own.File, own.Line, own.Output = o.Seconds, o.File, o.Line, o.Output
	}
	return []batch.Case{own}
}

// names returns what the test is called in reports: as an attempt called it, or else by its id.
func (j Judged) names() (classname, name string) {
	for _, a := range j.Attempts {
		for _, c := range a.Outcome.Cases {
			if isTest(j.ID, c) {
				return c.Classname, c.Name
			}
		}
	}
	return splitID(j.ID)
}

// splitID returns what an id has before its first "::", empty if there is none, and the rest.
func splitID(id string) (group, name string) {
	if group, name, ok := strings.Cut(id, "::"); ok && group != "" && name != "" {
		return group, name
	}
	return "", id
}

// isTest says that c is the test of that id itself, and not a part of it.
func isTest(id string, c batch.Case) bool {
	_, name := splitID(id)
	return c.Name == id || c.Name == name || strings.HasSuffix(id, "::"+c.Name) || c.Classname+"::"+c.Name == id || c.Classname+"."+c.Name == id
}

// reruns finds the case to which an attempt beside the deciding one belongs. parts and cases are of the same length.
type reruns struct {
	id    string
	parts []batch.Case
	cases []junit.Case
	main  int
}

// add adds the failed cases of an attempt; one without counts as a whole for the test's own case.
func (r reruns) add(a *Attempt) {
	places := map[caseKey][]int{}
	for i, p := range r.parts {
		places[keyOf(p)] = append(places[keyOf(p)], i)
	}
	told := false
	for _, c := range a.Outcome.Cases {
		at := r.main
		if same := places[keyOf(c)]; len(same) > 0 { // several of one name are told apart by their order
			at, places[keyOf(c)] = same[0], same[1:]
		} else {
			c.Message = c.Name + withMessage(c.Message)
		}
		if status := junitStatus(c.Status); status == junit.Failed || status == junit.Errored {
			output := c.Output
			if output == "" && isTest(r.id, c) {
				output = a.Outcome.Output
			}
			r.put(at, junit.Attempt{Status: status, Seconds: c.Seconds, Message: c.Message, Type: string(c.Status),
				Details: paragraphs(a.words(), output)})
			told = true
		}
	}
	if !told {
		r.put(r.main, junit.Attempt{Status: attemptStatus(a), Seconds: a.Outcome.Seconds, Message: a.words(),
			Type: first(string(a.Outcome.Status), string(a.End)), Details: a.Outcome.Output})
	}
}

// put adds an attempt to a case; or, as one that was skipped can have none, to the test's own or to any other. If all were
// skipped, the attempt is told in their text.
func (r reruns) put(at int, attempt junit.Attempt) {
	for _, i := range append([]int{at, r.main}, indices(len(r.cases))...) {
		if r.cases[i].Status != junit.Skipped {
			r.cases[i].Reruns = append(r.cases[i].Reruns, attempt)
			return
		}
	}
	c := &r.cases[r.main]
	c.Details = paragraphs(c.Details, "before: "+attempt.Message)
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func attemptStatus(a *Attempt) junit.Status {
	if a.End == Finished && a.Outcome.Status == batch.Failed {
		return junit.Failed
	}
	return junit.Errored
}

func junitCase(c batch.Case) junit.Case {
	out := junit.Case{
		Name: c.Name, Classname: c.Classname, File: c.File, Line: c.Line, Seconds: c.Seconds, Status: junitStatus(c.Status),
	}
	if out.Status != junit.Passed {
		out.Message, out.Details, out.Type = c.Message, c.Output, string(c.Status)
	}
	return out
}

// junitStatus takes every status that it does not know for an error.
func junitStatus(s batch.Status) junit.Status {
	switch s {
	case batch.Passed:
		return junit.Passed
	case batch.Skipped:
		return junit.Skipped
	case batch.Failed:
		return junit.Failed
	}
	return junit.Errored
}

// first returns the first of two texts that is not empty.
func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// paragraphs joins the texts that are not blank.
func paragraphs(texts ...string) string {
	var some []string
	for _, s := range texts {
		if s = strings.Trim(s, "\n"); strings.TrimSpace(s) != "" {
			some = append(some, s)
		}
	}
	return strings.Join(some, "\n")
}
