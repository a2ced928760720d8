package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// faultTable is the environment variable that makes TestFaultTable run, which takes minutes. `make faults` sets it.
// FAULTS_OUT names a file for the table, from the repository's root; without it, it is printed only.
const faultTable = "SHARDCTL_FAULT_TABLE"

// faultRow is one fault, and what it did.
type faultRow struct {
	fault string
	play  func(r *faultRow, s *stage)

	// For the table. happened, exit and took are play's to fill in; the rest is counted when it returns.
	happened, exit string
	took           time.Duration
	tests          []string
	ran, again     int
	skipped        bool
}

// run starts a controller and workers, named w1 and so on. Its end is awaited by over.
func (r *faultRow) run(s *stage, workers int, tests []string, args ...string) (controller *process, all []*process) {
	r.tests = tests
	r.took = time.Duration(time.Now().UnixNano())
	controller = s.run(tests, args...)
	for i := range workers {
		all = append(all, s.worker("w"+strconv.Itoa(i+1), "--batch-size", "0"))
	}
	return controller, all
}

// over waits for the end of the run, and notes how it came. The workers that are left must have done their duty.
func (r *faultRow) over(s *stage, status int, controller *process, workers ...*process) result {
	s.t.Helper()
	ended := controller.wait()
	r.took = time.Duration(time.Now().UnixNano()) - r.took
	r.exit = strconv.Itoa(ended.status)
	ended.expect(s.t, status)
	for _, w := range workers {
		w.wait().expect(s.t, 0)
	}
	return ended
}

// middle waits until a quarter of the tests has results.
func (r *faultRow) middle(s *stage) {
	s.t.Helper()
	until(s.t, "a quarter of the results", func() bool { return len(s.results()) >= len(r.tests)/4 })
}

// sixty are the tests of the peers' table; a list that lasts for some seconds.
var sixty = number("sleep", 60)

// TestFaultTable does to ours what suites.md tells of the alternatives, with real processes on a real Redis, and prints a table in
// Markdown.
func TestFaultTable(t *testing.T) {
	if os.Getenv(faultTable) == "" {
		t.Skipf("it takes minutes: `make faults`, or set %s=1", faultTable)
	}
	must(t, buildPrograms()) // not in the time of a row
	ofRedis := func(fault string, args []string, do func(s *stage)) faultRow {
		return faultRow{fault: fault, play: func(r *faultRow, s *stage) {
			controller, workers := r.run(s, 2, sixty, args...)
			r.middle(s)
			before := len(s.results())
			do(s)
			ended := r.over(s, 0, controller, workers...)
			r.happened = fmt.Sprintf("after %d results; %s", before, lostWorkers(ended.out))
			r.all(s)
		}}
	}
	rows := []faultRow{
		{fault: "FLUSHALL, and nobody holds the list (`shardctl wait`, lease 2 s)", play: playNobody},
		{fault: "none", play: func(r *faultRow, s *stage) {
			controller, workers := r.run(s, 2, sixty)
			r.happened = lostWorkers(r.over(s, 0, controller, workers...).out)
		}},
		ofRedis("pending list deleted", nil, func(s *stage) { s.do("DEL", s.keys().Queue()) }),
		ofRedis("FLUSHALL", nil, func(s *stage) { s.do("FLUSHALL") }),
		ofRedis("Redis restart, data kept", nil, func(s *stage) { s.server.kill(); s.server.again() }),
		ofRedis("Redis restart, empty", nil, func(s *stage) { s.server.kill(); s.server.again() }),
		ofRedis("results evicted", nil, func(s *stage) { s.do("DEL", s.keys().Results()) }),
		ofRedis("Redis full (OOM) for 5 s", nil, func(s *stage) {
			s.do("CONFIG", "SET", "maxmemory", "1")
			lasts(s, 5*time.Second)
			s.do("CONFIG", "SET", "maxmemory", "0")
		}),
		{fault: "network cut for 10 s, lease 5 s", play: playCut},
		{fault: "kill -9 one of 2 workers", play: func(r *faultRow, s *stage) { playKilled(r, s) }},
		{fault: "the same: the report mentions the lost worker", play: func(r *faultRow, s *stage) {
			r.happened = lostWorkers(playKilled(r, s).out)
		}},
		{fault: "kill -9 one of 2 workers, the other idle", play: playKilledBesideIdle},
		{fault: "SIGSTOP one of 2 workers, lease 2 s", play: playStopped},
		{fault: "poison test, 3 workers, 20 tests", play: playPoison},
		{fault: "the same, but it kills its worker too, `--max-losses 2`", play: playDeadly},
		{fault: "leader dies before the list is pushed, lease 5 s", play: playLeader},
		{fault: "healthy test of 8 s, lease 2 s", play: playLong},
	}
	t.Run("fault", func(t *testing.T) {
		for i := range rows {
			r := &rows[i]
			t.Run(r.fault, func(t *testing.T) {
				t.Parallel()
				var args []string
				if strings.HasSuffix(r.fault, "data kept") {
					args = []string{"--appendonly", "yes", "--appendfsync", "always"}
				}
				s := newStage(t, args...)
				s.cluster = s.in("SLEEP=0.3", "LONG=8")
				defer func() {
					r.skipped = t.Skipped()
					if t.Failed() {
						r.happened = "FAILED: " + r.happened
					}
				}()
				r.play(r, s)
				s.empty()
				r.ran, r.again = len(s.count("ended")), len(s.lines("begun"))
				r.again -= len(s.count("begun"))
			})
		}
	})
	table := markdown(rows)
	fmt.Print(table)
	if out := os.Getenv("FAULTS_OUT"); out != "" {
		if !filepath.IsAbs(out) {
			out = filepath.Join("..", "..", out)
		}
		must(t, os.WriteFile(out, []byte(table), 0o644))
	}
}

