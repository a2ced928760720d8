package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

const (
	// maxSummary is how many bytes a step summary may have. GitHub takes 1 MiB of a step and shows nothing of what is longer; the
	// step may have written something before.
	maxSummary = 900 << 10
	// maxDetails is how many tests of a section have their details in a summary, maxRows how many rows a table has.
	maxDetails = 100
	maxRows    = 50
	// maxSlowRows is how many of the slowest tests a summary shows.
	maxSlowRows = 10
)

// SummaryOptions are what a summary of a verdict needs beside it. The zero value is fine.
type SummaryOptions struct {
	// Reproduce returns the command that runs a test again, empty if there is none. It may be nil.
	Reproduce func(id string) string
	// Room is how many bytes it may take. 0 means as many as a step of GitHub Actions may write.
	Room int
}

// WriteSummary writes a verdict in GitHub's Markdown, for the page of a workflow's run: the verdict, failures with their details
// folded, flaky tests, those in quarantine, the slowest, the workers. What comes from tests is text there and nothing else; see markdown. Of what is
// too long the end is left out, and it says so. Errors are w's.
func WriteSummary(w io.Writer, v Verdict, o SummaryOptions) error {
	room := o.Room
	if room == 0 {
		room = maxSummary
	}
	s := summary{v: v, o: o, room: room - len(cutHere)}
	s.head()
	s.section("Failed", v.Failed())
	s.section("Without a result", v.withoutResult())
	s.section("Behind gates for which no worker qualified", v.with(batch.Unroutable))
	s.section("With a result that nothing proves", v.with(Unproven))
	s.problems()
	s.section("In quarantine, failed: the run does not fail", v.Excused())
	s.section("Flaky, passed only in one of several attempts", v.Flaky())
	s.slowest()
	s.workers()
	if s.full {
		s.b.WriteString(cutHere)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// cutHere ends a summary that has no room for more.
const cutHere = "\n**There is more than fits in here: the log and the other reports have all of it.**\n"

// summary is one that is being written.
type summary struct {
	b    strings.Builder
	v    Verdict
	o    SummaryOptions
	room int
	full bool
}

// put adds a part as a whole, or leaves it and all that follows out.
func (s *summary) put(format string, args ...any) {
	part := fmt.Sprintf(format, args...)
	if s.full = s.full || s.b.Len()+len(part) > s.room; !s.full {
		s.b.WriteString(part)
	}
}

func (s *summary) head() {
	v := s.v
	mark := "❌"
	if v.Exit == ExitPassed {
		mark = "✅"
	}
	s.put("## %s %s\n\n", mark, markdown(v.word()+withMessage(v.counted())))
	s.put("Run <code>%s</code>", markdown(name(v.RunID)))
	if v.Work > 0 && v.Wall > 0 {
		s.put(": %s", markdown(v.effort()))
	}
	s.put("\n\n")
	for _, why := range v.Incomplete {
		s.put("- %s\n", markdown(message(why)))
	}
	s.put("\n")
}

func (s *summary) section(title string, tests []Judged) {
	if len(tests) == 0 {
		return
	}
	s.put("### %s: %d\n\n", title, len(tests))
	for i, j := range tests {
		if i == maxDetails {
			s.put("\n… and %d more.\n", len(tests)-i)
			break
		}
		s.put("%s", s.test(j))
	}
	s.put("\n")
}

// test tells of one test, folded.
func (s *summary) test(j Judged) string {
	var b strings.Builder
	shows := j.decisive()
	last := ""
	if shows != nil && j.Bad() {
		last = withMessage(shows.Outcome.Message)
	}
	fmt.Fprintf(&b, "<details><summary><code>%s</code> %s</summary>\n<ul>\n", markdown(name(j.ID)), markdown(verb(j.Status)+last))
	item := func(format string, args ...any) { fmt.Fprintf(&b, "<li>"+format+"</li>\n", args...) }
	if past := s.v.past(j.ID); past != "" {
		item("before: %s", markdown(past))
	}
	if !j.Quarantine.None() {
		item("in quarantine %s", markdown(quarantineWords(j.Quarantine)))
	}
	if j.Why != "" {
		item("%s", markdown(message(j.Why)))
	}
	for _, line := range historyLines(j.Test) {
		item("%s", markdown(line))
	}
	if j.Gate != nil {
		for _, answer := range j.Gate.words(maxMessage) {
			item("%s: %s", markdown(GateName(j.Gate.Label)), markdown(answer))
		}
	}
	var output []excerptLine
	if shows != nil {
		o := shows.Outcome
		if o.File != "" {
			item("at <code>%s</code>", markdown(place(o.File, o.Line)))
		}
		if parts := failedParts(j.ID, o.Cases); len(parts) > 0 {
			item("failing parts: <code>%s</code>", markdown(Names(parts, 5)))
		}
		output = excerpt(o.Output, maxOutput)
	}
	if s.o.Reproduce != nil && j.Bad() {
		if command := OneLine(s.o.Reproduce(j.ID), 4*maxName); command != "" {
			item("run it again: <code>%s</code>", markdown(command))
		}
	}
	b.WriteString("</ul>\n")
	b.WriteString(preformatted(output))
	b.WriteString("</details>\n")
	return b.String()
}

func (s *summary) problems() {
	if len(s.v.Problems) == 0 {
		return
	}
	s.put("### Problems of the run: %d\n\n", len(s.v.Problems))
	for i, p := range s.v.Problems {
		if i == maxDetails {
			s.put("\n… and %d more.\n", len(s.v.Problems)-i)
			break
		}
		s.put("<details><summary><code>%s</code>: %s%s</summary>\n%s</details>\n", markdown(name(p.Scope)), markdown(message(p.Message)),
			markdown(onWorker(p.Worker)), preformatted(excerpt(p.Details, maxOutput)))
	}
	s.put("\n")
}

func (s *summary) slowest() {
	tests := s.v.slowest(maxSlowRows)
	if len(tests) < 2 {
		return // no news
	}
	s.put("<details><summary>Slowest tests</summary>\n\n| took | test | worker |\n| ---: | --- | --- |\n")
	for _, a := range tests {
		s.put("| %s | <code>%s</code> | %s |\n", seconds(a.Outcome.Seconds), markdown(name(a.id)), markdown(name(a.Worker)))
	}
	s.put("\n</details>\n")
}

func (s *summary) workers() {
	all := s.v.History.Workers()
	if len(all) == 0 {
		return
	}
	lost := s.v.workersLost()
	title := count(len(all), "worker")
	if len(lost) > 0 {
		title += fmt.Sprintf(", %d lost", len(lost))
	}
	s.put("<details><summary>%s</summary>\n\n| worker | tests | there for | busy | left |\n| --- | ---: | ---: | ---: | --- |\n", title)
	end := s.v.History.Ended()
	order := append(lost, slices.DeleteFunc(slices.Clone(all), func(w *Worker) bool { return w.Reaped })...)
	for i, w := range order {
		if i == maxRows {
			s.put("\n… and %d more.\n", len(order)-i)
			break
		}
		left := message(w.Reason)
		if w.Reaped {
			left = "lost: " + left + "; " + holdings(w.Taken, w.Charged, s.v.again(w), "ran again")
		}
		busy := 0.0
		if present := w.Present(end); present > 0 {
			busy = 100 * w.Busy(end).Seconds() / present.Seconds()
		}
		s.put("| %s | %d | %s | %.0f%% | %s |\n", markdown(name(w.ID)), w.Done, seconds(w.Present(end).Seconds()), busy, markdown(left))
	}
	s.put("\n</details>\n")
}
