package main

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
)

// candidates are workers of a stage that take part in the election, by name: w1, w2, …
type candidates map[string]*process

func (s *stage) elect(n int, tests []string, flags ...string) candidates {
	s.t.Helper()
	all := candidates{}
	for i := range n {
		name := fmt.Sprint("w", i+1)
		all[name] = s.candidate(name, tests, flags...)
	}
	return all
}

func (s *stage) candidate(name string, tests []string, flags ...string) *process {
	s.t.Helper()
	return s.startWorker(name, append([]string{"--elect", "--lease", "2s", "--tests", list(s.t, tests...)}, flags...)...)
}

// kill kills one as SIGKILL does.
func (c candidates) kill(name string) {
	c[name].signal(syscall.SIGKILL)
	c[name].wait()
	delete(c, name)
}

// other returns one that is not among those.
func (c candidates) other(names ...string) string {
	for name := range c {
		if !slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// green expects that all that are left tell the same verdict.
func (c candidates) green(t *testing.T, tests int) {
	t.Helper()
	for _, p := range c {
		p.wait().expect(t, 0, fmt.Sprintf("PASSED: all %d tests passed", tests))
	}
}

// each has each of n workers run one test to its end, and begin another.
func (s *stage) each(n int) (ended []string) {
	s.t.Helper()
	tests := number("hold", 2*n)
	s.began(1, tests[:n]...)
	s.release(tests[:n]...)
	s.began(1, tests[n:]...)
	until(s.t, "the results", func() bool { return len(s.results()) == n })
	return tests[:n]
}

// Redis loses everything under workers that elect their leader. The leader goes on, and knows also what workers that are gone had
// finished. If it dies just then, another brings the run back with what the workers know. Who comes meanwhile takes part in the same run.
func TestElectionDataLoss(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		leaderDies, stranger bool
		lose                 func(s *stage)
	}{
		"the leader lives":         {lose: func(s *stage) { s.do("FLUSHALL") }},
		"the leader dies":          {lose: func(s *stage) { s.do("FLUSHALL") }, leaderDies: true},
		"Redis is restarted empty": {lose: func(s *stage) { s.server.kill(); s.server.again() }},
		"another comes":            {lose: func(s *stage) { s.do("FLUSHALL") }, leaderDies: true, stranger: true},
		"Redis is restarted empty, the leader dies, another comes": {
			lose: func(s *stage) { s.server.kill(); s.server.again() }, leaderDies: true, stranger: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			tests := append(number("hold", 8), number("late", 4)...)
			workers := s.elect(4, tests)
			leader := s.leader()
			ended := s.each(4)
			workers.kill(workers.other(leader))
			birth := s.look().Run["birth"]
			if test.leaderDies {
				workers[leader].signal(syscall.SIGSTOP)
			}
			test.lose(s)
			if test.leaderDies {
				workers.kill(leader)
			}
			if test.stranger {
				until(t, "who is left to notice", func() bool { return s.look().Run["birth"] != "" })
				workers["stranger"] = s.candidate("stranger", tests)
			}
			s.release()
			workers.green(t, len(tests))
			s.executed(tests...)
			if !test.leaderDies {
				s.once(ended...)
			}
			if now := s.look().Run["birth"]; now != birth {
				t.Errorf("it is another run: birth %q, was %q", now, birth)
			}
			s.dump()
			s.settled()
		})
	}
}

// What a leader knew it still knows when it leads again: nobody else is left who does.
func TestElectionDataLossUnderAFormerLeader(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	tests := append(number("hold", 6), number("late", 4)...)
	workers := s.elect(3, tests)
	first := s.leader()
	ended := s.each(3)
	workers[first].signal(syscall.SIGSTOP)
	s.leader(first)
	workers[first].signal(syscall.SIGCONT)
	workers.kill(workers.other(first))
	workers.kill(workers.other(first))
	s.do("FLUSHALL")
	s.release()
	workers.green(t, len(tests))
	s.executed(tests...)
	s.once(ended...)
	s.settled()
}