func markdown(rows []faultRow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- made by `make faults` on %d CPUs; 60 tests of 0.3 s on 2 workers where it does not say otherwise -->\n\n", runtime.NumCPU())
	b.WriteString("| fault | what happened | ran | exit | time |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		if r.exit == "" && r.happened == "" {
			continue // not played
		}
		ran := fmt.Sprintf("%d of %d", r.ran, len(r.tests))
		if r.again > 0 {
			ran += fmt.Sprintf(", %d of them again", r.again)
		}
		took := fmt.Sprintf("%.1f s", r.took.Seconds())
		if r.skipped || r.exit == "" {
			ran, took = "-", "-"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.fault, strings.ReplaceAll(r.happened, "|", `\|`), ran, r.exit, took)
	}
	return b.String()
}

// lasts lets time pass while a fault is there.
func lasts(s *stage, d time.Duration) {
	s.t.Helper()
	began := time.Now()
	until(s.t, "the end of the fault", func() bool { return time.Since(began) >= d })
}

var (
	lostHead   = regexp.MustCompile(`(?m)^Workers lost: (\d+)$`)
	lostDetail = regexp.MustCompile(`(?m)^  - (w\d)\.\S+ .*? after (.*)\n    (.*)$`)
)

// lostWorkers is what a verdict says of lost workers.
func lostWorkers(verdict string) string {
	head := lostHead.FindStringSubmatch(verdict)
	if head == nil {
		return "no worker lost"
	}
	said := head[1] + " worker(s) lost"
	for _, m := range lostDetail.FindAllStringSubmatch(verdict, -1) {
		said += fmt.Sprintf("; the report says \"%s after %s; %s\"", m[1], m[2], m[3])
	}
	return said
}

// all expects that all tests of a row were executed to their end.
func (r *faultRow) all(s *stage) {
	s.t.Helper()
	s.executed(r.tests...)
	allPassed(s.t, s.report, r.tests...)
}

func playNobody(r *faultRow, s *stage) {
	r.tests = sixty
	shardctl(s.t, s.where("enqueue", "--seal", "--lease", "2s", "--tests", list(s.t, sixty...))...).expect(s.t, 0)
	began := time.Now()
	controller := s.start("shardctl", s.where("wait")...)
	workers := []*process{s.worker("w1", "--batch-size", "0"), s.worker("w2", "--batch-size", "0")}
	r.middle(s)
	s.do("FLUSHALL")
	flushed := time.Now()
	for _, w := range workers {
		w.wait().expect(s.t, 3, "nobody has brought this run back within 8s")
	}
	gone := time.Since(flushed)
	select {
	case <-controller.ended:
	case <-time.After(3 * time.Minute):
	}
	controller.wait().expect(s.t, 3, "INCOMPLETE")
	r.exit, r.took = "3", time.Since(began)
	r.happened = fmt.Sprintf("workers say so and end with 3 after %.0f s, `wait` after %.0f s", gone.Seconds(), time.Since(flushed).Seconds())
}

