package report

import (
	"fmt"
	"slices"
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
	case batch.Unroutable:
		return "found no worker that qualifies"
	case Missing:
		return "has no result"
	case Aborted:
		return "was not run to its end"
	case Unproven:
		return "has a result without proof"
	}
	return fmt.Sprintf("ended as %q", OneLine(string(s), 40))
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
	for i := 0; i < len(t.Attempts); {
		if n := handBacks(t.Attempts[i:]); n > 1 {
			lines = append(lines, fmt.Sprintf("was handed back unrun %d times by %s", n, Names(holders(t.Attempts[i:i+n]), 3)))
			i += n
			continue
		}
		lines = append(lines, t.Attempts[i].words())
		i++
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

// handBacks counts the attempts at the beginning that were handed back unrun. Workers that refuse a gate do so again and
// again while the test waits, and nobody wants to read of each time.
func handBacks(attempts []*Attempt) int {
	for i, a := range attempts {
		if a.End != HandedBack || !a.Started.IsZero() {
			return i
		}
	}
	return len(attempts)
}

// holders returns the workers of attempts, each once.
func holders(attempts []*Attempt) []string {
	var ids []string
	for _, a := range attempts {
		if !slices.Contains(ids, a.Worker) {
			ids = append(ids, a.Worker)
		}
	}
	return ids
}

// holdings says what a lost worker cost. again tells of how many of the tests that it held, and when: "ran again".
func holdings(taken, charged []string, again int, when string) string {
	if len(taken) == 0 {
		return "it held no test"
	}
	text := "it held " + count(len(taken), "test")
	if len(charged) > 0 {
		text += ", running " + Names(charged, 3)
	}
	if again == 0 {
		return text + "; none " + when
	}
	return fmt.Sprintf("%s; %d %s", text, again, when)
}

// Names returns the first of some foreign names as part of a line, and how many more there are.
func Names(ids []string, most int) string {
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
