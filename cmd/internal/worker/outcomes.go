package worker

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardctl/shardctl/batch"
)

const (
	// mostJournal bounds a journal on disk. What comes later is kept in memory only.
	mostJournal = 256 << 20
	// keptFor is how long a journal whose worker was killed waits for a successor: longer than a run.
	keptFor = 7 * 24 * time.Hour

	journalSuffix = ".journal"
)

// errHeld: a live worker has this journal, or had it and has just removed it.
var errHeld = errors.New("the journal belongs to a live worker")

// outcomes is what this worker finished in the run, in memory and on disk: in memory to report it again after Redis lost
// data, on disk for a successor of its name on this machine, should this worker be killed.
//
// The file has one line an entry: the CRC-32C of the rest in 8 hexadecimal digits, a space, a journalLine as JSON. A line
// that is damaged, torn by the death of its writer or by a full disk, is passed over; its test runs again.
//
// Nothing is synced to the disk: what was written outlives a killed process without. Only a machine that loses its power loses
// it, and then the tests run again.
type outcomes struct {
	birth string
	log   *slog.Logger

	mu     sync.Mutex
	events []batch.Event
	// files are the journals that this worker has locked. The first is written; the others were left by predecessors. None: there
	// is no journal on disk.
	files []*os.File
	room  int  // bytes that the first may still grow by
	full  bool // it had no room for an entry, and is not written any more
	torn  bool // it may not end with a whole line
	ill   bool // the last write failed, and that was said
}

// journalLine is one entry on disk. Bytes of an output that are not UTF-8 become U+FFFD.
type journalLine struct {
	Birth   string          `json:"birth"`
	Type    batch.EventType `json:"type"`
	Test    string          `json:"test,omitempty"`
	Outcome *batch.Outcome  `json:"outcome,omitempty"`
	Output  string          `json:"output,omitempty"`
	Problem *batch.Problem  `json:"problem,omitempty"`
}

// openOutcomes opens the journal of a worker, below dir, and takes over what predecessors of its name left of the same run.
// If the disk does not work it says so, and keeps what this worker finishes in memory.
func openOutcomes(dir, runID, birth, name string, log *slog.Logger) *outcomes {
	o := &outcomes{birth: birth, log: log}
	if err := o.open(dir, journalName(runID, birth, name)); err != nil {
		log.Warn("no journal on disk: should this worker be killed, what it finished and did not report runs again", "error", err)
	}
	return o
}

// add notes the finishes and problems among events, and is to be called before they are reported. They must be clipped.
func (o *outcomes) add(events ...batch.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var lines []byte
	for _, e := range events {
		if e.Type != batch.Finish && e.Type != batch.ProblemFound {
			continue
		}
		o.events = append(o.events, e)
		if len(o.files) == 0 || o.full {
			continue
		}
		line, err := encodeOutcome(o.birth, e)
		if err != nil {
			o.log.Warn("not in the journal on disk", "test", e.Test, "error", err)
			continue
		}
		lines = append(lines, line...)
	}
	if len(lines) > 0 {
		o.write(lines)
	}
}

// all returns what this worker and its predecessors finished, in the order in which each did.
func (o *outcomes) all() []batch.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.events)
}

// close ends the journal on disk. Unless the run is over (done), it stays for a successor.
func (o *outcomes) close(done bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, file := range o.files {
		var err error
		if done { // while it is locked, so that nobody takes it over in between
			err = os.Remove(file.Name())
		}
		if err = errors.Join(err, file.Close()); err != nil {
			o.log.Warn("cannot close the journal", "error", err)
		}
	}
	o.files = nil
}

// write appends lines to the journal with one write(2), so that a kill leaves them there or not, and hardly ever a part.
func (o *outcomes) write(lines []byte) {
	if o.torn {
		lines = slices.Concat([]byte("\n"), lines)
	}
	if len(lines) > o.room {
		o.full = true
		o.log.Warn("the journal on disk is full, what follows is kept in memory only", "file", o.files[0].Name(), "bytes", mostJournal)
		return
	}
	n, err := o.files[0].Write(lines)
	o.room -= n
	o.torn = err != nil
	if err != nil && !o.ill {
		o.log.Warn("cannot write the journal, what fails to get there is kept in memory only", "error", err)
	}
	o.ill = err != nil
}

// open locks what predecessors left and reads it, or else makes a new file.
func (o *outcomes) open(dir, name string) error {
	dir, err := ownDir(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case !strings.HasSuffix(path, journalSuffix):
		case strings.HasPrefix(e.Name(), name):
			if err := o.takeOver(path, 0); err != nil && !errors.Is(err, errHeld) {
				o.log.Warn("cannot read what a predecessor of this worker finished", "error", err)
			}
		default:
			sweep(path)
		}
	}
	path := filepath.Join(dir, name+journalSuffix)
	for i := 1; len(o.files) == 0; i++ { // another worker of this name lives for every round
		if err := o.takeOver(path, os.O_CREATE); err != nil && !errors.Is(err, errHeld) {
			return err
		}
		path = filepath.Join(dir, fmt.Sprintf("%s-%d%s", name, i, journalSuffix))
	}
	return nil
}