func playCut(r *faultRow, s *stage) {
	p := newProxy(s.t, s.server.addr)
	behind := (&redisServer{addr: p.addr}).stage(s.t)
	behind.cluster.world = s.world // its folder has the record
	controller, workers := r.run(behind, 2, sixty, "--lease", "5s")
	r.middle(behind)
	p.cut()
	lasts(s, 10*time.Second)
	p.mend()
	r.happened = lostWorkers(r.over(s, 0, controller, workers...).out)
	s.report = behind.report
	r.all(s)
	s.once(sixty...)
}

// beats waits until the controller has seen a worker beat.
func beats(s *stage, name string) {
	s.t.Helper()
	until(s.t, "a beat of "+name, func() bool {
		for id, w := range s.look().Workers {
			if strings.HasPrefix(id, name+".") && w.Beat > 1 {
				return true
			}
		}
		return false
	})
}

// here tells whether a worker is in the run, and how many tests it holds.
func here(s *stage, name string) (tests int, is bool) {
	d := s.look()
	for id := range d.Workers {
		if strings.HasPrefix(id, name+".") {
			return len(d.Sets[id]), true
		}
	}
	return 0, false
}

// playKilled returns what the controller said.
func playKilled(r *faultRow, s *stage) result {
	controller, workers := r.run(s, 2, sixty)
	r.middle(s)
	beats(s, "w2")
	held := 0
	until(s.t, "a batch of w2", func() bool { held, _ = here(s, "w2"); return held > 0 })
	workers[1].signal(syscall.SIGKILL)
	killed := time.Now()
	until(s.t, "the death of w2 to be noticed", func() bool { _, is := here(s, "w2"); return !is })
	took := time.Since(killed)
	ended := r.over(s, 0, controller, workers[0])
	r.happened = fmt.Sprintf("its %d tests are queued again after %.1f s", held, took.Seconds())
	r.all(s)
	soon(s, took)
	return ended
}

// soon checks what is promised for a machine that has nothing else to do, 3 s, generously.
func soon(s *stage, took time.Duration) {
	if took > 6*time.Second {
		s.t.Errorf("it took %v, 3s are promised", took)
	}
}

func playKilledBesideIdle(r *faultRow, s *stage) {
	controller, workers := r.run(s, 2, []string{"sleep1", "hold"})
	s.began(1, "hold")
	victim, other := "w1", workers[1]
	if n, _ := here(s, "w2"); n > 0 {
		victim, other = "w2", workers[0]
	}
	beats(s, victim)
	until(s.t, "the other test", func() bool { return len(s.results()) == 1 })
	workers[victim[1]-'1'].signal(syscall.SIGKILL)
	killed := time.Now()
	s.began(2, "hold")
	took := time.Since(killed)
	s.release()
	r.over(s, 0, controller, other)
	r.happened = fmt.Sprintf("the lost test restarts after %.1f s", took.Seconds())
	r.all(s)
	soon(s, took)
}

func playStopped(r *faultRow, s *stage) {
	controller, workers := r.run(s, 2, sixty, "--lease", "2s")
	r.middle(s)
	workers[1].signal(syscall.SIGSTOP)
	stopped := time.Now()
	controller.says("LOST    worker w2.")
	took := time.Since(stopped)
	workers[1].signal(syscall.SIGCONT)
	workers[1].says("joining anew")
	ended := r.over(s, 0, controller, workers...)
	r.happened = fmt.Sprintf("its tests are queued again after %.1f s, it comes back and joins anew; %s", took.Seconds(), lostWorkers(ended.out))
	r.all(s)
}

// nineteen are tests with one among them that does harm.
func nineteen(at int, harmful string) (tests, others []string) {
	others = number("sleep", 19)
	return slices.Insert(slices.Clone(others), at, harmful), others
}

