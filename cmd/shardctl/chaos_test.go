package main

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"

	"github.com/shardctl/shardctl/junit"
)

var (
	chaosRuns = flag.Int("chaos-runs", 2, "how many runs under random faults; `make chaos` sets it")
	chaosSeed = flag.Uint64("chaos-seed", 1, "the seed of the first of them; which faults come at what time is up to it, what they hit is not")
)

const (
	chaosTests = 2500
	// chaosBad of them fail, whenever they run; chaosSleep take chaosNap, so that something is always under way.
	chaosBad, chaosSleep, chaosNap = 7, 150, "0.05"
	chaosWorkers                   = 4
	chaosLease                     = time.Second
	// chaosWindow is how long faults happen. What they left undone ends by itself.
	chaosWindow = 4 * time.Second
	// controllerName is the name of the job that is no worker.
	controllerName = "controller"
)

// chaosTotals are the figures of several runs.
type chaosTotals struct {
	mu                                                   sync.Mutex
	runs, lost, invented, duplicated, reexecuted, gaveUp int
	faults                                               map[string]int
}

// TestChaos runs 2,500 tests on four workers while random faults hit workers, controller, network and Redis. No run may lose a test,
// invent or double a result, or take a failed test for passed.
func TestChaos(t *testing.T) {
	t.Parallel()
	began := time.Now()
	totals := chaosTotals{faults: map[string]int{}}
	t.Run("run", func(t *testing.T) {
		for i := range uint64(*chaosRuns) {
			seed := *chaosSeed + i
			t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
				t.Parallel()
				newChaos(t, seed).play(&totals)
			})
		}
	})
	fmt.Printf("chaos: %d runs of %d tests under %s: lost %d, invented %d, duplicated %d, re-executed %d, given up by %d processes, in %v\n", totals.runs, chaosTests,
		tally(totals.faults), totals.lost, totals.invented, totals.duplicated, totals.reexecuted, totals.gaveUp, time.Since(began).Round(time.Second))
}

// tally is a number of faults with their kinds.
func tally(faults map[string]int) string {
	var kinds []string
	sum := 0
	for _, kind := range slices.Sorted(maps.Keys(faults)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, faults[kind]))
		sum += faults[kind]
	}
	return fmt.Sprintf("%d faults (%s)", sum, strings.Join(kinds, ", "))
}

// chaos is one run, and what does harm to it. Everything in it happens in the test's goroutine.
type chaos struct {
	*stage          // its Redis is what processes see, behind the proxy
	seed     uint64 // of random
	random   *rand.Rand
	elect    bool // the workers elect their leader, and there is no controller
	strange  bool // a worker that is started again has another name: it comes from another machine
	tests    []string
	began    time.Time
	quiet    bool // no fault happens any more: somebody knows how the run ended
	proxy    *toxiproxy.Proxy
	master   *redisServer
	replica  *redisServer
	jobs     []*job // the workers, and the controller if there is one
	schedule []appointment
	faults   map[string]int
	gaveUp   int // processes that ended by themselves and were needed
	log      strings.Builder
}

// appointment is something to be done at a time.
type appointment struct {
	at time.Time
	do func()
}

// job is a process that is started again when it has been killed, or has given up, until it ends with what it is for.
type job struct {
	name  string // of the present incarnation
	start func() *process
	*process
	lives []*process
	again time.Time // when to start the next one, if the last one ended
	// ended says whether a process that ended by itself did what it is for.
	ended func(r result) bool
	done  *result
	junit string // "" for workers that have no verdict
}

func newChaos(t *testing.T, seed uint64) *chaos {
	t.Helper()
	c := &chaos{seed: seed, random: rand.New(rand.NewPCG(seed, 0)), faults: map[string]int{}}
	c.elect, c.strange = seed%3 == 0, seed%2 == 0
	c.master, c.replica = newChaosServer(t), newChaosServer(t)
	c.proxy = newToxiproxy(t, c.master.addr)
	c.stage = (&redisServer{t: t, addr: c.proxy.Listen}).stage(t)
	c.cluster = c.in("SLEEP=" + chaosNap)
	c.follow()
	c.tests = slices.Concat(number("bad", chaosBad), number("sleep", chaosSleep), number("test", chaosTests-chaosBad-chaosSleep))
	c.random.Shuffle(len(c.tests), func(i, j int) { c.tests[i], c.tests[j] = c.tests[j], c.tests[i] })
	return c
}

