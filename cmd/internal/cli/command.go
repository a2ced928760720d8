package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/junit"
)

// Command is a command, or one of several subcommands.
type Command struct {
	// Name as it is typed, Usage what follows it, Short one line, Long the rest of its help.
	Name, Usage, Short, Long string
	// Flags declares its flags. Each can also be given as an environment variable, see EnvName.
	Flags func(*pflag.FlagSet)
	// Run does the work. What it returns becomes the exit status, see Status.
	Run func(ctx context.Context, streams Streams, args Args) error
}

// Streams are what a command has of the world around it.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// LookupEnv reads the environment as it was at the start, as os.LookupEnv does. Program.Run sets it.
	LookupEnv func(string) (string, bool)
	// Patience is how long Redis may be out of reach when a command starts. 0: StartPatience.
	Patience time.Duration
}

// Args are what the flags left over.
type Args struct {
	// Before and After the first "--".
	Before, After []string
	// Flags that were given on the command line, by name.
	Flags map[string]bool
}

// None returns a usage error if there is any argument.
func (a Args) None() error {
	if all := append(append([]string{}, a.Before...), a.After...); len(all) > 0 {
		return Usagef("unexpected argument %q", all[0])
	}
	return nil
}

// Program is a set of subcommands, or a single command.
type Program struct {
	// Name of the executable, Short one line about it, Long the rest of its help.
	Name, Short, Long string
	// Commands are the subcommands in the order of the help; or Only is the whole program.
	Commands []Command
	Only     *Command
}

// Main runs a program with the process's own arguments, streams, environment and signals, and ends the process.
func Main(p Program) {
	stderr := divertible(os.Stderr)
	ctx, stop := Signals(context.Background(), stderr)
	err := p.Run(ctx, Streams{In: os.Stdin, Out: os.Stdout, Err: stderr}, os.Args[1:], snapshot(os.Environ()))
	stop()
	os.Exit(p.Report(os.Stderr, err))
}

// Run runs the program and returns what Report reports.
func (p Program) Run(ctx context.Context, streams Streams, args []string, lookupEnv func(string) (string, bool)) error {
	if len(args) > 0 && strings.HasPrefix(args[0], packaging) {
		return p.pack(streams.Out, args)
	}
	command, args, err := p.pick(streams, args)
	if err != nil || command == nil {
		return err
	}
	flags := command.flags()
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return p.help(streams.Out, command)
		}
		return Usagef("%w (see `%s --help`)", err, p.title(command))
	}
	rest := Args{Before: flags.Args(), Flags: map[string]bool{}}
	flags.Visit(func(f *pflag.Flag) { rest.Flags[f.Name] = true })
	if err := applyEnv(flags, lookupEnv); err != nil {
		return err
	}
	ofFile, err := applyFile(flags)
	if err != nil {
		return err
	}
	if n := flags.ArgsLenAtDash(); n >= 0 {
		rest.Before, rest.After = flags.Args()[:n], flags.Args()[n:]
	} else {
		rest.After = ofFile
	}
	streams.LookupEnv = lookupEnv
	err = command.Run(ctx, streams, rest)
	var usage *UsageError
	if errors.As(err, &usage) && !strings.Contains(usage.Error(), "--help") {
		return Usagef("%w (see `%s --help`)", err, p.title(command))
	}
	return err
}

// furtherLines indents all lines but the first: what a tool said begins no line, so that it gives no command to a CI system.
var furtherLines = strings.NewReplacer("\r\n", "\n    ", "\n", "\n    ", "\r", "\n    ")

// Report writes an error for a person and returns the exit status of the process.
func (p Program) Report(w io.Writer, err error) int {
	var silent *ExitError
	if err != nil && !errors.As(err, &silent) {
		text := strings.TrimRight(junit.SanitizeLine(err.Error()), "\r\n")
		fmt.Fprintf(w, "%s: %s\n", p.Name, furtherLines.Replace(text))
	}
	return Status(err)
}

// pick finds the subcommand, or writes the help that was asked for and returns none.
func (p Program) pick(streams Streams, args []string) (*Command, []string, error) {
	if p.Only != nil {
		return p.Only, args, nil
	}
	if len(args) == 0 || args[0] == "--help" || args[0] == "-h" || (args[0] == "help" && len(args) == 1) {
		return nil, nil, p.overview(streams.Out)
	}
	help := args[0] == "help"
	if help {
		args = args[1:]
	}
	name := args[0]
	if name == "--version" {
		name = "version"
	}
	for i := range p.Commands {
		if c := &p.Commands[i]; c.Name == name {
			if help {
				return nil, nil, p.help(streams.Out, c)
			}
			return c, args[1:], nil
		}
	}
	names := make([]string, len(p.Commands))
	for i, c := range p.Commands {
		names[i] = c.Name
	}
	return nil, nil, Usagef("there is no command %q%s (see `%s --help`)", name, MeantBy(name, names), p.Name)
}

func (c *Command) flags() *pflag.FlagSet {
	flags := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {}
	if c.Flags != nil {
		c.Flags(flags)
	}
	return flags
}

func (p Program) title(c *Command) string {
	if p.Only != nil {
		return p.Name
	}
	return p.Name + " " + c.Name
}

func (p Program) overview(w io.Writer) error {
	fmt.Fprintf(w, "%s - %s\n\nUsage: %s COMMAND [flags]\n\nCommands:\n", p.Name, p.Short, p.Name)
	for _, c := range p.Commands {
		fmt.Fprintf(w, "  %-10s %s\n", c.Name, c.Short)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(p.Long))
	return err
}

func (p Program) help(w io.Writer, c *Command) error {
	usage := strings.TrimSpace(p.title(c) + " " + c.Usage)
	fmt.Fprintf(w, "%s - %s\n\nUsage: %s\n\n%s\n", p.title(c), c.Short, usage, strings.TrimSpace(c.Long))
	if usages := c.flags().FlagUsagesWrapped(110); usages != "" {
		fmt.Fprintf(w, "\nFlags (each also as an environment variable: --redis-url is %s):\n%s", EnvName("redis-url"), usages)
	}
	return nil
}