func playPoison(r *faultRow, s *stage) {
	tests, others := nineteen(7, "poison")
	controller, workers := r.run(s, 3, tests, "--expect-workers", "3")
	ended := r.over(s, 1, controller, workers...)
	ended.expect(s.t, 1, "1 of 20 tests crashed, 19 passed", "1. poison", "SIGKILL")
	r.happened = "named: " + quoted(ended.out, "1. poison") + "; 19 passed; " + lostWorkers(ended.out)
	s.executed(others...)
}

// quoted returns the lines of a verdict from one that begins with a text, as long as they are indented deeper.
func quoted(verdict, from string) string {
	var said []string
	depth := -1
	for line := range strings.Lines(verdict) {
		text := strings.TrimLeft(line, " ")
		indent := len(line) - len(text)
		switch {
		case depth < 0 && strings.HasPrefix(text, from):
			depth = indent
		case depth < 0:
			continue
		case indent <= depth || strings.HasPrefix(text, "|"):
			return strings.Join(said, ", ")
		default:
			said = append(said, strings.TrimSpace(text))
		}
	}
	return strings.Join(said, ", ")
}

func playDeadly(r *faultRow, s *stage) {
	tests, others := nineteen(14, "deadly") // by then every worker has finished a test, and may accuse
	controller, workers := r.run(s, 3, tests, "--expect-workers", "3", "--max-losses", "2")
	ended := r.over(s, 3, controller)
	for _, w := range workers {
		w.wait()
	}
	ended.expect(s.t, 3, "1. deadly", "19 passed")
	r.happened = "named: " + quoted(ended.out, "1. deadly") + "; 19 passed; " + lostWorkers(ended.out)
	s.executed(others...)
}

// playLeader kills the elected leader while it lists the tests.
func playLeader(r *faultRow, s *stage) {
	if help := s.world.run("shardworker", "--help"); !strings.Contains(help.out+help.err, "--elect") {
		r.happened = "not played: this shardworker has no --elect"
		s.t.Skip(r.happened)
	}
	r.tests = sixty
	tests := list(s.t, sixty...)
	listing := fmt.Sprintf("mkdir '%s' 2>/dev/null && { echo $PPID >'%s'; exec sleep 1000; }; cat '%s'", s.file("first"), s.file("leader"), tests)
	began := time.Now()
	worker := func(name string) *process {
		args := s.where("--name="+name, "--elect", "--lease", "5s", "--list-command", listing, "--junit", s.file(name+".xml"))
		return s.start("shardworker", with(s.template(), args...)...)
	}
	workers := map[string]*process{"w1": worker("w1"), "w2": worker("w2"), "w3": worker("w3")}
	s.appears("leader")
	leader := ""
	for name, w := range workers {
		if strconv.Itoa(w.cmd.Process.Pid) == s.lines("leader")[0] {
			leader = name
		}
	}
	if leader == "" {
		s.t.Fatal("nobody leads")
	}
	workers[leader].signal(syscall.SIGKILL)
	killed := time.Now()
	attach(s.t, s.rdb, "r")
	until(s.t, "the list", func() bool { return len(s.look().Tests) == 60 })
	took := time.Since(killed)
	delete(workers, leader)
	r.exit = "0"
	for name, w := range workers {
		w.wait().expect(s.t, 0)
		if _, err := os.Stat(s.file(name + ".xml")); err == nil {
			allPassed(s.t, s.file(name+".xml"), sixty...)
		}
	}
	r.took = time.Since(began)
	r.happened = fmt.Sprintf("another worker leads, and has pushed the list after %.1f s", took.Seconds())
	s.executed(sixty...)
	for _, pid := range s.processes() { // the listing of the leader that died
		if parent(pid) == 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func playLong(r *faultRow, s *stage) {
	tests := append([]string{"long"}, number("sleep", 10)...)
	controller, workers := r.run(s, 2, tests, "--lease", "2s")
	ended := r.over(s, 0, controller, workers...)
	r.happened = "runs once; " + lostWorkers(ended.out)
	s.once(tests...)
	r.all(s)
	if strings.Contains(ended.out, "LOST") {
		s.t.Error("a worker was presumed dead")
	}
}
