package runner

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/junit"
)

// evidence is what the JUnit files of one run of a command say.
type evidence struct {
	index *junit.Index
	// files counts those that could be read.
	files int
	// broken are those that could not.
	broken []error
}

// clockSlack is how coarse the times of files may be.
const clockSlack = 2 * time.Second

// readEvidence reads all *.xml files below dir that were written after began. It follows no links: they may lead to what an
// earlier run wrote, as may files that something restored with the time of their first writing.
func readEvidence(dir string, began time.Time) evidence {
	var ev evidence
	var reports []junit.Report
	// What cannot be looked at is kept as an error; the walk goes on.
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			ev.broken = append(ev.broken, err)
			return nil
		}
		if !entry.Type().IsRegular() || !strings.EqualFold(filepath.Ext(path), ".xml") {
			return nil
		}
		report, err := junit.ReadFile(path)
		if info, infoErr := entry.Info(); err == nil && infoErr == nil && info.ModTime().Before(began.Add(-clockSlack)) {
			err = fmt.Errorf("%s was last written at %s, before the command began: it tells of an earlier run", path, info.ModTime().Format(time.DateTime))
		}
		if err != nil {
			// The folder is about to go; a person knows the file by its name below it.
			ev.broken = append(ev.broken, fmt.Errorf("%s", strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")))
			return nil
		}
		ev.files++
		for _, suite := range report.Suites {
			for i := range suite.Cases {
				suite.Cases[i].File = strings.TrimPrefix(relative(suite.Cases[i].File), "./")
			}
		}
		reports = append(reports, report)
		return nil
	})
	ev.index = junit.NewIndex(reports...)
	return ev
}

// strangers returns the cases that failed and belong to none of the tests.
func (ev evidence) strangers(ids []string) []junit.Case {
	var failed []junit.Case
	for _, c := range ev.index.Unmatched(ids) {
		if statusOf(c) == batch.Failed {
			failed = append(failed, c)
		}
	}
	return failed
}

// String says why no case is found, to go on from "the command ended … and ".
func (ev evidence) String() string {
	const most = 3
	var says []string
	for i, err := range ev.broken {
		if i == most {
			says = append(says, fmt.Sprintf("neither can %d more files", len(ev.broken)-most))
			break
		}
		says = append(says, fmt.Sprintf("its JUnit file cannot be read: %v", err))
	}
	cases := ev.index.Unmatched(nil)
	switch {
	case len(cases) > 0:
		var names []string
		for _, c := range cases[:min(most, len(cases))] {
			names = append(names, fmt.Sprintf("%.80q", caseName(c)))
		}
		if len(cases) > most {
			names = append(names, "…")
		}
		says = append(says, fmt.Sprintf("its JUnit names only other cases (%d: %s); a test is found by a case's name, classname.name, "+
			"classname::name, classname or file", len(cases), strings.Join(names, ", ")))
	case ev.files > 0:
		says = append(says, "its JUnit names no case")
	case len(ev.broken) == 0:
		says = append(says, "wrote no JUnit file to {junit}, {junit_dir} or $SHARD_JUNIT")
	}
	return strings.Join(says, "; ")
}

// outcomeOf returns the outcome of a test to which cases belong. output is what the command printed.
func outcomeOf(cases []junit.Case, output string) batch.Outcome {
	o := batch.Outcome{Status: batch.Skipped}
	text := newCapture(outputEnds)
	left, failed := maxCaseOutput, 0
	for _, c := range cases {
		part := batch.Case{Classname: c.Classname, Name: c.Name, Status: statusOf(c), Seconds: c.Seconds, Message: oneLine(c.Message),
			File: c.File, Line: c.Line}
		switch part.Status {
		case batch.Failed:
			o.Status = batch.Failed
			part.Message = caseMessage(c)
			if failed++; failed == 1 {
				o.Message, o.File, o.Line = part.Message, c.File, c.Line
			}
			own := caseText(c, output)
			if len(cases) > 1 { // the text of an only case is that of the test
				if len(own) <= left {
					part.Output = own
					left -= len(own)
				}
				own = fmt.Sprintf("--- %s\n%s\n", caseName(c), own)
			}
			_, _ = text.Write([]byte(own))
		case batch.Passed:
			if o.Status == batch.Skipped {
				o.Status = batch.Passed
			}
		}
		o.Seconds += c.Seconds
		o.Cases = append(o.Cases, part)
	}
	switch {
	case failed > 1:
		o.Message += fmt.Sprintf(" (and %d more)", failed-1)
	case o.Status == batch.Skipped:
		o.Message = oneLine(cases[0].Message)
	}
	o.Output = text.String()
	return o
}

// statusOf takes everything for a failure that is not known to be none.
func statusOf(c junit.Case) batch.Status {
	switch c.Status {
	case junit.Passed:
		return batch.Passed
	case junit.Skipped:
		return batch.Skipped
	}
	return batch.Failed
}

// caseName is what a person knows c by.
func caseName(c junit.Case) string {
	if c.Classname == "" || c.Classname == c.Name {
		return c.Name
	}
	return c.Classname + "." + c.Name
}

// caseMessage says in one line how c failed.
func caseMessage(c junit.Case) string {
	for _, s := range []string{c.Message, c.Details, c.Type} {
		if line := oneLine(s); line != "" {
			return line
		}
	}
	return "failed without a message"
}

// caseText is all that is known of c, which failed. Where the report has no details, what the command printed has to do.
func caseText(c junit.Case, output string) string {
	texts := []string{c.Details, c.Stdout, c.Stderr}
	if strings.TrimSpace(c.Details) == "" {
		texts = append(texts, output)
	}
	text := newCapture(outputEnds)
	for _, s := range texts {
		if s = strings.Trim(s, "\n"); s != "" {
			_, _ = text.Write([]byte(s + "\n"))
		}
	}
	return text.String()
}

// oneLine makes s one line of at most about 500 bytes.
func oneLine(s string) string {
	const most = 500
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
