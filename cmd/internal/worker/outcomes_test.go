package worker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// disk is a directory for journals, and what was logged about them.
type disk struct {
	*testing.T
	dir string
	log bytes.Buffer
}

func newDisk(t *testing.T) *disk { return &disk{T: t, dir: t.TempDir()} }

// open opens the journal of worker w in the run whose birth is b1.
func (d *disk) open() *outcomes { return d.openAs("b1", "w") }

func (d *disk) openAs(birth, name string) *outcomes {
	d.Helper()
	o := openOutcomes(d.dir, "ci/42:1", birth, name, slog.New(slog.NewTextHandler(&d.log, nil)))
	d.Cleanup(func() { o.close(false) })
	return o
}

// files are the paths of all journals.
func (d *disk) files() []string {
	d.Helper()
	paths, err := filepath.Glob(filepath.Join(d.dir, "*", "*"+journalSuffix))
	if err != nil {
		d.Fatal(err)
	}
	return paths
}

// path is where the first journal of a worker is.
func (d *disk) path(birth, name string) string {
	return filepath.Join(d.own(), journalName("ci/42:1", birth, name)+journalSuffix)
}

// own is the directory that is made for journals.
func (d *disk) own() string { return filepath.Join(d.dir, fmt.Sprintf("shardworker-%d", os.Geteuid())) }

func (d *disk) read(path string) string {
	d.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		d.Fatal(err)
	}
	return string(text)
}

func (d *disk) write(path, text string) {
	d.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

// has checks what a journal holds, and how many warnings there were so far.
func (d *disk) has(o *outcomes, warnings int, want ...batch.Event) {
	d.Helper()
	if diff := cmp.Diff(want, o.all()); diff != "" {
		d.Errorf("the journal holds (-want +got):\n%s", diff)
	}
	if n := strings.Count(d.log.String(), "level=WARN"); n != warnings {
		d.Errorf("%d warnings, want %d:\n%s", n, warnings, d.log.String())
	}
}

func passedEvent(test string) batch.Event {
	return batch.Event{Type: batch.Finish, Test: test, Outcome: batch.Outcome{Status: batch.Passed, Seconds: 0.25}}
}

func failedEvent(test string) batch.Event {
	return batch.Event{Type: batch.Finish, Test: test, Outcome: batch.Outcome{
		Status: batch.Failed, Seconds: 1.5, Message: "want <1>, got 2", File: "a_test.go", Line: 7, Output: "one\ntwo \x00 \u2028 ünd\n",
		Cases: []batch.Case{{Classname: "p", Name: test + "/sub", Status: batch.Failed, Output: "two\n"}, {Name: test, Status: batch.Passed}},
	}}
}

func problemEvent() batch.Event {
	return batch.Event{Type: batch.ProblemFound, Problem: batch.Problem{Scope: "./p", Message: "does not compile", Details: "p.go:1\np.go:2"}}
}

func TestOutcomesRoundTrip(t *testing.T) {
	d := newDisk(t)
	first := d.open()
	d.has(first, 0)
	first.add(batch.Event{Type: batch.Start, Test: "A"}, failedEvent("A"))
	first.add(batch.Event{Type: batch.Start, Test: "B"}, batch.Event{Type: batch.Pause, Test: "B"})
	first.add(problemEvent(), passedEvent("B"))
	want := []batch.Event{failedEvent("A"), problemEvent(), passedEvent("B")}
	d.has(first, 0, want...)
	first.close(false)
	first.add(passedEvent("after the end"))

	second := d.open()
	d.has(second, 0, want...)
	second.add(passedEvent("C"))
	second.close(false)

	third := d.open()
	d.has(third, 0, append(want, passedEvent("C"))...)
	path := d.files()[0]
	for path, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: mode %v, want %v; %v", path, info.Mode(), mode, err)
		}
	}
	third.close(true)
	if files := d.files(); len(files) > 0 {
		t.Errorf("left after the end of the run: %q", files)
	}
	third.close(true)
	d.has(d.open(), 0)
}

