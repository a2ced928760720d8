package control

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/plan"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// List are the flags that say which tests there are.
type List struct {
	tests, listCommand string
	patterns           []string
	// AllowEmpty: an empty list is green.
	AllowEmpty  bool
	gates       []string
	gateCommand gateCommand
	group       string
}

// gateCommand is a flag's text that cannot be blank: an unset variable would take the gate away without a word.
type gateCommand string

func (c *gateCommand) String() string { return string(*c) }
func (c *gateCommand) Type() string   { return "COMMAND" }
func (c *gateCommand) Set(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("the command is blank")
	}
	*c = gateCommand(text)
	return nil
}

// Register declares the flags.
func (l *List) Register(flags *pflag.FlagSet) {
	flags.StringVar(&l.tests, "tests", "", "`FILE` with the tests, one a line, as names or as JSON {\"test\": …, \"seconds\": …, \"gate\": …, \"group\": …}; - is standard input")
	flags.StringArrayVar(&l.patterns, "pattern", nil, "a `PATTERN` of what the runner lists, as one without a flag; repeatable (for .shard.yml)")
	flags.StringVar(&l.listCommand, "list-command", "", "shell `COMMAND` that prints such a list")
	flags.BoolVar(&l.AllowEmpty, "allow-empty", false, "an empty list is green; without this it is an error, exit status 4")
	flags.StringVar(&l.group, "group", "none", "keep tests together on one worker: file, class, none, or a regular `EXPRESSION` whose first group, or match, names the group")
	flags.StringArrayVar(&l.gates, "gate", nil, "`PATTERN=COMMAND`: a test that fits the pattern (a glob for the whole name, without =, or /a regular expression/) runs only on workers where the shell command, or the gate of that name in .shard.yml, ends with status 0; repeatable")
	flags.Var(&l.gateCommand, "gate-cmd", "the `COMMAND` for all tests of this call that no --gate fits")
}

// Load returns the list from wherever the flags say: a file, a command, or what the runner finds for the patterns. Tests
// that are listed twice count once.
func (l *List) Load(ctx context.Context, streams cli.Streams, r runner.Runner, patterns []string, log *slog.Logger) ([]batch.Test, error) {
	if l.tests != "" && l.listCommand != "" {
		return nil, cli.Usagef("--tests and --list-command exclude each other")
	}
	if (l.tests != "" || l.listCommand != "") && len(patterns) > 0 {
		return nil, cli.Usagef("unexpected argument %q: the list comes from --tests or --list-command", patterns[0])
	}
	if len(patterns) == 0 {
		patterns = l.patterns
	}
	tests, where, err := l.source(ctx, streams, r, patterns)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(tests, func(t batch.Test) bool { return strings.TrimSpace(t.ID) != t.ID }); i >= 0 {
		log.Warn("a test's name begins or ends with blanks, which belong to it", "test", fmt.Sprintf("%q", tests[i].ID))
	}
	seen := map[string]batch.Test{}
	repeats := 0
	tests = slices.DeleteFunc(tests, func(t batch.Test) bool {
		first, repeat := seen[t.ID]
		if repeat && first.Gate != t.Gate && err == nil {
			err = cli.Usagef("test %.200q is listed with two gates, %.200q and %.200q: a test has one", t.ID, first.Gate, t.Gate)
		}
		if repeat {
			if repeats == 0 {
				log.Warn("a test is listed more than once; it runs once", "test", t.ID)
			}
			repeats++
		}
		seen[t.ID] = t
		return repeat
	})
	if err != nil {
		return nil, err
	}
	if repeats > 1 {
		log.Warn(fmt.Sprintf("%d entries of the list are repeats", repeats))
	}
	if len(tests) == 0 && !l.AllowEmpty {
		return nil, &cli.NoTestsError{Where: where + " has none"}
	}
	if tests == nil {
		tests = []batch.Test{} // a list that is known, and empty; see Attendance.Tests
	}
	if err := plan.Group(tests, l.group); err != nil {
		return nil, cli.Usagef("--group: %w", err)
	}
	return tests, errors.Join(l.assign(tests, log), putIntoQuarantine(tests, log))
}

// Bring loads the list and connects to the Redis that it goes to. The function closes the connection.
func (l *List) Bring(ctx context.Context, streams cli.Streams, r runner.Runner, patterns []string, where *cli.Where, log *slog.Logger) (
	tests []batch.Test, rdb redis.UniversalClient, disconnect func(), err error,
) {
	if tests, err = l.Load(ctx, streams, r, patterns, log); err != nil {
		return nil, nil, nil, err
	}
	if rdb, disconnect, err = where.Connect(ctx, log, streams.Patience); err != nil {
		return nil, nil, nil, err
	}
	WarnOfEviction(ctx, rdb, log)
	return tests, rdb, disconnect, nil
}

