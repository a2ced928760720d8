package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/shardctl/shardctl/batch"
)

// GitHub shows of each kind 10 annotations a step, and of each 4096 characters.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
const (
	maxAnnotations = 10
	maxAnnotation  = 4000
	// maxAnnotationOutput is how many lines of output an annotation shows.
	maxAnnotationOutput = 30
)

// WriteAnnotations writes the commands that make GitHub Actions show what is wrong beside the source: an error for each test that
// fails the run, at the file and line of the failure where they are known, and for each problem of the run; a warning for each flaky
// or excused test. Where there are more than GitHub shows, the last one counts the others.
//
// inRepo returns the path in the repository of a file that a runner named, empty if it is not there. Errors are w's.
func WriteAnnotations(w io.Writer, v Verdict, inRepo func(file string) string) error {
	b := bufio.NewWriter(w)
	writeAnnotations(b, "error", errorAnnotations(v, inRepo))
	writeAnnotations(b, "warning", warningAnnotations(v, inRepo))
	return b.Flush()
}

// annotation is one of them, not escaped yet. Its text is never empty: GitHub would drop it.
type annotation struct {
	file        string
	line        int
	title, text string
}

func errorAnnotations(v Verdict, inRepo func(string) string) []annotation {
	var all []annotation
	for _, tests := range [][]Judged{v.Failed(), v.withoutResult(), v.with(batch.Unroutable, Unproven)} {
		for _, j := range tests {
			all = append(all, j.annotation(verb(j.Status), inRepo))
		}
	}
	for _, p := range v.Problems {
		text := message(p.Message) + onWorker(p.Worker)
		all = append(all, annotation{title: name(p.Scope), text: text + "\n" + plainExcerpt(p.Details)})
	}
	for _, why := range v.Incomplete {
		all = append(all, annotation{title: "The run is incomplete", text: message(why)})
	}
	if v.Exit == ExitNoTests {
		all = append(all, annotation{title: "No tests", text: v.Sentence()})
	}
	return all
}

func warningAnnotations(v Verdict, inRepo func(string) string) []annotation {
	var all []annotation
	for _, j := range v.Excused() {
		all = append(all, j.annotation("failed in quarantine "+quarantineWords(j.Quarantine), inRepo))
	}
	for _, j := range v.Flaky() {
		all = append(all, j.annotation("is flaky", inRepo))
	}
	return all
}

// annotation tells of a test, what it did in words of ours first.
func (j Judged) annotation(what string, inRepo func(string) string) annotation {
	a := annotation{title: name(j.ID) + " " + what}
	lines := historyLines(j.Test)
	shows := j.decisive()
	if !j.Bad() { // flaky: where it failed
		for _, attempt := range j.Attempts {
			if attempt.failed() {
				shows = attempt
			}
		}
	}
	if shows != nil {
		o := shows.Outcome
		if o.File != "" {
			lines = append(lines, "at "+place(o.File, o.Line))
			if file := inRepo(o.File); file != "" && file == OneLine(file, maxName) { // else no file that anybody can look at
				a.file, a.line = file, o.Line
			}
		}
		lines = append(lines, plainExcerpt(o.Output))
	}
	a.text = strings.Join(lines, "\n")
	return a
}

// plainExcerpt is an excerpt as lines of text.
func plainExcerpt(s string) string {
	var lines []string
	for _, l := range excerpt(s, maxAnnotationOutput) {
		lines = append(lines, l.words())
	}
	return strings.Join(lines, "\n")
}

func writeAnnotations(w io.Writer, kind string, all []annotation) {
	for i, a := range all {
		if i == maxAnnotations-1 && len(all) > maxAnnotations {
			a = annotation{title: fmt.Sprintf("and %d more", len(all)-i),
				text: "GitHub shows no more annotations than these of one step: the log and the step summary have the others"}
		}
		if i == maxAnnotations {
			return
		}
		fmt.Fprintf(w, "::%s %stitle=%s::%s\n", kind, a.at(), escapeProperty(OneLine(a.title, maxName)), escapeData(a.body()))
	}
}

// at are the properties that say where.
func (a annotation) at() string {
	switch {
	case a.file == "":
		return ""
	case a.line <= 0:
		return "file=" + escapeProperty(a.file) + ","
	}
	return fmt.Sprintf("file=%s,line=%d,", escapeProperty(a.file), a.line)
}

func (a annotation) body() string {
	text := strings.TrimSpace(clean(a.text))
	if utf8.RuneCountInString(text) > maxAnnotation {
		text = string([]rune(text)[:maxAnnotation]) + "…"
	}
	return text
}

// What follows is how GitHub's toolkit escapes:
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func escapeData(s string) string     { return dataEscapes.Replace(s) }
func escapeProperty(s string) string { return propertyEscapes.Replace(clean(s)) }
