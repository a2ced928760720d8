package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// Lister is a Runner that finds the project's tests by itself.
type Lister interface {
	// List returns the tests that patterns name, in the project's order.
	List(ctx context.Context, patterns []string) ([]batch.Test, error)
}

// Options say which runner New makes, and how.
type Options struct {
	// Name of a preset, "auto" for the one that fits the project in the current folder, or empty: Args are a command template.
	Name string
	// Args are options for the project's test runner, or the template.
	Args []string
	// Artifacts is the folder for a template's {artifacts}; empty: none.
	Artifacts string
	// Command is what starts the runner, words separated by blanks ("bundle exec rspec"). Empty: the preset knows.
	Command string
	// Granularity is what a unit is: test, class, file; empty or auto: the preset knows.
	Granularity string
	// Persistent is whether runners are kept from batch to batch: on, off; empty or auto: where it is proved safe.
	Persistent string
	// Say gets what a person should know; nil: nobody.
	Say func(string)
}

// Automatic is the Name that lets New choose.
const Automatic = "auto"

// Names are the presets that New knows.
func Names() []string {
	names := []string{"go"}
	for _, p := range presets {
		names = append(names, p.name)
	}
	slices.Sort(names)
	return names
}

// New returns the runner of the options. Whoever gets an io.Closer closes it. The error says what is wrong with the options,
// or what is not installed.
func New(o Options) (Runner, error) {
	if o.Name == Automatic {
		name, why, err := Recognise(".")
		if err != nil {
			return nil, err
		}
		if o.Say != nil {
			o.Say(fmt.Sprintf("--runner auto: %s, as there is %s", name, why))
		}
		o.Name = name
	}
	switch {
	case o.Name == "go":
		if err := refuse(o, "runner go"); err != nil {
			return nil, err
		}
		return NewGo(GoOptions{Args: o.Args})
	case o.Name != "":
		i := slices.IndexFunc(presets, func(p preset) bool { return p.name == o.Name })
		if i < 0 {
			return nil, fmt.Errorf("--runner %q: there is no such runner; choose one of %s, or auto, or give a command after --", o.Name, strings.Join(Names(), ", "))
		}
		return newTool(presets[i], o)
	case len(o.Args) == 0:
		return nil, errors.New("no runner: choose one with --runner (auto, go, pytest, …), or give the command that runs tests after --, as in `-- ./run.sh {tests_file} {junit}`")
	}
	if err := refuse(o, "a command after --"); err != nil {
		return nil, err
	}
	c, err := NewCommand(o.Args, o.Artifacts)
	if err != nil {
		return nil, err
	}
	c.say = o.Say
	return c, nil
}

// refuse returns an error for options that mean nothing for a runner.
func refuse(o Options, who string) error {
	switch {
	case o.Command != "":
		return fmt.Errorf("--runner-command: %s does not use it", who)
	case o.Granularity != "" && o.Granularity != automaticUnit && o.Granularity != unitTest:
		return fmt.Errorf("--granularity %s: %s has one only, test", o.Granularity, who)
	case o.Persistent == "on":
		return fmt.Errorf("--persistent: %s starts a process for each batch", who)
	}
	return nil
}

// Recognise finds the runner of the project in dir, and the file that tells; the error says that there is none, or several.
func Recognise(dir string) (name, why string, err error) {
	var found []string
	for _, p := range presets {
		if file := p.recognise(dir); file != "" {
			found = append(found, p.name)
			name, why = p.name, file
		}
	}
	if file := exists(dir, "go.mod", "go.work"); file != "" {
		found = append(found, "go")
		name, why = "go", file
	}
	switch len(found) {
	case 0:
		return "", "", fmt.Errorf("--runner auto: this folder shows no test runner; choose one of %s, or give a command after --", strings.Join(Names(), ", "))
	case 1:
		return name, why, nil
	}
	return "", "", fmt.Errorf("--runner auto: this folder has several: %s; choose one of them", strings.Join(found, ", "))
}
