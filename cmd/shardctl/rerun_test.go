package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/junit"
)

// ciRun is a CI run with several attempts, on GitHub's variables.
type ciRun struct {
	t       *testing.T
	rdb     *redis.Client
	dir     string
	attempt int
	tests   []string
	// template that all attempts have in common; what fails is in a file.
	template []string
}

func newCIRun(t *testing.T, tests ...string) *ciRun {
	c := &ciRun{t: t, rdb: batchtest.Embedded(t), dir: t.TempDir(), tests: tests}
	c.template = fake(t, "-log", filepath.Join(c.dir, "log"), "-failing", filepath.Join(c.dir, "failing"), "-junit", "{junit}", "-stdin")
	c.fails()
	return c
}

// fails says which tests fail from now on.
func (c *ciRun) fails(tests ...string) {
	c.t.Helper()
	write(c.t, c.dir, "failing", strings.Join(tests, "\n"))
}

func (c *ciRun) id(attempt int) string { return fmt.Sprintf("github/o/r/7/%d", attempt) }

// next makes the next attempt, and returns which tests were executed in it.
func (c *ciRun) next(args ...string) (result, []string) {
	c.t.Helper()
	c.attempt++
	_ = os.Remove(filepath.Join(c.dir, "log"))
	env := map[string]string{
		"GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": fmt.Sprint(c.attempt),
		"SHARD_REDIS_URL": "redis://" + c.rdb.Options().Addr,
	}
	r := call{env: env}.run(c.t, with(c.template, append([]string{"run", "--workers", "1", "--junit", c.report(), "--tests", list(c.t, c.tests...)}, args...)...)...)
	text, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	executed := strings.Fields(strings.ReplaceAll(string(text), `"`, ""))
	slices.Sort(executed)
	return r, executed
}

func (c *ciRun) report() string { return filepath.Join(c.dir, "junit.xml") }

// Attempt 2 runs what attempt 1 did not see pass; the other results hold, are in the reports and marked there; and attempt 3, which has no
// results of attempt 2, starts from attempt 1.
func TestRerunFailed(t *testing.T) {
	t.Parallel()
	c := newCIRun(t, "a", "b", "c", "d")
	c.fails("b", "c")
	r, executed := c.next("--rerun", "failed")
	r.expect(t, 1, "this is the first attempt")
	equal(t, c.tests, executed)
	c.fails("c")
	r, executed = c.next("--rerun", "failed")
	r.expect(t, 1, "2 of 4 results of the former attempt hold; tests that run: 2", "From a former attempt, run github/o/r/7/1: 2 results", "1 of 4 tests failed")
	equal(t, []string{"b", "c"}, executed)
	equal(t, map[string]junit.Status{"fake::a": "passed", "fake::b": "passed", "fake::c": "failed", "fake::d": "passed"}, statuses(t, c.report()))
	text, err := os.ReadFile(c.report())
	must(t, err)
	if n := strings.Count(string(text), "holds from a former attempt, run github/o/r/7/1"); n != 2 {
		t.Errorf("%d cases are marked:\n%s", n, text)
	}
	c.attempt++ // attempt 3 broke before it began
	c.fails()
	r, executed = c.next("--rerun", "failed")
	r.expect(t, 0, "run github/o/r/7/1: 2 results", "run github/o/r/7/2: 1 result", "all 4 tests passed")
	equal(t, []string{"c"}, executed)
	allPassed(t, c.report(), c.tests...)

	r, executed = c.next("--rerun", "failed")
	r.expect(t, 0, "all tests run, as none failed")
	equal(t, c.tests, executed)
	r, executed = c.next()
	r.expect(t, 0)
	equal(t, c.tests, executed)
}

// Where a former attempt proves nothing, all tests run.
func TestRerunFailedOfWhatProvesNothing(t *testing.T) {
	t.Parallel()
	keys, err := batch.NewKeys("github/o/r/7/1")
	must(t, err)
	for name, test := range map[string]struct {
		between func(*ciRun)
		says    string
	}{
		"expired":               {func(c *ciRun) { c.rdb.FlushAll(t.Context()) }, "Redis holds no former attempt any more"},
		"another list":          {func(c *ciRun) { c.tests = append(c.tests, "d") }, "another list"},
		"a list that lost some": {func(c *ciRun) { c.rdb.HDel(t.Context(), keys.Tests(), "a") }, "Redis lost data"},
		"no journal":            {func(c *ciRun) { c.rdb.Del(t.Context(), keys.Events()) }, "0 of 3 results of the former attempt hold"},
		"no results":            {func(c *ciRun) { c.rdb.Del(t.Context(), keys.Results()) }, "0 of 3 results of the former attempt hold"},
		"another version":       {func(c *ciRun) { c.rdb.HSet(t.Context(), keys.Run(), "schema", "1") }, "another version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCIRun(t, "a", "b", "c")
			c.fails("b")
			r, _ := c.next()
			r.expect(t, 1)
			test.between(c)
			r, executed := c.next("--rerun", "failed")
			r.expect(t, 1, test.says)
			equal(t, c.tests, executed)
		})
	}
}

