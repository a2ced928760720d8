package report

import (
	"fmt"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// verb says what a test did that ended with a status: "it …".
func verb(s batch.Status) string {
	switch s {
	case batch.Passed:
		return "passed"
	case batch.Failed:
		return "failed"
	case batch.Crashed:
		return "crashed its runner"
	case batch.Timeout:
		return "ran out of time"
	case batch.Skipped:
		return "was skipped"
	case batch.Unexecuted:
		return "was not executed by its runner"
	case batch.Lost:
		return "was lost"
	case Missing:
		return "has no result"
	case Aborted:
		return "was not run to its end"
	case Unproven:
		return "has a result without proof"
	}
	return fmt.Sprintf("ended as %q", oneLine(string(s), 40))
}

// company says with what a test ran: " alone", " in a batch of 12".
func (a *Attempt) company() string {
	switch {
	case a.Alone || a.Size == 1:
		return " alone"
	case a.Size > 1:
		return fmt.Sprintf(" in a batch of %d", a.Size)
	}
	return ""
}

// words tells one attempt: "crashed its runner on w2 in a batch of 12: signal: killed". It is fit to be part of a line.
func (a *Attempt) words() string {
	on := name(a.Worker) + a.company()
	switch a.End {
	case Finished:
		text := verb(a.Outcome.Status) + " on " + on
		if a.Decision == batch.Late {
			text += " (told late, so it changes no result)"
		}
		if a.Outcome.Status == batch.Passed {
			return text
		}
		return text + withMessage(a.Outcome.Message)
	case Vanished:
		return "was running on " + on + " when that worker vanished" + reason(a.Reason)
	case TakenBack:
		return "was taken back from " + on + ", not charged, when that worker vanished" + reason(a.Reason)
	case NotRun:
		return "was not run on " + on
	case HandedBack:
		if !a.Started.IsZero() {
			return "was stopped and handed back by " + name(a.Worker)
		}
		return "was handed back unrun by " + name(a.Worker)
	}
	return "was still held by " + on
}

func reason(s string) string {
	if s = message(s); s != "" {
		return " (" + s + ")"
	}
	return ""
}

// historyLines tells all attempts in order, one a line, and what the protocol made of them. Each begins with words of ours.
func historyLines(t *Test) []string {
	var lines []string
	for _, a := range t.Attempts {
		lines = append(lines, a.words())
	}
	if t.Reason != "" {
		lines = append(lines, "given up: "+message(t.Reason))
	}
	if len(lines) == 0 {
		return []string{"no worker ever claimed it"}
	}
	for i := range lines[1:] {
		lines[i+1] = "then " + lines[i+1]
	}
	return lines
}

// holdings says what a lost worker cost. again tells of how many of the tests that it held, and when: "ran again".
func holdings(taken, charged []string, again int, when string) string {
	if len(taken) == 0 {
		return "it held no test"
	}
	text := "it held " + count(len(taken), "test")
	if len(charged) > 0 {
		text += ", running " + list(charged, 3)
	}
	if again == 0 {
		return text + "; none " + when
	}
	return fmt.Sprintf("%s; %d %s", text, again, when)
}

// list returns the first names, and how many more there are.
func list(ids []string, most int) string {
	var names []string
	for _, id := range ids[:min(len(ids), most)] {
		names = append(names, name(id))
	}
	text := strings.Join(names, ", ")
	if len(ids) > most {
		text += fmt.Sprintf(" and %d more", len(ids)-most)
	}
	return text
}
