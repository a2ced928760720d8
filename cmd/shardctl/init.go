package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

func initCommand() cli.Command {
	var dir string
	var stdout bool
	return cli.Command{
		Name: "init", Usage: "[-C FOLDER] [--stdout]",
		Short: "write a .shard.yml with every setting, for the runner that is found",
		Long: `
Writes .shard.yml into the project's folder: the runner that is recognised there, and every other setting as a comment with what it does
and its default. What a command line says counts more than the environment, that more than this file. A file that is there is left alone.`,
		Flags: func(flags *pflag.FlagSet) {
			flags.StringVarP(&dir, "dir", "C", "", "`FOLDER` of the project (default: the current one)")
			flags.BoolVar(&stdout, "stdout", false, "print it instead")
		},
		Run: func(_ context.Context, streams cli.Streams, args cli.Args) error {
			if err := args.None(); err != nil {
				return err
			}
			name, why, err := runner.Recognise(cmp.Or(dir, "."))
			if err != nil {
				why = err.Error()
			}
			if stdout {
				return writeSettings(streams.Out, name, why)
			}
			path := filepath.Join(dir, cli.ConfigFile)
			file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			if os.IsExist(err) {
				return cli.Usagef("%s is there already: it is left alone; --stdout prints what a new one would say", path)
			}
			if err != nil {
				return cli.Usagef("%w", err)
			}
			err = writeSettings(file, name, why)
			if errClose := file.Close(); err == nil {
				err = errClose
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(streams.Out, "%s: written for the runner %s (%s)\n", path, orNone(name), why)
			return err
		},
	}
}

func orNone(name string) string {
	if name == "" {
		return "that you choose"
	}
	return name
}

// everyPattern is what lists all tests, by runner; others list them all without one.
var everyPattern = map[string]string{"go": "./..."}

// writeSettings writes a .shard.yml in which only the runner is set, if there is one.
func writeSettings(w io.Writer, name, why string) error {
	flags := settingFlags()
	var b strings.Builder
	b.WriteString("# Settings of shardctl and shardworker for this project. A flag counts more than its environment variable (SHARD_TEST_TIMEOUT for\n" +
		"# test-timeout), that more than this file. Everything is optional; whatever this file says that nobody knows is an error.\n")
	for _, setting := range cli.Settings {
		usage, value, on := "what follows -- on the command line: options of the runner, or the command that runs a batch", "[]", false
		if f := flags.Lookup(setting); f != nil {
			_, usage = pflag.UnquoteUsage(f)
			value = valueOf(f)
		}
		switch setting {
		case "runner":
			value, on = name, name != ""
			usage += ". Chosen here: " + why
		case "pattern":
			if every := everyPattern[name]; every != "" {
				value, on = "["+every+"]", true
			}
		}
		fmt.Fprintf(&b, "\n%s\n", comment(usage))
		if !on {
			b.WriteString("# ")
		}
		fmt.Fprintf(&b, "%s: %s\n", setting, value)
	}
	b.WriteString(`
# Tests that not every machine can run; see docs/gates.md.
# gates:
#   gpu:
#     command: nvidia-smi -L
#     tests: ["*::TestCUDA*"]

# Tests whose failure does not fail the run, each with somebody who looks after it.
# quarantine:
#   - test: "*::TestFlaky*"
#     owner: anna
#     reason: "waits for #17"
#     until: 2026-12-31
`)
	_, err := io.WriteString(w, b.String())
	return err
}

// settingFlags are the flags of shardctl run, and of those commands that have further settings.
func settingFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	(&runOptions{}).register(flags)
	waiting := pflag.NewFlagSet("", pflag.ContinueOnError)
	waitCommand().Flags(waiting)
	flags.AddFlagSet(waiting)
	flags.Bool("elect", false, "(shardworker) take part in the election of the worker that lists the tests and supervises the run")
	flags.String("fallback", "", "(shardworker) what to do when Redis cannot be reached at the start, with --elect: static, to run this job's shard of the tests")
	return flags
}

// valueOf is a flag's default as YAML has it.
func valueOf(f *pflag.Flag) string {
	switch {
	case f.Name == "workers":
		return "4"
	case f.Value.Type() == "stringArray":
		return "[]"
	case f.DefValue == "":
		return `""`
	}
	return f.DefValue
}

// comment makes lines of a comment of a text.
func comment(text string) string {
	const width = 118
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		if column == 0 || column+1+len(word) > width {
			if column > 0 {
				b.WriteByte('\n')
			}
			b.WriteByte('#')
			column = 1
		}
		b.WriteString(" " + word)
		column += 1 + len(word)
	}
	return b.String()
}