// takeOver makes a journal this worker's own, with what is in it.
func (o *outcomes) takeOver(path string, flags int) error {
	file, err := lockJournal(path, flags)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	events, ignored, err := readOutcomes(file, o.birth)
	if ignored > 0 || err != nil {
		o.log.Warn("a part of the journal on disk cannot be used", "file", path, "lines", ignored, "error", err)
	}
	if len(o.files) == 0 {
		o.room = mostJournal - int(info.Size())
		o.torn = info.Size() > 0 // its writer may have died, or the disk been full, in the middle of a line
	}
	o.events = append(o.events, events...)
	o.files = append(o.files, file)
	return nil
}

// ownDir makes the directory of this user's journals, and refuses one into which others may write: their lines would be
// results of tests that nobody ran.
func ownDir(dir string) (string, error) {
	own := filepath.Join(dir, "shardworker-"+strconv.Itoa(os.Geteuid()))
	if err := os.MkdirAll(own, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(own)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) != os.Geteuid() || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s (%v) is not a directory of this user that nobody else may write", own, info.Mode())
	}
	return own, nil
}

// journalName is what the names of all journals of one worker in one run begin with. Its first two parts are for people, and cut.
func journalName(runID, birth, name string) string {
	readable := func(text string) string {
		return strings.NewReplacer("/", "_", ":", "_").Replace(text[:min(len(text), 40)])
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", runID, birth, name))
	return fmt.Sprintf("%s-%s-%x", readable(runID), readable(name), sum[:16])
}

// lockJournal opens a journal, and locks it for as long as it is open: the kernel releases the lock when this process ends,
// however it does. The processes of runners do not inherit it. The error is errHeld if somebody else has it.
func lockJournal(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|flags, 0o600)
	if errors.Is(err, os.ErrNotExist) && flags == 0 {
		return nil, errHeld // it was there a moment ago
	}
	if err != nil {
		return nil, err
	}
	if err := tryLock(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	locked, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if there, err := os.Lstat(path); err != nil || !os.SameFile(locked, there) {
		return nil, errors.Join(errHeld, err, file.Close()) // who held it removed it before we had the lock
	}
	return file, nil
}

func tryLock(file *os.File) error {
	for {
		switch err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case nil:
			return nil
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return errHeld
		default:
			return &os.PathError{Op: "lock", Path: file.Name(), Err: err}
		}
	}
}

// sweep removes the journal of another run or worker if nobody came for it in a long time.
func sweep(path string) {
	info, err := os.Lstat(path)
	if err != nil || time.Since(info.ModTime()) < keptFor {
		return
	}
	if file, err := lockJournal(path, 0); err == nil {
		_ = os.Remove(path)
		_ = file.Close()
	}
}

// readOutcomes returns the entries of a run, and how many lines are none: damaged, or of another run.
func readOutcomes(r io.Reader, birth string) (events []batch.Event, ignored int, err error) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 {
			if e, ok := decodeOutcome(line, birth); ok {
				events = append(events, e)
			} else {
				ignored++
			}
		}
		if errors.Is(err, io.EOF) {
			return events, ignored, nil
		}
		if err != nil {
			return events, ignored, err
		}
	}
}

func encodeOutcome(birth string, e batch.Event) ([]byte, error) {
	l := journalLine{Birth: birth, Type: e.Type, Test: e.Test}
	if e.Type == batch.Finish {
		l.Outcome, l.Output = &e.Outcome, e.Outcome.Output
	} else {
		l.Problem = &e.Problem
	}
	text, err := json.Marshal(l)
	return fmt.Appendf(nil, "%s %s\n", checksum(text), text), err
}

func decodeOutcome(line []byte, birth string) (e batch.Event, ok bool) {
	sum, text, _ := bytes.Cut(line, []byte(" "))
	var l journalLine
	if string(sum) != checksum(text) || json.Unmarshal(text, &l) != nil || l.Birth != birth {
		return e, false
	}
	e = batch.Event{Type: l.Type, Test: l.Test}
	switch {
	case l.Type == batch.Finish && l.Outcome != nil:
		e.Outcome = *l.Outcome
		e.Outcome.Output = l.Output
	case l.Type == batch.ProblemFound && l.Problem != nil:
		e.Problem = *l.Problem
	default:
		return e, false
	}
	return e, true
}

func checksum(text []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}