func TestOutcomesOfOthersAreNotUsed(t *testing.T) {
	d := newDisk(t)
	o := d.open()
	o.add(passedEvent("A"))
	o.close(false)
	d.has(d.openAs("b2", "w"), 0)
	d.has(d.openAs("b1", "w2"), 0)

	// Not even if the line got into our file.
	line, err := encodeOutcome("b2", passedEvent("B"))
	if err != nil {
		t.Fatal(err)
	}
	path := d.path("b1", "w")
	d.write(path, string(line)+d.read(path))
	d.has(d.open(), 1, passedEvent("A"))
}

func TestDamagedLinesAreIgnored(t *testing.T) {
	events := []batch.Event{passedEvent("A"), failedEvent("B"), passedEvent("C")}
	for _, test := range []struct {
		name     string
		damage   func(lines []string) string
		warnings int
		left     []batch.Event
	}{
		{"torn at the end", func(l []string) string { return l[0] + l[1] + l[2][:len(l[2])/2] }, 1, events[:2]},
		{"torn in the checksum", func(l []string) string { return l[0] + l[1] + l[2][:5] }, 1, events[:2]},
		{"only the line's end is missing", func(l []string) string { return l[0] + l[1] + strings.TrimSuffix(l[2], "\n") }, 0, events},
		{"torn, and appended to", func(l []string) string { return l[0][:20] + "\n\n" + l[1] + l[2] }, 1, events[1:]},
		{"another text", func(l []string) string { return l[0] + strings.Replace(l[1], "failed", "passed", 1) + l[2] }, 1,
			[]batch.Event{events[0], events[2]}},
		{"another checksum", func(l []string) string { return "0" + l[0] + l[1] + l[2] }, 1, events[1:]},
		{"a hole of zeros", func(l []string) string { return l[0] + strings.Repeat("\x00", 4096) + l[1] + l[2] }, 1,
			[]batch.Event{events[0], events[2]}},
		{"of an unknown kind", func(l []string) string {
			later, _ := encodeOutcome("b1", batch.Event{Type: "later"})
			return l[0] + string(later) + l[1] + l[2]
		}, 1, events},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDisk(t)
			o := d.open()
			o.add(events...)
			o.close(false)
			path := d.files()[0]
			d.write(path, test.damage(slices.Collect(strings.Lines(d.read(path)))))
			o = d.open()
			d.has(o, test.warnings, test.left...)

			// What is appended does not become a part of a torn line.
			o.add(passedEvent("D"))
			o.close(false)
			d.has(d.open(), 2*test.warnings, append(slices.Clone(test.left), passedEvent("D"))...)
		})
	}
}