// newChaosServer starts a Redis that writes down everything before it answers.
func newChaosServer(t *testing.T) *redisServer {
	t.Helper()
	return newServer(t, "--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0")
}

// play plays the run through and checks how it ended.
func (c *chaos) play(totals *chaosTotals) {
	must(c.t, buildPrograms())
	c.began = time.Now()
	c.employ(list(c.t, c.tests...))
	c.every(100, 300, 4, c.killWorker)
	c.every(500, 1500, 1, c.stopWorker)
	c.next()
	defer func() {
		c.t.Logf("seed %d, faults:\n%s", c.seed, &c.log)
		if c.t.Failed() {
			for _, j := range c.jobs {
				for _, p := range j.lives[max(0, len(j.lives)-3):] {
					c.t.Logf("%s, process %d, %v:\n%s%s", j.name, p.cmd.Process.Pid, p.cmd.ProcessState, tail(p.out.String()), tail(p.err.String()))
				}
			}
		}
	}()
	for deadline := c.began.Add(chaosWindow + 2*patience); !c.over(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatal("the run does not end")
		}
		c.keepAppointments()
		c.keepJobs()
	}
	c.empty()
	c.check(totals)
}

// over: all faults have passed, and everybody has ended who has a verdict to tell. Workers have none if there is a controller.
func (c *chaos) over() bool {
	return len(c.schedule) == 0 && !slices.ContainsFunc(c.jobs, func(j *job) bool {
		return j.done == nil && (j.junit != "" || j.process != nil)
	})
}

// employ starts all processes.
func (c *chaos) employ(tests string) {
	batchSize := fmt.Sprint(5 + c.random.IntN(20))
	// A test that was under way when its worker died is charged; no test shall be given up for that.
	budgets := []string{"--lease", chaosLease.String(), "--max-losses", "1000", "--tests", tests}
	if !c.elect {
		report := c.file("run.xml")
		c.hire(&job{
			name: controllerName, junit: report,
			start: func() *process {
				return c.stage.start("shardctl", c.where("run", append([]string{"--workers", "0", "--junit", report}, budgets...)...)...)
			},
		}).ended = c.controllerEnded
	}
	for i := range chaosWorkers {
		j := &job{name: fmt.Sprint("w", i+1)}
		args := []string{"--batch-size", batchSize}
		if c.elect {
			j.junit = c.file(j.name + ".xml")
			args = append(append(args, "--elect", "--junit", j.junit), budgets...)
		}
		machine := j.name
		j.start = func() *process {
			if c.strange {
				j.name = fmt.Sprintf("%s-%d", machine, len(j.lives)+1)
			}
			return c.startWorker(j.name, args...)
		}
		j.ended = func(r result) bool { return r.status == 0 && c.finished() || c.elect && r.status == 1 }
		c.hire(j)
	}
}

func (c *chaos) hire(j *job) *job {
	j.process = j.start()
	j.lives = append(j.lives, j.process)
	c.jobs = append(c.jobs, j)
	return j
}

// finished: the controller has told the verdict, so its workers are free to go.
func (c *chaos) finished() bool { return !c.elect && c.jobs[0].done != nil }

// controllerEnded: one that never saw the run has told nothing. If one was killed between the end of the run and its own, the
// verdict is there for whoever asks.
func (c *chaos) controllerEnded(r result) bool {
	controller := c.jobs[0]
	if r.status == 2 && strings.Contains(r.err, `run "r" is over`) {
		c.note("the run is over: asking for its verdict")
		controller.start = func() *process { return c.stage.start("shardctl", c.where("wait", "--junit", controller.junit)...) }
		return false
	}
	return r.status != 3 || strings.Contains(r.out, "run r:")
}

// keepJobs starts again who has ended.
func (c *chaos) keepJobs() {
	for _, j := range c.jobs {
		switch {
		case j.done != nil:
		case j.process != nil:
			select {
			case <-j.process.ended:
			default:
				continue
			}
			r := j.wait()
			j.process, j.again = nil, time.Now().Add(c.between(0, 300))
			if r.status < 128 {
				c.note("%s has ended with status %d", j.name, r.status)
				if r.status > 1 {
					c.gaveUp++
					c.note("it said:\n%s%s", tail(r.out), tail(r.err))
				}
				c.quiet = c.quiet || r.status <= 1
				if j.ended(r) {
					j.done = &r
				}
			}
		case time.Now().After(j.again) && !(c.finished() && j != c.jobs[0]):
			j.process = j.start()
			j.lives = append(j.lives, j.process)
		}
	}
}

