package report

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// pageScripts are the parts of the page's script, in their order.
var pageScripts = [...]string{"data.js", "details.js", "timeline.js", "table.js", "main.js"}

// HTMLOptions are what a page needs beside the verdict. The zero value is fine.
type HTMLOptions struct {
	// Reproduce returns the command that runs a test again, empty if there is none. It may be nil.
	Reproduce func(id string) string
	// Tool is what makes the page, with its version.
	Tool string
}

// WriteHTML writes a run as one page for a browser that needs nothing beside it: the verdict, what failed and how, a timeline of
// all workers, what the run waited for, and a table of all tests. Without JavaScript the timeline is missing, and of a large
// run the tests that passed. Errors are w's.
//
// Foreign text is data: it stands escaped in the markup, or in a block of JSON that the script shows as text; and the
// page's policy lets a browser run no script but ours, load nothing and send nothing.
func WriteHTML(w io.Writer, v Verdict, o HTMLOptions) error {
	style, script, err := pageAssets()
	if err != nil {
		return err
	}
	page, err := template.New("page.gohtml").Funcs(template.FuncMap{"thousands": thousands, "brief": brief}).ParseFS(pageFiles, "page/page.gohtml")
	if err != nil {
		return err
	}
	p := newPage(v, o)
	data, err := pageJSON(v, p)
	if err != nil {
		return err
	}
	p.Style, p.Script, p.Data = template.CSS(style), template.JS(script), template.JS(data)
	p.Policy = fmt.Sprintf("default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'",
		digest(style), digest(script))
	out := bufio.NewWriter(w)
	if err := page.Execute(out, p); err != nil {
		return err
	}
	return out.Flush()
}

// pageAssets returns the page's own style and script.
func pageAssets() (style, script string, err error) {
	var b strings.Builder
	b.WriteString("(() => {\n'use strict';\n")
	for _, name := range pageScripts {
		text, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			return "", "", err
		}
		b.Write(text)
	}
	b.WriteString("})();\n")
	css, err := pageFiles.ReadFile("page/style.css")
	return string(css), b.String(), err
}

// digest is how a Content-Security-Policy names a text that may stand in the page.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
