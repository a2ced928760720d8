package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

// Shells are those for which there is a completion.
var Shells = []string{"bash", "zsh", "fish"}

// Completion writes what makes a shell complete the program's commands and flags. The error names the shells that are known.
func (p Program) Completion(w io.Writer, shell string) error {
	var b strings.Builder
	switch shell {
	case "bash":
		p.completeBash(&b)
	case "zsh":
		p.completeZsh(&b)
	case "fish":
		p.completeFish(&b)
	default:
		return Usagef("completion: %q: choose one of %s", shell, strings.Join(Shells, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// all are the subcommands, or the program itself as one without a name.
func (p Program) all() []Command {
	if p.Only != nil {
		only := *p.Only
		only.Name = ""
		return []Command{only}
	}
	return p.Commands
}

// words are the flags of a command as they are typed.
func (c *Command) words() []string {
	var words []string
	c.flags().VisitAll(func(f *pflag.Flag) { words = append(words, "--"+f.Name) })
	return append(words, "--help")
}

func (p Program) completeBash(b *strings.Builder) {
	function := "_" + p.Name
	fmt.Fprintf(b, "# Completion of %s for bash: source it, or put it into a folder of bash-completion.\n%s() {\n", p.Name, function)
	b.WriteString("\tlocal current=${COMP_WORDS[COMP_CWORD]} flags=\n\tCOMPREPLY=()\n")
	if p.Only == nil {
		var names []string
		for _, c := range p.Commands {
			names = append(names, c.Name)
		}
		fmt.Fprintf(b, "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '%s help' -- \"$current\"))\n\t\treturn\n\tfi\n", strings.Join(names, " "))
	}
	b.WriteString("\tcase ${COMP_WORDS[1]} in\n")
	for _, c := range p.all() {
		pattern := c.Name
		if pattern == "" {
			pattern = "*"
		}
		fmt.Fprintf(b, "\t%s) flags='%s' ;;\n", pattern, strings.Join(c.words(), " "))
	}
	b.WriteString("\tesac\n\tcase $current in\n\t-*) COMPREPLY=($(compgen -W \"$flags\" -- \"$current\")) ;;\n\tesac\n}\n")
	fmt.Fprintf(b, "complete -o default -F %s %s\n", function, p.Name) // what is no flag is a file
}

// short is what a list of completions says of a flag: the beginning of its usage.
func short(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	usage, _, _ = strings.Cut(usage, ": ")
	usage, _, _ = strings.Cut(usage, "; ")
	usage, _, _ = strings.Cut(usage, " (")
	return strings.NewReplacer("'", "", `"`, "", "`", "", "[", "(", "]", ")", ":", " -", "\\", "", "$", "").Replace(usage)
}

func (p Program) completeZsh(b *strings.Builder) {
	fmt.Fprintf(b, "#compdef %s\n# Completion of %s for zsh: put it as _%s into a folder of $fpath.\n", p.Name, p.Name, p.Name)
	if p.Only == nil {
		b.WriteString("if (( CURRENT == 2 )); then\n\tlocal -a commands=(\n")
		for _, c := range p.Commands {
			fmt.Fprintf(b, "\t\t'%s:%s'\n", c.Name, strings.NewReplacer("'", "", ":", " -").Replace(c.Short))
		}
		b.WriteString("\t)\n\t_describe command commands\n\treturn\nfi\n")
		b.WriteString("local command=$words[2]\nshift words\n(( CURRENT-- ))\n")
	} else {
		b.WriteString("local command=\n")
	}
	b.WriteString("case $command in\n")
	for _, c := range p.all() {
		pattern := c.Name
		if pattern == "" {
			pattern = "*"
		}
		fmt.Fprintf(b, "%s)\n\t_arguments \\\n", pattern)
		c.flags().VisitAll(func(f *pflag.Flag) {
			argument := ""
			if f.NoOptDefVal == "" {
				argument = ":" + f.Name + ":_files"
			}
			fmt.Fprintf(b, "\t\t'--%s[%s]%s' \\\n", f.Name, short(f), argument)
		})
		b.WriteString("\t\t'*::argument:_files'\n\t;;\n")
	}
	b.WriteString("esac\n")
}

func (p Program) completeFish(b *strings.Builder) {
	fmt.Fprintf(b, "# Completion of %s for fish: put it as %s.fish into ~/.config/fish/completions.\n", p.Name, p.Name)
	for _, c := range p.all() {
		when := ""
		if c.Name != "" {
			fmt.Fprintf(b, "complete -c %s -n __fish_use_subcommand -f -a %s -d '%s'\n", p.Name, c.Name, strings.ReplaceAll(c.Short, "'", ""))
			when = " -n '__fish_seen_subcommand_from " + c.Name + "'"
		}
		c.flags().VisitAll(func(f *pflag.Flag) {
			argument := ""
			if f.NoOptDefVal == "" {
				argument = " -r"
			}
			fmt.Fprintf(b, "complete -c %s%s -l %s%s -d '%s'\n", p.Name, when, f.Name, argument, short(f))
		})
	}
}