func (l *List) source(ctx context.Context, streams cli.Streams, r runner.Runner, patterns []string) (tests []batch.Test, where string, err error) {
	switch {
	case l.tests == "-":
		tests, err = ReadList(streams.In, "standard input")
		return tests, "the list on standard input", err
	case l.tests != "":
		file, err := os.Open(l.tests)
		if err != nil {
			return nil, "", cli.Usagef("--tests: %w", err)
		}
		defer file.Close()
		tests, err = ReadList(file, l.tests)
		return tests, "the list " + l.tests, err
	case l.listCommand != "":
		tests, err = commandList(ctx, l.listCommand, streams.Err)
		return tests, "the list of --list-command", err
	}
	lister, ok := r.(runner.Lister)
	if !ok {
		return nil, "", cli.Usagef("which tests? A command template cannot list them: give --tests FILE or --list-command COMMAND")
	}
	if tests, err = lister.List(ctx, patterns); err != nil {
		if ctx.Err() != nil {
			return nil, "", context.Cause(ctx)
		}
		return nil, "", cli.Usagef("%w", err)
	}
	return tests, fmt.Sprintf("the project (patterns %q)", patterns), nil
}

// listGrace is how long the output of --list-command may stay open after its end: somebody in the background may hold it.
const listGrace = 2 * time.Second

// commandList runs the shell command of --list-command. It ends with ctx, and what it left running is not waited for.
func commandList(ctx context.Context, command string, stderr io.Writer) ([]batch.Test, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = listGrace
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well itself
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, cli.Usagef("--list-command %q: %w", command, err)
	}
	return ReadList(bytes.NewReader(out), "the output of --list-command")
}

// maxListLine is the longest line of a list: a test's longest name, escaped as JSON may escape it.
const maxListLine = 8 * batch.MaxIDBytes

// ReadList reads a list: one test a line, as its name, or as a JSON object if the line begins with "{" and is one with a
// member "test". Empty lines are passed over. A carriage return at the end of a line belongs to the line break.
func ReadList(r io.Reader, from string) ([]batch.Test, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxListLine)
	var tests []batch.Test
	number := 0
	for scanner.Scan() {
		number++
		line := scanner.Text()
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // a byte order mark is no part of a name
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		test, err := parseLine(line)
		if err != nil {
			return nil, cli.Usagef("%s, line %d: %w", from, number, err)
		}
		tests = append(tests, test)
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, cli.Usagef("%s, line %d: longer than the %d bytes that a test name may have", from, number+1, batch.MaxIDBytes)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return tests, nil
}

// Listed is a test as a line of JSON.
type Listed struct {
	Test    string  `json:"test"`
	Seconds float64 `json:"seconds,omitempty"`
	Gate    string  `json:"gate,omitempty"`
	// Group keeps tests together that stand side by side; --group, if given, decides instead.
	Group string `json:"group,omitempty"`
}

// parseLine reads a line of a list. The test's own gate, if it has one, is given as a command; see List.assign.
func parseLine(line string) (batch.Test, error) {
	test := batch.Test{ID: line}
	if strings.HasPrefix(line, `{"`) {
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		var l Listed
		if err := decoder.Decode(&l); err != nil {
			return test, fmt.Errorf("not a JSON object with \"test\" and perhaps \"seconds\", \"gate\" and \"group\": %w", err)
		}
		test = batch.Test{ID: l.Test, Seconds: l.Seconds, Gate: batch.Gate{Command: l.Gate}, Group: l.Group}
		if rest := line[decoder.InputOffset():]; strings.TrimSpace(rest) != "" {
			return test, fmt.Errorf("not a JSON object by itself: %.200q stands behind it", rest)
		}
		if test.Seconds < 0 {
			return test, fmt.Errorf("test %.200q: %v seconds are negative", test.ID, test.Seconds)
		}
	}
	return test, batch.CheckID(test.ID)
}

// Manifest identifies a run: its list, in whatever order it comes, and what runs it. Two jobs that run the same names with
// other flags, or on another system, must not take each other's results for their own.
func Manifest(tests []batch.Test, runnerName string, args []string) string {
	ids := make([]string, len(tests))
	for i, t := range tests {
		ids[i] = t.ID
		if !t.Gate.None() {
			ids[i] += "\x00" + t.Gate.Hash()
		}
	}
	slices.Sort(ids)
	hash := sha256.New()
	for _, words := range [][]string{{runtime.GOOS, runtime.GOARCH, runnerName}, args, ids} {
		fmt.Fprintf(hash, "%q\n", words)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
