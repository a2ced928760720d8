package report

import (
	"strings"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// hostileTexts are names and outputs that must stay text wherever they are shown.
var hostileTexts = []string{
	`<script>globalThis.pwned = 1</script>`,
	`</script><img src=x onerror="globalThis.pwned = 1">`,
	`<!--<script>`,
	`]]><failure message="x"/>`,
	"\x1b]0;title\x07\x1b[2J\u009b31mred",
	`::error file=x::stopped`,
	`##[error]stopped ##vso[task.complete result=Failed]`,
	`"';--{{.}}${1}\u0022` + "`",
	"line\u2028and\u2029more",
	"bytes \xff\xfe\x80 that are no text",
	strings.Repeat("long ", 200_000),
	"=HYPERLINK(\"http://x\")",
	"\u202egnp.exe",
	"__proto__",
}

// hostileJournal is the journal of a run in which everything that can be named is named so. Its names are those that the protocol
// lets pass.
func hostileJournal() journal {
	j := journal{ending: Ending{RunID: "ci-1", Results: map[string]batch.Status{}, Markers: batch.Markers{Sealed: true, Done: true}}}
	at := time.Duration(0)
	put := func(e batch.Event) {
		at += 50 * time.Millisecond
		e.Time = testEpoch.Add(at)
		j.events = append(j.events, e)
	}
	put(batch.Event{Type: batch.Opened})
	for i, text := range hostileTexts {
		id := strings.ToValidUTF8(strings.ReplaceAll(text[:min(len(text), 16<<10)], "\n", " "), "?")
		worker := "w" + strings.ToValidUTF8(text[:min(len(text), 60)], "?")
		put(batch.Event{Type: batch.Joined, Worker: worker, Text: text})
		put(batch.Event{Type: batch.Claimed, Worker: worker, Batch: 1, Tests: []string{id}})
		o := batch.Outcome{Status: batch.Failed, Seconds: 0.01, Message: text, File: text, Line: i, Output: text + "\n" + text,
			Cases: []batch.Case{{Classname: text, Name: text + "/sub", Status: batch.Failed, Message: text, Output: text}}}
		put(batch.Event{Type: batch.Finish, Worker: worker, Batch: 1, Test: id, Outcome: o, Decision: batch.Final})
		put(batch.Event{Type: batch.ProblemFound, Worker: worker, Problem: batch.Problem{Scope: text, Message: text, Details: text}})
		put(batch.Event{Type: batch.Reaped, Worker: worker, Batch: 1, Text: text})
		j.ending.Results[id] = batch.Failed
	}
	put(batch.Event{Type: batch.Done})
	j.ending.Tests = len(hostileTexts)
	return j
}
