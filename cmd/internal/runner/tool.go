package runner

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/shardctl/shardctl/batch"
)

// preset is what this package knows of one test runner that tells what it does while it does it: by a plugin over the
// protocol of docs/runner-protocol.md, or in its own words, which a parser turns into the same messages.
type preset struct {
	name string
	// recognise returns the file by which a project in dir is known to use this runner, and empty if it does not.
	recognise func(dir string) string
	// units are the granularities that it knows, the default first; see Options.Granularity.
	units []string
	// command returns the words that start the runner in dir if the user gave none, or an error that says what is not installed.
	command func(dir string) ([]string, error)
	// ready, if not nil, is called before a batch runs: it does once what all processes need, such as a build, see remember.
	ready func(ctx context.Context, t *Tool) error
	// start returns the process for an invocation. t.words are the words that start the runner.
	start func(t *Tool, in invocation) (toolProcess, error)
	// list finds the units, if the runner cannot do it by an invocation with listing.
	list func(ctx context.Context, t *Tool, patterns []string) ([]batch.Test, error)
	// fileOf, if not nil, returns the file of a unit of granularity test, as a unit of granularity file: one batch may have both.
	fileOf func(id string) string
	// complete is whether a file that was listed with so many tests has no others; nil: the runner itself listed them.
	complete func(ctx context.Context, t *Tool, file string, tests int) bool
	// parts cuts the units of a batch into those of one process each; nil: one process.
	parts func(ids []string) [][]string
	// apart, if not nil, is whether each unit of a batch needs a process of its own here.
	apart func(t *Tool) bool
	// hollow are options with which the runner runs no test; they are refused.
	hollow []string
	// failing are the exit statuses that failed tests explain, beside 0; nil: all of them, as the project can choose it, or it counts.
	failing []int
	// keeps is whether the runner can be fed batch after batch; lasts is whether it is by default; foretells is whether such a
	// process can tell the list first.
	keeps, lasts, foretells bool
	// reproduce returns the words that run one unit again without this program.
	reproduce func(t *Tool, id string) []string
}

// mode is what a process of a runner is to do. Plugins see it as SHARD_MODE.
type mode string

const (
	listing mode = "list"       // tell the units, run none
	running mode = "run"        // run the units of SHARD_TESTS_FILE
	lasting mode = "persistent" // ask for batches until told to stop
)

// invocation is what one process is to do.
type invocation struct {
	mode mode
	// ids are the units to run (running), or those that need not be told again (listing); patterns are what the user wants to have
	// listed (listing).
	ids, patterns []string
	// first: the list is told before the first batch is asked for (lasting).
	first bool
	// file holds the ids, or the patterns, one a line.
	file string
	// folder is for files of this process, and removed after it.
	folder string
}

// toolProcess is a process of a runner; its Stdout and Side are not set.
type toolProcess struct {
	process
	// stdout and side turn a line of the output, or of file descriptor 3, into messages. nil means: there are none, what is
	// printed is text. What a function returns no message for is text, too.
	stdout, side func(line []byte) []message
	// both says that stdout gets the lines of stderr too, in the order in which they were printed.
	both bool
	// ended, if not nil, is asked when the process has come to its end by itself, for what its output then means: a runner
	// that says nothing at its end has tests that end with it. printed is the beginning and the end of its text.
	ended func(e exit, printed string) []message
}

// Tool is a Runner and a Lister for a preset. Its methods may be called concurrently.
type Tool struct {
	preset preset
	o      Options
	words  []string
	// free: the user left it to the preset what a unit is.
	free bool
	// folder holds the plugin.
	folder string

	mu sync.Mutex
	// kept are the processes of persistent mode, by Job.Slot.
	kept map[int]*toolLife
	// expected is what Expect was told; ahead is how many of these may have their processes started by List.
	expected []Job
	ahead    int

	knowing sync.Mutex // guards known, and is held while it is found out
	// known is what the preset found out once for all its processes, see remember.
	known any
}