// keepAppointments does what it is time for.
func (c *chaos) keepAppointments() {
	for len(c.schedule) > 0 && !time.Now().Before(c.schedule[0].at) {
		do := c.schedule[0].do
		c.schedule = c.schedule[1:]
		do()
	}
}

func (c *chaos) later(d time.Duration, do func()) {
	c.schedule = append(c.schedule, appointment{time.Now().Add(d), do})
	slices.SortStableFunc(c.schedule, func(a, b appointment) int { return a.at.Compare(b.at) })
}

// between is a random time of so many milliseconds.
func (c *chaos) between(low, high int) time.Duration {
	return time.Duration(low+c.random.IntN(high-low)) * time.Millisecond
}

func (c *chaos) calm() bool { return c.quiet || time.Since(c.began) > chaosWindow }

// every lets something happen again and again while there are faults; slower times as seldom where workers lead.
func (c *chaos) every(low, high, slower int, do func()) {
	if c.elect {
		low, high = slower*low, slower*high
	}
	c.later(c.between(low, high), func() {
		if !c.calm() {
			do()
			c.every(low, high, 1, do)
		}
	})
}

// note adds a line to the log.
func (c *chaos) note(format string, args ...any) {
	fmt.Fprintf(&c.log, "%7.3f %s\n", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// count counts a fault, and notes it.
func (c *chaos) counted(kind, format string, args ...any) {
	c.faults[kind]++
	c.note(kind+": "+format, args...)
}

// check compares the verdict, the reports and the runner's own record with the list, and prints what it found.
func (c *chaos) check(totals *chaosTotals) {
	lost, invented, duplicated := map[string]bool{}, 0, 0
	for _, j := range c.jobs {
		if j.junit == "" {
			continue
		}
		j.done.expect(c.t, 1, fmt.Sprintf("FAILED: %d of %d tests failed, %d passed", chaosBad, chaosTests, chaosTests-chaosBad))
		cases := casesOf(c.t, j.junit)
		for _, test := range c.tests {
			want := junit.Passed
			if strings.HasPrefix(test, "bad") {
				want = junit.Failed
			}
			got := cases["fake::"+test]
			delete(cases, "fake::"+test)
			switch {
			case len(got) == 0:
				lost[test] = true
			case slices.ContainsFunc(got, func(s junit.Status) bool { return s != want }):
				c.t.Errorf("%s: %s is %v, want %v", filepath.Base(j.junit), test, got, want)
			}
			duplicated += max(0, len(got)-1)
		}
		for stranger := range cases {
			c.t.Errorf("%s: nobody asked for %s", filepath.Base(j.junit), stranger)
			invented++
		}
	}
	begun, ended := c.stage.count("begun"), c.stage.count("ended")
	reexecuted := 0
	for _, test := range c.tests {
		if ended[test] == 0 {
			lost[test] = true
		}
		reexecuted += begun[test] - 1
		delete(begun, test)
	}
	if len(lost)+duplicated+len(begun) > 0 {
		c.t.Errorf("lost %q, duplicated %d, executed and not in the list %q", slices.Sorted(maps.Keys(lost)), duplicated, slices.Sorted(maps.Keys(begun)))
	}
	mode := "controller"
	if c.elect {
		mode = "election"
	}
	fmt.Printf("chaos: seed %d, %s: %s: lost %d, invented %d, duplicated %d, re-executed %d, given up by %d processes, in %.1f s\n",
		c.seed, mode, tally(c.faults), len(lost), invented, duplicated, reexecuted, c.gaveUp, time.Since(c.began).Seconds())
	totals.mu.Lock()
	defer totals.mu.Unlock()
	totals.runs++
	totals.lost += len(lost)
	totals.invented += invented
	totals.duplicated += duplicated
	totals.reexecuted += reexecuted
	totals.gaveUp += c.gaveUp
	for kind, n := range c.faults {
		totals.faults[kind] += n
	}
}

// casesOf are the statuses of each case of a JUnit file.
func casesOf(t *testing.T, file string) map[string][]junit.Status {
	t.Helper()
	report, err := junit.ReadFile(file)
	must(t, err)
	cases := map[string][]junit.Status{}
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			name := c.Classname + "::" + c.Name
			cases[name] = append(cases[name], c.Status)
		}
	}
	return cases
}

// tail is the end of what a process said.
func tail(text string) string {
	const most = 6000
	return text[max(0, len(text)-most):]
}
