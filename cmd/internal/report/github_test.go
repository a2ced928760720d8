package report

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/shardctl/shardctl/batch"
)

// TestGoldenCI compares what CI systems are told of each journal of testdata with the .ci file beside it.
func TestGoldenCI(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.journal")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("inputs %v, error %v", inputs, err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			j := readJournal(t, input)
			v := Judge(j.history(), j.ending)
			reproduce := func(id string) string { return "run-test " + id }
			var b strings.Builder
			for _, folds := range []Folds{GitHubFolds, GitLabFolds, BuildkiteFolds} {
				fmt.Fprintf(&b, "=== %s\n", folds)
				var text strings.Builder
				if err := WriteVerdict(&text, v, TextOptions{Reproduce: reproduce, Folds: folds}); err != nil {
					t.Fatal(err)
				}
				b.WriteString(strings.NewReplacer("\x1b", "␛", "\r", "␍").Replace(text.String()))
			}
			b.WriteString("=== annotations\n")
			annotations := annotations(t, v)
			assertCommands(t, annotations)
			b.WriteString(annotations)
			b.WriteString("=== summary\n")
			summary := summaryOf(t, v, SummaryOptions{Reproduce: reproduce})
			assertMarkdown(t, summary)
			b.WriteString(summary)

			golden := strings.TrimSuffix(input, ".journal") + ".ci"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func annotations(t *testing.T, v Verdict) string {
	t.Helper()
	var b strings.Builder
	err := WriteAnnotations(&b, v, func(file string) string {
		if strings.HasPrefix(file, "/") {
			return ""
		}
		return "sub/" + file
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func summaryOf(t *testing.T, v Verdict, o SummaryOptions) string {
	t.Helper()
	var b strings.Builder
	if err := WriteSummary(&b, v, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// command is one as GitHub's runner reads it: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
var command = regexp.MustCompile(`^::(error|warning) (?:file=[^:,\r\n]+,(?:line=[1-9][0-9]*,)?)?title=[^:,\r\n]+::[^\r\n]+$`)

// assertCommands checks that annotations are those that we make, each a line, within GitHub's limits.
func assertCommands(t *testing.T, text string) {
	t.Helper()
	kinds := map[string]int{}
	for line := range strings.Lines(text) {
		found := command.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if found == nil {
			t.Errorf("no annotation: %q", line)
			continue
		}
		kinds[found[1]]++
		unescaped := strings.NewReplacer("%0A", "\n", "%0D", "\r", "%25", "%").Replace(line)
		if n := len([]rune(unescaped)); n > 4096+len("::error file=,line=,title=::")+2*maxName {
			t.Errorf("an annotation of %d characters", n)
		}
		if strings.Contains(line, "##[") || strings.ContainsAny(line, "\x1b\x07\x08\u009b") {
			t.Errorf("harmful: %q", line)
		}
	}
	for kind, n := range kinds {
		if n > 10 {
			t.Errorf("%d annotations of kind %s", n, kind)
		}
	}
}

var (
	renderer = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	// ours are the elements that a summary is made of. None of them has an attribute but for the alignment of columns.
	ours   = regexp.MustCompile(`^</?(?:h2|h3|p|ul|li|details|summary|code|pre|table|thead|tbody|tr|strong)>$|^</?t[hd](?: style="text-align:right")?>$`)
	markup = regexp.MustCompile(`<[^>]*>?`)
)

// assertMarkdown checks that a summary holds no element that is not ours, and that they are balanced, as GitHub's Markdown has it.
func assertMarkdown(t *testing.T, text string) {
	t.Helper()
	var b strings.Builder
	if err := renderer.Convert([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	open := map[string]int{}
	for _, element := range markup.FindAllString(b.String(), -1) {
		if !ours.MatchString(element) {
			t.Errorf("%s is not ours", element)
		}
		tag, _, _ := strings.Cut(strings.Trim(element, "</>"), " ")
		if strings.HasPrefix(element, "</") {
			open[tag]--
		} else {
			open[tag]++
		}
	}
	for tag, n := range open {
		if n != 0 {
			t.Errorf("<%s> is open %d times at the end:\n%s", tag, n, &b)
		}
	}
	if strings.ContainsAny(b.String(), "\x1b\x07\x08\u009b") {
		t.Error("there are control characters")
	}
}

// hostile are texts that mean something to somebody.
var hostile = []string{
	"<script>alert(1)</script>", "</pre></details><img src=x onerror=y>", "]]>", "\x1b[2J\x1b]0;title\a", "::error::x", "x\n::error file=a::y",
	"x\r::set-output name=a::b", "##[error]x", "::stop-commands::x", "**bold** _it_ `code` ~~no~~ | a | b |\n|--|--|\n", "![i](http://a/b.png) [l](javascript:x)",
	"# heading", "- item", "```\nfence", "&lt;b&gt; &amp; &#60;i&#62;", "@somebody #1 GH-1 https://example.com www.example.com a@b.co", "$x^2$", "\xff\xfe invalid",
	"%0A::error::x", "a:b,c=d", strings.Repeat("x", 1<<20), "\u202e reversed", "$(touch /tmp/x)", "<!-- comment", "<pre", "\\", "|", "\\|", "[ ] x", ":smile:",
}

// hostileVerdict is a run in which all texts are hostile, each in each place.
func hostileVerdict() Verdict {
	h := NewHistory()
	e := Ending{RunID: "r", Results: map[string]batch.Status{}, Markers: over}
	h.Add(batch.Event{Type: batch.Opened, Time: testEpoch})
	for i, s := range hostile {
		id := fmt.Sprintf("%d %.16000s", i, strings.NewReplacer("\n", " ", "\r", " ", "\xff\xfe", "").Replace(s))
		status := []batch.Status{batch.Failed, batch.Crashed, batch.Failed}[i%3]
		h.Add(batch.Event{Type: batch.Joined, Worker: s, Text: s})
		if i%3 == 2 {
			h.Add(batch.Event{Type: batch.Quarantined, Tests: []string{id}, Quarantine: batch.Quarantine{Owner: s, Reason: s, Until: s}})
		}
		h.Add(batch.Event{Type: batch.Claimed, Worker: s, Batch: 1, Tests: []string{id}, Time: testEpoch})
		h.Add(batch.Event{Type: batch.Finish, Test: id, Worker: s, Batch: 1, Decision: batch.Final, Time: testEpoch, Outcome: batch.Outcome{
			Status: status, Message: s, File: s, Line: i, Output: s + "\n" + s, Seconds: 1, Cases: []batch.Case{{Classname: s, Name: s, Status: batch.Failed}},
		}})
		h.Add(batch.Event{Type: batch.ProblemFound, Worker: s, Problem: batch.Problem{Scope: s, Message: s, Details: s}})
		e.Results[id] = status
	}
	h.Add(batch.Event{Type: batch.Done, Time: testEpoch})
	e.Tests = len(e.Results)
	e.AbortReason, e.Markers.Aborted = hostile[0], true
	return Judge(h, e)
}

// Whatever tests say, it gives no command to GitHub, and no structure to its page.
func TestHostileCI(t *testing.T) {
	v := hostileVerdict()
	assertCommands(t, annotations(t, v))
	text := summaryOf(t, v, SummaryOptions{Reproduce: func(id string) string { return id }, Room: 10 << 20})
	assertMarkdown(t, text)
	if strings.Contains(text, "fits in here") {
		t.Error("it was cut")
	}
	for _, folds := range []Folds{"", GitHubFolds, GitLabFolds, BuildkiteFolds} {
		var b strings.Builder
		if err := WriteVerdict(&b, v, TextOptions{Folds: folds}); err != nil {
			t.Fatal(err)
		}
		own := regexp.MustCompile(`(?m)^::(?:group::[A-Z].*|endgroup::)$|^\x1b\[0Ksection_(?:start|end):[0-9]+:shardctl_[0-9]+(?:\[collapsed=true\])?\r\x1b\[0K`)
		if folds != "" {
			b2 := own.ReplaceAllString(b.String(), "")
			b.Reset()
			b.WriteString(b2)
		}
		assertHarmless(t, b.String())
	}
}

// FuzzMarkdown: a line of foreign text renders as itself.
func FuzzMarkdown(f *testing.F) {
	for _, s := range hostile {
		if len(s) < 1000 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		assertMarkdown(t, "- "+markdown(message(s))+"\n\n| a |\n| --- |\n| <code>"+markdown(name(s))+"</code> |\n"+preformatted(excerpt(s, 10)))
	})
}

// A summary that is too long is cut between its parts, and says so; GitHub would show nothing of it.
func TestSummaryIsCut(t *testing.T) {
	v := hostileVerdict()
	for _, room := range []int{0, 1000, 5000, 20000} {
		text := summaryOf(t, v, SummaryOptions{Room: room})
		if most := max(room, 1<<20-100<<10); len(text) > most && room == 0 || room > 0 && len(text) > room {
			t.Errorf("%d bytes where there is room for %d", len(text), room)
		}
		if room > 0 && !strings.HasSuffix(text, cutHere) {
			t.Errorf("it does not say that it is cut: %.300q", text[max(0, len(text)-300):])
		}
		assertMarkdown(t, text)
	}
}

// Of more errors than GitHub shows the last one counts the others.
func TestManyAnnotations(t *testing.T) {
	var finishes []string
	e := Ending{Results: results{}, Markers: over}
	for i := range 25 {
		id := fmt.Sprintf("t%02d", i)
		finishes = append(finishes, id+" failed final")
		e.Results[id] = batch.Failed
	}
	e.Tests = len(e.Results)
	text := annotations(t, Judge(run(finishes...), e))
	assertCommands(t, text)
	if !strings.Contains(text, "::error title=t08 ") || strings.Contains(text, "t09") || !strings.Contains(text, "title=and 16 more::") {
		t.Error(text)
	}
}
