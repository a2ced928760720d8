package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

func pageOf(t testing.TB, v Verdict) string {
	t.Helper()
	var b strings.Builder
	if err := WriteHTML(&b, v, HTMLOptions{Reproduce: func(id string) string { return "run " + id }, Tool: "shardctl <v1>"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What tests say opens and ends no element, and the page's policy names the script that it has and no other.
func TestHostilePage(t *testing.T) {
	j := hostileJournal()
	page := pageOf(t, Judge(j.history(), j.ending))
	for element, want := range map[string]int{"<script": 2, "</script": 2, "<style": 1, "<img": 0, "<iframe": 0, "<!--": 0, "<body": 1, "<main": 1} {
		if n := strings.Count(page, element); n != want {
			t.Errorf("the page has %d %s, want %d", n, element, want)
		}
	}
	if strings.ContainsAny(page, "\x00\x1b\x07\x08\u009b") {
		t.Error("the page has control characters")
	}
	if data := page[strings.Index(page, `id="data">`):]; strings.ContainsAny(data[:strings.Index(data, "<")], "\u2028\u2029") {
		t.Error("the data has line ends that scripts take for such")
	}
	values := regexp.MustCompile(`"[^"]*"`)
	if handler := regexp.MustCompile(`<[a-z][^>]* on[a-z]+=`).FindString(values.ReplaceAllString(page, `""`)); handler != "" {
		t.Errorf("the page has a handler: %s", handler)
	}
	style, script, err := pageAssets()
	if err != nil {
		t.Fatal(err)
	}
	for kind, text := range map[string]string{"style": style, "script": script} {
		if !strings.Contains(page, fmt.Sprintf("%s-src &#39;sha256-%s&#39;", kind, strings.ReplaceAll(digest(text), "+", "&#43;"))) || !strings.Contains(page, "<"+kind+">"+text+"</"+kind+">") {
			t.Errorf("the policy does not name the %s", kind)
		}
	}
}

// The data of the page has all tests and attempts of the verdict.
func TestPageData(t *testing.T) {
	for name, j := range journals(t) {
		v := Judge(j.history(), j.ending)
		text, err := pageJSON(v, newPage(v, HTMLOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		var d pageData
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		attempts := 0
		for i, j := range v.Tests {
			if d.Attempts[i] != len(j.Attempts) || d.Looks[d.Look[i]][2] != newPageTest(j).Words {
				t.Errorf("%s: %s: %d attempts, %v", name, j.ID, d.Attempts[i], d.Looks[d.Look[i]])
			}
			for _, a := range j.Attempts {
				if d.Texts[d.How[attempts]] != a.words() {
					t.Errorf("%s: %s: %q, want %q", name, j.ID, d.Texts[d.How[attempts]], a.words())
				}
				attempts++
			}
		}
		for _, column := range []int{len(d.Worker), len(d.Batch), len(d.How), len(d.Tone), len(d.At), len(d.For), len(d.Row)} {
			if column != attempts {
				t.Errorf("%s: a column of %d attempts, want %d", name, column, attempts)
			}
		}
	}
}

// However many tests fail, each is on the page without JavaScript, too.
func TestPageOfManyFailures(t *testing.T) {
	j := large(1000, 3)
	for i := range j.events {
		if e := &j.events[i]; e.Type == batch.Finish && e.Decision == batch.Final {
			e.Outcome.Status, j.ending.Results[e.Test] = batch.Failed, batch.Failed
		}
	}
	v := Judge(j.history(), j.ending)
	page := pageOf(t, v)
	page = page[:strings.Index(page, `<script type="application/json"`)]
	for _, j := range v.Tests {
		group, name := splitID(j.ID)
		if strings.Count(page, group+"::</span><b>"+name+"</b>") < 2 { // its section and the table
			t.Errorf("%s is not there", j.ID)
		}
	}
	if n := strings.Count(page, "<details"); n != maxDetailed {
		t.Errorf("%d are told in full, want %d", n, maxDetailed)
	}
}