// remember returns what find returns, which is not called again once it had no error. A preset remembers one thing.
func remember[V any](t *Tool, find func() (V, error)) (V, error) {
	t.knowing.Lock()
	defer t.knowing.Unlock()
	if v, ok := t.known.(V); ok {
		return v, nil
	}
	v, err := find()
	if err == nil {
		t.known = v
	}
	return v, err
}

// newTool returns an error if the runner is not installed. The caller must call Close.
func newTool(p preset, o Options) (*Tool, error) {
	t := &Tool{preset: p, o: o, words: strings.Fields(o.Command), kept: map[int]*toolLife{}, ahead: runtime.NumCPU()}
	if o.Granularity == "" || o.Granularity == automaticUnit {
		t.o.Granularity, t.free = p.units[0], true
	} else if !slices.Contains(p.units, o.Granularity) {
		return nil, fmt.Errorf("--granularity %s: runner %s knows %s", o.Granularity, p.name, strings.Join(p.units, ", "))
	}
	for _, option := range p.hollow {
		if givesOption(o.Args, option) {
			return nil, fmt.Errorf("--runner %s: with the option %s %s runs no test; leave it out", p.name, option, p.name)
		}
	}
	var err error
	if len(t.words) == 0 {
		if t.words, err = p.command("."); err != nil {
			return nil, fmt.Errorf("--runner %s: %w", p.name, err)
		}
	}
	switch {
	case o.Persistent == "" || o.Persistent == "auto":
	case o.Persistent == "on" && !p.keeps:
		return nil, fmt.Errorf("--persistent: runner %s cannot be kept from batch to batch", p.name)
	}
	if t.folder, err = os.MkdirTemp("", "shard-plugin-"); err != nil {
		return nil, err
	}
	if err := os.CopyFS(t.folder, plugins()); err != nil {
		os.RemoveAll(t.folder)
		return nil, fmt.Errorf("the plugin of runner %s: %w", p.name, err)
	}
	return t, nil
}

// persistent is whether processes are kept from batch to batch.
func (t *Tool) persistent() bool {
	switch t.o.Persistent {
	case "on":
		return true
	case "off":
		return false
	}
	return t.preset.lasts
}

// plugin returns the path of a file of plugins/.
func (t *Tool) plugin(name string) string { return filepath.Join(t.folder, filepath.FromSlash(name)) }

// Close ends the processes that are kept, and removes the plugin. No Run may be under way.
func (t *Tool) Close() error {
	for slot := range t.kept {
		t.drop(slot)
	}
	return os.RemoveAll(t.folder)
}

// Reproduce returns the command, for a POSIX shell, that runs one unit again without this program.
func (t *Tool) Reproduce(id string) string {
	words := slices.Clone(t.preset.reproduce(t, id))
	for i, word := range words {
		words[i] = ShellQuote(word)
	}
	return strings.Join(words, " ")
}

// exists is whether dir has a file of one of the names; it returns the first.
func exists(dir string, names ...string) string {
	for _, name := range names {
		if found, _ := filepath.Glob(filepath.Join(dir, name)); len(found) > 0 {
			if info, err := os.Stat(found[0]); err == nil && info.Mode().IsRegular() {
				return filepath.Base(found[0])
			}
		}
	}
	return ""
}

// mentions is whether a file of dir holds one of the words; it returns the name of the file.
func mentions(dir, name string, words ...string) string {
	text, err := fs.ReadFile(os.DirFS(dir), name)
	if err != nil {
		return ""
	}
	for _, word := range words {
		if strings.Contains(string(text), word) {
			return name
		}
	}
	return ""
}

// prependPath returns the value of a variable that is a list of folders, with dir before what it holds.
func prependPath(dir, variable string) string {
	if rest := os.Getenv(variable); rest != "" {
		return dir + string(os.PathListSeparator) + rest
	}
	return dir
}
