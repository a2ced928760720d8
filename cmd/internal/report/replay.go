package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Turn is one batch of a worker, as it ran.
type Turn struct {
	Hold
	// Ran are the tests in the order in which they began, as far as the journal tells; NotRun those that the worker claimed with
	// them and did not begin.
	Ran, NotRun []string
}

// Replay returns what one worker ran, batch by batch. A worker is named by its id, or by the name that it was given if one
// worker only had that. The error says which workers there are.
func (h *History) Replay(worker string) (*Worker, []Turn, error) {
	w, err := h.named(worker)
	if err != nil {
		return nil, nil, err
	}
	turns := make([]Turn, len(w.Batches))
	place := map[int]int{}
	for i, hold := range w.Batches {
		turns[i].Hold = hold
		place[hold.Number] = i
	}
	type began struct {
		id    string
		entry int
	}
	ran := make([][]began, len(turns))
	for _, t := range h.Tests() {
		for _, a := range t.Attempts {
			i, known := place[a.Batch]
			if a.Worker != w.ID || !known {
				continue
			}
			if entry, _ := a.entries(); entry > 0 {
				ran[i] = append(ran[i], began{t.ID, entry})
			} else {
				turns[i].NotRun = append(turns[i].NotRun, t.ID)
			}
		}
	}
	for i := range turns {
		slices.SortStableFunc(ran[i], func(a, b began) int { return cmp.Compare(a.entry, b.entry) })
		for _, b := range ran[i] {
			turns[i].Ran = append(turns[i].Ran, b.id)
		}
	}
	return w, turns, nil
}

// named finds a worker.
func (h *History) named(worker string) (*Worker, error) {
	var fits []*Worker
	var ids []string
	for _, w := range h.joined {
		if w.ID == worker {
			return w, nil
		}
		if given, _, ok := cutLast(w.ID, "."); ok && given == worker {
			fits = append(fits, w)
		}
		ids = append(ids, w.ID)
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		if len(ids) == 0 {
			return nil, fmt.Errorf("the journal tells of no worker at all")
		}
		return nil, fmt.Errorf("the journal tells of no worker %q; there are %s", OneLine(worker, maxName), Names(ids, 20))
	}
	ids = nil
	for _, w := range fits {
		ids = append(ids, w.ID)
	}
	return nil, fmt.Errorf("several workers had the name %q; choose one of %s", OneLine(worker, maxName), Names(ids, 20))
}

// cutLast cuts around the last sep.
func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// ReplayOptions say how WriteReplay runs tests.
type ReplayOptions struct {
	RunID string
	// Command is what runs a list, on standard input, as words that are quoted for a shell: "shardctl run --runner go --tests -".
	Command string
	// Names: only the names are written, one a line, and no command.
	Names bool
}

// WriteReplay writes what a worker ran as a script for a POSIX shell that runs it again: one run for each batch, as each had
// a process of its own, with one worker; a group is claimed as a whole. Errors are out's.
func WriteReplay(out io.Writer, w *Worker, turns []Turn, o ReplayOptions) error {
	var b strings.Builder
	tests := 0
	for _, t := range turns {
		tests += len(t.Ran)
	}
	if !o.Names {
		fmt.Fprintf(&b, "#!/bin/sh\n# What worker %s%s ran in run %s, in its order: %s in %s.\n# Each batch had a runner process for itself (unless --persistent kept one), and has one here.\nstatus=0\n",
			name(w.ID), reason(w.Info), name(o.RunID), count(tests, "test"), batchCount(len(turns)))
	}
	for _, t := range turns {
		if o.Names {
			for _, id := range t.Ran {
				fmt.Fprintf(&b, "%s\n", listed(id))
			}
			continue
		}
		alone := ""
		if t.Alone {
			alone = ", which ran again, alone"
		}
		fmt.Fprintf(&b, "\n# Batch %d: %s%s", t.Number, count(len(t.Ran), "test"), alone)
		if len(t.NotRun) > 0 {
			fmt.Fprintf(&b, "; claimed and not run: %s", Names(t.NotRun, 5))
		}
		b.WriteByte('\n')
		if len(t.Ran) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s <<'TESTS' || status=$?\n", o.Command)
		for _, id := range t.Ran {
			fmt.Fprintf(&b, "%s\n", entry(id, fmt.Sprintf("batch %d", t.Number))) // a group is claimed as a whole
		}
		b.WriteString("TESTS\n")
	}
	if !o.Names {
		b.WriteString("\nexit $status\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// listed is a name as a line of a list of names, as JSON if it would be something else there, or a command to whoever shows it.
func listed(id string) string {
	if clean(id) == id && strings.TrimSpace(id) == id && !strings.ContainsAny(id[:min(1, len(id))], "{:#") {
		return id
	}
	return entry(id, "")
}

// entry is a test as a line of JSON, with its group if there is one.
func entry(id, group string) string {
	text, err := encodeJSON(struct {
		Test  string `json:"test"`
		Group string `json:"group,omitempty"`
	}{id, group})
	if err != nil {
		panic(err) // a struct of strings
	}
	return strings.TrimSuffix(string(text), "\n")
}
