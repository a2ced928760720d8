package cli

import (
	"io"
	"strings"
	"time"

	"github.com/muesli/roff"
	"github.com/spf13/pflag"
)

// Man writes the program's manual page, in the form that man reads. It is of the same bytes whenever it is written.
func (p Program) Man(w io.Writer) error {
	page := roff.NewDocument()
	short, long := p.Short, p.Long
	if p.Only != nil {
		short, long = p.Only.Short, p.Only.Long
	}
	page.Heading(1, strings.ToUpper(p.Name), p.Name, time.Unix(0, 0).UTC())
	page.Section("Name")
	page.Text(p.Name + " - " + short)
	page.Section("Synopsis")
	for _, c := range p.all() {
		page.Paragraph()
		page.TextBold(strings.TrimSpace(p.Name + " " + c.Name))
		page.Text(" " + c.Usage)
	}
	page.Section("Description")
	paragraphsOf(page, long)
	for _, c := range p.all() {
		if c.Name != "" {
			page.Section(p.Name + " " + c.Name)
			paragraphsOf(page, c.Short+"\n\n"+c.Long)
		}
		c.flags().VisitAll(func(f *pflag.Flag) {
			name, usage := pflag.UnquoteUsage(f)
			page.TaggedParagraph(-1)
			if f.Shorthand != "" {
				page.TextBold("-" + f.Shorthand + ", ")
			}
			page.TextBold("--" + f.Name)
			page.Text(" " + name)
			page.EndSection()
			page.Text(usage)
		})
	}
	page.Section("Environment")
	page.Text("Each flag is also an environment variable: " + EnvName("redis-url") + " is --redis-url. What is given neither way comes from " + ConfigFile + " in the project's folder.")
	_, err := io.WriteString(w, page.String())
	return err
}

// paragraphsOf writes text whose paragraphs are apart by empty lines; lines with more than one blank in a row, as tables have, stay lines.
func paragraphsOf(page *roff.Document, text string) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		for i, line := range strings.Split(paragraph, "\n") {
			if i == 0 || strings.Contains(line, "  ") {
				page.Paragraph()
			}
			page.Text(strings.TrimSpace(line) + " ")
		}
	}
}