// A process that is killed leaves everything that it noted, and releases its lock.
func TestOutcomesOfAKilledPredecessor(t *testing.T) {
	if dir := os.Getenv("OUTCOMES_OF_A_VICTIM"); dir != "" {
		o := openOutcomes(dir, "ci/42:1", "b1", "w", slog.Default())
		for i := 0; ; i++ {
			o.add(failedEvent(fmt.Sprint(i)))
			fmt.Println(i)
		}
	}
	d := newDisk(t)
	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), "OUTCOMES_OF_A_VICTIM="+d.dir)
	stdout, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	noted := bufio.NewScanner(stdout)
	for range 100 {
		noted.Scan()
	}
	living := d.open()
	d.has(living, 0) // it is in use
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	said := 100
	for noted.Scan() {
		said++
	}
	_ = victim.Wait()

	events := d.open().all()
	if len(events) < said {
		t.Fatalf("%d entries, but %d were noted", len(events), said)
	}
	for i, e := range events {
		if diff := cmp.Diff(failedEvent(fmt.Sprint(i)), e); diff != "" {
			t.Fatalf("entry %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestTwoWorkersOfOneName(t *testing.T) {
	d := newDisk(t)
	one, two := d.open(), d.open()
	one.add(passedEvent("A"))
	two.add(passedEvent("B"))
	one.add(passedEvent("C"))
	d.has(one, 0, passedEvent("A"), passedEvent("C"))
	d.has(two, 0, passedEvent("B"))

	// A third takes over what the second left, but not what the first has.
	two.close(false)
	three := d.open()
	d.has(three, 0, passedEvent("B"))
	three.add(passedEvent("D"))
	three.close(false)
	one.close(false)

	// A successor takes over all there is, once.
	four := d.open()
	got := four.all()
	slices.SortFunc(got, func(a, b batch.Event) int { return strings.Compare(a.Test, b.Test) })
	if diff := cmp.Diff([]batch.Event{passedEvent("A"), passedEvent("B"), passedEvent("C"), passedEvent("D")}, got); diff != "" {
		t.Errorf("the successor of both (-want +got):\n%s", diff)
	}
	five := d.open()
	d.has(five, 0)
	if n := len(d.files()); n != 3 {
		t.Errorf("%d journals, want 3", n)
	}
	four.close(true)
	five.close(true)
	if files := d.files(); len(files) > 0 {
		t.Errorf("left after the end of the run: %q", files)
	}
}

// A journal that is removed between its opening and its locking is not used: nobody would find it again.
func TestARemovedJournalIsNotLocked(t *testing.T) {
	d := newDisk(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 100 {
				o := openOutcomes(d.dir, "r", "b", "w", slog.New(slog.DiscardHandler))
				name := fmt.Sprint(i, ".", j)
				o.add(passedEvent(name))
				if len(o.files) == 0 {
					t.Error("no journal on disk")
				} else if text, err := os.ReadFile(o.files[0].Name()); err != nil || !strings.Contains(string(text), name) {
					t.Errorf("%s is not in its journal: %v", name, err)
				}
				o.close(true)
			}
		})
	}
	all.Wait()
}

func TestWithoutADisk(t *testing.T) {
	elsewhere := t.TempDir()
	for name, spoil := range map[string]func(d *disk) error{
		"a file is in the way":   func(d *disk) error { return os.WriteFile(d.own(), nil, 0o600) },
		"a link to elsewhere":    func(d *disk) error { return os.Symlink(elsewhere, d.own()) },
		"not in a directory":     func(d *disk) error { d.dir = os.DevNull; return nil },
		"nothing can be made":    func(d *disk) error { d.dir = "/proc"; return nil }, // not even by root
		"others may write there": func(d *disk) error { return errors.Join(os.Mkdir(d.own(), 0o700), os.Chmod(d.own(), 0o777)) },
		"it is another user's": func(d *disk) error {
			if os.Geteuid() != 0 {
				d.Skip("only root can give a directory away")
			}
			return errors.Join(os.Mkdir(d.own(), 0o700), os.Chown(d.own(), 1, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			if err := spoil(d); err != nil {
				t.Fatal(err)
			}
			o := d.open()
			o.add(passedEvent("A"))
			o.add(passedEvent("B"))
			d.has(o, 1, passedEvent("A"), passedEvent("B"))
			o.close(true)
		})
	}
	if left, err := os.ReadDir(elsewhere); len(left) > 0 || err != nil {
		t.Errorf("written behind the link: %v, %v", left, err)
	}
}

// A disk that is full for a while costs what was to be written meanwhile, and one warning.
func TestFullDisk(t *testing.T) {
	d := newDisk(t)
	o := d.open()
	o.add(passedEvent("A"))
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	real := o.files[0]
	o.files[0] = full
	o.add(passedEvent("B"))
	o.add(passedEvent("C"))
	o.files[0] = real
	if err := full.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := real.WriteString("0123abcd {tor"); err != nil { // as a disk does that is full in the middle of a line
		t.Fatal(err)
	}
	o.add(passedEvent("D"))
	d.has(o, 1, passedEvent("A"), passedEvent("B"), passedEvent("C"), passedEvent("D"))
	o.close(false)
	d.has(d.open(), 2, passedEvent("A"), passedEvent("D"))
}

func TestJournalsStopGrowing(t *testing.T) {
	d := newDisk(t)
	o := d.open()
	o.add(passedEvent("A"))
	o.close(false)
	o = d.open()
	if written := len(d.read(d.path("b1", "w"))); o.room != mostJournal-written {
		t.Errorf("room for %d bytes after %d", o.room, written)
	}
	o.room = 200
	o.add(failedEvent("B"))
	o.add(passedEvent("C"))
	d.has(o, 1, passedEvent("A"), failedEvent("B"), passedEvent("C"))
	o.close(false)
	d.has(d.open(), 1, passedEvent("A"))
}

func TestOldJournalsAreSwept(t *testing.T) {
	d := newDisk(t)
	for _, name := range []string{"old", "held", "young"} {
		o := d.openAs("b1", name)
		o.add(passedEvent(name))
		if name != "held" {
			o.close(false)
		}
		if name != "young" {
			long := time.Now().Add(-keptFor - time.Hour)
			if err := os.Chtimes(d.path("b1", name), long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.has(d.open(), 0)
	d.has(d.openAs("b1", "young"), 0, passedEvent("young"))
	d.has(d.openAs("b1", "old"), 0)
	d.read(d.path("b1", "held")) // is still there
}

func TestOutcomesFromManyGoroutines(t *testing.T) {
	d := newDisk(t)
	o := d.open()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				o.add(passedEvent(fmt.Sprintf("%d.%02d", i, j)), failedEvent(fmt.Sprintf("%d.%02d+", i, j)))
				o.all()
			}
		})
	}
	all.Wait()
	noted := o.all()
	if len(noted) != 800 {
		t.Errorf("%d entries, want 800", len(noted))
	}
	o.close(false)
	d.has(d.open(), 0, noted...)
}