// Something that went wrong outside the tests is not forgotten because each test passed by itself.
func TestRerunFailedAfterProblem(t *testing.T) {
	t.Parallel()
	c := newCIRun(t, "a", "b")
	c.template = append(c.template, "-mode", "stranger")
	r, _ := c.next()
	r.expect(t, 1, "the database is still there")
	r, executed := c.next("--rerun", "failed")
	r.expect(t, 1, "something went wrong outside the tests", "the database is still there")
	equal(t, c.tests, executed)
}

// What is left of an attempt in Redis under the id of the next one makes no green run.
func TestAttemptsOverForeignData(t *testing.T) {
	t.Parallel()
	c := newCIRun(t, "a", "b")
	keys, err := batch.NewKeys(c.id(1))
	must(t, err)
	for name, before := range map[string]func(){
		"an empty list and the done marker": func() {
			must(t, c.rdb.SAdd(t.Context(), keys.Control(), "sealed", "done").Err())
		},
		"results without a run": func() {
			must(t, c.rdb.HSet(t.Context(), keys.Results(), "a", "passed", "b", "passed").Err())
		},
	} {
		must(t, c.rdb.FlushAll(t.Context()).Err())
		before()
		c.attempt = 0
		r, executed := c.next()
		if r.status != 0 || !slices.Equal(executed, c.tests) {
			t.Errorf("%s: exit status %d, executed %q:\n%s%s", name, r.status, executed, r.out, r.err)
		}
	}
	shardctl(t, "wait", "--redis-url", "redis://"+c.rdb.Options().Addr, "--run-id", c.id(2), "--wait", "50ms").expect(t, 3)
	c.attempt = 0
	r, executed := c.next() // the id of an attempt that is over
	r.expect(t, 2, "is over")
	equal(t, []string{}, executed)
	c.attempt = 0
	r, _ = c.next("--rerun", "failed", "--rerun-of", c.id(1))
	r.expect(t, 2, "is this run itself")
	r, _ = c.next("--rerun-of", c.id(1))
	r.expect(t, 2, "--rerun-of is for --rerun failed")
}

// TestRerunSimulation makes random attempts on tests that fail at random, over a Redis that loses what it likes in between. An attempt
// is green only if each test passed in it, or in the attempts that it started from; and it runs all others.
func TestRerunSimulation(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCIRun(t, number("t", 6)...)
	passedIn := map[int]map[string]bool{} // what holds by each attempt
	for range 25 {
		var failing []string
		for _, test := range c.tests {
			if random.IntN(4) == 0 {
				failing = append(failing, test)
			}
		}
		c.fails(failing...)
		var args []string
		former := -1
		if random.IntN(4) > 0 {
			args = []string{"--rerun", "failed"}
			for i := c.attempt; i > 0; i-- {
				if passedIn[i] != nil {
					former = i
					break
				}
			}
		}
		r, executed := c.next(args...)
		hold := map[string]bool{}
		if former > 0 && len(passedIn[former]) < len(c.tests) {
			for test := range passedIn[former] {
				hold[test] = true
			}
		}
		passed := map[string]bool{}
		for _, test := range c.tests {
			if hold[test] == slices.Contains(executed, test) {
				t.Errorf("seed %d, attempt %d from %d: %s held: %v, executed: %q", seed, c.attempt, former, test, hold[test], executed)
			}
			passed[test] = hold[test] || !slices.Contains(failing, test)
			if !passed[test] {
				delete(passed, test)
			}
		}
		if green := len(passed) == len(c.tests); green != (r.status == 0) || r.status > 1 {
			t.Errorf("seed %d, attempt %d: exit status %d, passed %d of %d:\n%s%s", seed, c.attempt, r.status, len(passed), len(c.tests), r.out, r.err)
		}
		passedIn[c.attempt] = passed
		keys, err := batch.NewKeys(c.id(c.attempt))
		must(t, err)
		switch random.IntN(6) {
		case 0: // it expires
			must(t, c.rdb.FlushAll(t.Context()).Err())
			clear(passedIn)
		case 1: // a part of it is evicted
			must(t, c.rdb.Del(t.Context(), keys.Events()).Err())
			passedIn[c.attempt] = map[string]bool{}
		}
	}
}
