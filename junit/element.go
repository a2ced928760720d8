package junit

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// caseElement is a <testcase> of any dialect.
type caseElement struct {
	Name      string           `xml:"name,attr"`
	Classname string           `xml:"classname,attr"`
	Class     string           `xml:"class,attr"`
	File      string           `xml:"file,attr"`
	Line      string           `xml:"line,attr"`
	Time      string           `xml:"time,attr"`
	Status    string           `xml:"status,attr"`
	Result    string           `xml:"result,attr"`
	Children  []outcomeElement `xml:",any"`
}

// outcomeElement is a child of a <testcase>: failure, error, skipped, one of Surefire's flaky and rerun elements, or output.
type outcomeElement struct {
	XMLName    xml.Name
	Message    string   `xml:"message,attr"`
	Type       string   `xml:"type,attr"`
	Time       string   `xml:"time,attr"`
	Text       string   `xml:",chardata"`
	StackTrace string   `xml:"stackTrace"`
	Stdout     []string `xml:"system-out"`
	Stderr     []string `xml:"system-err"`
}

// toCase returns the case and the number of failure and error elements in it.
func (e caseElement) toCase() (c Case, failures int, err error) {
	c = Case{
		Name:      orUnnamed(e.Name),
		Classname: e.Classname,
		File:      e.File,
		Line:      parseLine(e.Line),
		Seconds:   parseSeconds(e.Time),
		Status:    Passed,
	}
	if c.Classname == "" {
		c.Classname = e.Class
	}
	var skipped *outcomeElement
	var details, stdout, stderr []string
	redeemed := true // by its last attempt
	for i := range e.Children {
		child := &e.Children[i]
		switch child.XMLName.Local {
		case "failure", "error":
			if failures++; failures == 1 {
				c.Status, c.Message, c.Type = child.status(), child.Message, child.Type
				details = append(details, child.details())
			} else {
				details = append(details, withMessage(child.Message, child.details()))
			}
		case "skipped":
			skipped = child
		case "rerunFailure", "rerunError":
			redeemed = false
			c.Reruns = append(c.Reruns, child.attempt())
		case "flakyFailure", "flakyError":
			c.Reruns = append(c.Reruns, child.attempt())
		case "system-out":
			stdout = append(stdout, child.Text)
		case "system-err":
			stderr = append(stderr, child.Text)
		case "testcase", "testsuite", "testsuites":
			return c, failures, fmt.Errorf("<%s> inside of <testcase name=%q>", child.XMLName.Local, e.Name)
		}
	}
	c.Details, c.Stdout, c.Stderr = joinText(details...), joinText(stdout...), joinText(stderr...)
	if failures > 0 {
		return c, failures, nil
	}
	c.Status = e.attributeStatus()
	if skipped != nil && !c.Status.failing() {
		c.Status = Skipped
		c.Message, c.Type, c.Details = skipped.Message, skipped.Type, skipped.details()
	}
	if len(c.Reruns) > 0 && (!redeemed || c.Status == Skipped) {
		c.lastAttemptDecides()
	}
	return c, failures, nil
}

// lastAttemptDecides makes the last one of c's reruns the outcome of c.
func (c *Case) lastAttemptDecides() {
	last := c.Reruns[len(c.Reruns)-1]
	c.Reruns = c.Reruns[:len(c.Reruns)-1]
	c.Status, c.Message, c.Type, c.Details = last.Status, last.Message, last.Type, last.Details
	c.Stdout = joinText(c.Stdout, last.Output)
}

// attributeStatus is what the attributes status and result (GoogleTest, CTest and others) say. A failure beats all, and a word
// that nobody here knows is an error: it must not pass.
func (e caseElement) attributeStatus() Status {
	status := Passed
	for _, word := range []string{e.Status, e.Result} {
		switch strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(word)) {
		case "", "passed", "pass", "success", "successful", "succeeded", "ok", "run", "completed", "complete", "done", "finished", "executed":
		case "failed", "fail", "failure":
			return Failed
		case "error", "errored", "broken", "aborted", "cancelled", "canceled", "crashed", "interrupted", "timeout", "timedout":
			return Errored
		case "skipped", "skip", "disabled", "ignored", "pending", "notrun", "suppressed":
			status = Skipped
		default:
			return Errored
		}
	}
	return status
}

// status that an element stands for; its name ends with failure or error.
func (e *outcomeElement) status() Status {
	if strings.HasSuffix(strings.ToLower(e.XMLName.Local), "error") {
		return Errored
	}
	return Failed
}

// details prefers the child <stackTrace>, which Surefire's flaky and rerun elements have had since 2.22.1.
func (e *outcomeElement) details() string {
	if e.StackTrace != "" {
		return trimText(e.StackTrace)
	}
	return trimText(e.Text)
}

func (e *outcomeElement) attempt() Attempt {
	return Attempt{
		Status:  e.status(),
		Seconds: parseSeconds(e.Time),
		Message: e.Message,
		Type:    e.Type,
		Details: e.details(),
		Output:  joinText(append(e.Stdout, e.Stderr...)...),
	}
}

func orUnnamed(name string) string {
	if isBlank(name) {
		return unnamed
	}
	return name
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// trimText removes what indentation of the XML adds around a text, but not the indentation of its own first line.
func trimText(s string) string {
	return strings.TrimLeft(strings.TrimRight(s, " \t\r\n"), "\r\n")
}

// joinText joins those of the texts that are not blank with newlines.
func joinText(texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t = trimText(t); t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, "\n")
}

// withMessage returns details, after message if they do not contain it. Indentation and line breaks do not matter: most tools
// repeat the message in the details, in their own layout.
func withMessage(message, details string) string {
	if strings.Contains(words(details), words(message)) {
		return details
	}
	return joinText(message, details)
}

// words returns the words of s with one space between.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func parseSeconds(s string) float64 {
	f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(s), ",", ""), 64)
	if err != nil {
		return 0
	}
	return sane(f)
}

func parseLine(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// parseTimestamp parses ISO 8601 as tools write it: with or without zone, fraction and T.
func parseTimestamp(s string) time.Time {
	for _, layout := range []string{time.RFC3339, timestampLayout, time.DateTime} { // a fraction is accepted by all
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