// What JSON cannot say is not worth a run.
func TestAnOutcomeThatCannotBeWritten(t *testing.T) {
	d := newDisk(t)
	o := d.open()
	endless := batch.Event{Type: batch.Finish, Test: "A", Outcome: batch.Outcome{Status: batch.Passed, Seconds: math.Inf(1)}}
	o.add(endless, passedEvent("B"))
	d.has(o, 1, endless, passedEvent("B"))
	o.close(false)
	d.has(d.open(), 1, passedEvent("B"))
}

// Whatever a file holds after some whole lines, they are read; and what follows on a line of its own.
func FuzzReadOutcomes(f *testing.F) {
	f.Add([]byte(nil), uint8(0))
	f.Add([]byte("\n\n"), uint8(2))
	f.Add([]byte("00000000 {}"), uint8(1))
	f.Add([]byte("00000000 \n \n00000000"), uint8(3))
	f.Add([]byte(checksum([]byte("null"))+" null\n"), uint8(1))
	f.Add([]byte(checksum([]byte(`{"birth":"b1","type":"finish"}`))+` {"birth":"b1","type":"finish"}`), uint8(1))
	f.Fuzz(func(t *testing.T, rest []byte, whole uint8) {
		var text []byte
		want := []batch.Event{}
		for i := range int(whole % 4) {
			e := failedEvent(fmt.Sprint(i))
			line, err := encodeOutcome("b1", e)
			if err != nil {
				t.Fatal(err)
			}
			text, want = append(text, line...), append(want, e)
		}
		last, err := encodeOutcome("b1", problemEvent())
		if err != nil {
			t.Fatal(err)
		}
		text = slices.Concat(text, rest, []byte("\n"), last)
		got, ignored, err := readOutcomes(iotest.OneByteReader(bytes.NewReader(text)), "b1")
		if err != nil || len(got) <= len(want) {
			t.Fatalf("%d entries, %d lines ignored, %v", len(got), ignored, err)
		}
		if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
			t.Errorf("the whole lines (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(problemEvent(), got[len(got)-1]); diff != "" {
			t.Errorf("the line after (-want +got):\n%s", diff)
		}
		for _, e := range got {
			if e.Type != batch.Finish && e.Type != batch.ProblemFound {
				t.Errorf("an entry of type %q", e.Type)
			}
		}
		if lines := bytes.Count(text, []byte("\n")); len(got)+ignored > lines {
			t.Errorf("%d entries and %d lines ignored of %d lines", len(got), ignored, lines)
		}
	})
}
