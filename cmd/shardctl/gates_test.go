package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/junit"
)

// in is the cluster for processes with more in their environment.
func (c *cluster) in(env ...string) *cluster {
	w, other := *c.world, *c
	w.env = append(slices.Clone(w.env), env...)
	other.world = &w
	return &other
}

// numbered starts a worker that runs the text of gates, which know it by its number: worker 2 is called w2.
func (c *cluster) numbered(number int, args ...string) *process {
	c.t.Helper()
	return c.worker("w"+strconv.Itoa(number), append([]string{"--index", strconv.Itoa(number), "--allow-gate-text"}, args...)...)
}

// only is a gate for the worker of a number.
func only(number int) string { return fmt.Sprintf("test $SHARD_WORKER_INDEX = %d", number) }

// file is the path of a file in the cluster's folder, which need not exist.
func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

// lines are those of a file, none if it does not exist.
func (c *cluster) lines(name string) []string {
	c.t.Helper()
	text, err := os.ReadFile(c.file(name))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// appears waits for a file in the cluster's folder.
func (c *cluster) appears(name string) {
	c.t.Helper()
	until(c.t, "the file "+name, func() bool { return len(c.lines(name)) > 0 })
}

// dump reads what Redis holds of the run.
func (c *cluster) dump() batchtest.Dump {
	c.t.Helper()
	keys, err := batch.NewKeys("r")
	must(c.t, err)
	d, err := batchtest.Read(c.t.Context(), c.rdb, keys)
	must(c.t, err)
	must(c.t, d.Check())
	return d
}

// claims returns the tests of each batch of a worker (its name), in the order of its claims.
func (c *cluster) claims(name string) (batches [][]string) {
	c.t.Helper()
	events, err := attach(c.t, c.rdb, "r").Events(c.t.Context(), batch.JournalStart, 10000, -1)
	must(c.t, err)
	for _, e := range events {
		if e.Type == batch.Claimed && strings.HasPrefix(e.Worker, name+".") {
			batches = append(batches, slices.Sorted(slices.Values(e.Tests)))
		}
	}
	return batches
}

// uncharged expects that each test was claimed once, but for those that went back, and never failed.
func (c *cluster) uncharged(tests ...string) {
	c.t.Helper()
	d := c.dump()
	for _, id := range tests {
		if tries := d.Tries[id]; tries.Claims != 1 || tries.Crashes+tries.Losses+tries.Failures > 0 {
			c.t.Errorf("%s was charged: %+v", id, tries)
		}
	}
}

// behind returns how many tests wait behind each gate.
func (s statusJSON) behind() map[string]int {
	waiting := map[string]int{}
	for _, g := range s.Gates {
		waiting[g.Gate] = g.Queued + g.Requeued
	}
	return waiting
}

// TestOneWorkerQualifies: three workers, of which one may run the gated tests. It runs all of them at once, and the others
// touch them no more than they have to. Meanwhile status tells who may.
func TestOneWorkerQualifies(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	gated, free := number("gpu", 12), number("block", 3)
	gate := fmt.Sprintf(`echo $SHARD_WORKER_INDEX >>'%s'; echo "it is $((40+2))"; %s || exit 1; until [ -e '%s' ]; do sleep 0.01; done`,
		c.file("asked"), only(3), c.file("go"))
	controller := c.start("shardctl", c.where("run", "--expect-workers", "3", "--gate", "gpu*="+gate, "--tests", list(t, append(free, gated...)...), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	workers := []*process{c.numbered(1), c.numbered(2), c.numbered(3)}
	workers[0].says("no, its tests are left to other workers: exit status 1")
	workers[1].says("no, its tests are left to other workers: exit status 1")
	c.barrier.blocked(t, 2) // of those two
	until(t, "the gate on worker 3", func() bool { return len(c.lines("asked")) == 3 })
	g := c.status().Gates
	if len(g) != 1 || g[0].Gate != gate || g[0].Queued != 11 || len(g[0].Passed) != 0 || len(g[0].Refused) != 2 || len(g[0].NotAsked) != 1 {
		t.Errorf("gates %+v", g)
	}
	shardctl(t, c.where("status")...).expect(t, 0, "behind gates: 11, held by workers: 3", `gate "echo $SHARD_WORKER_INDEX`,
		"queued: 11, to run alone: 0; refused: w1.", ", w2.", "; not asked yet: w3.")

	write(t, c.dir, "go", "")
	c.barrier.blocked(t, 3) // worker 3 has run what is behind the gate, and does its share of the rest
	until(t, "the results of all gated tests", func() bool { return c.status().Results == len(gated) })
	shardctl(t, c.where("status")...).expect(t, 0, "behind gates: 0, held by workers: 3", "; qualify: w3.", "; refused: w1.")
	if s := c.status(); len(s.Gates) != 1 || len(s.Gates[0].Passed) != 1 || len(s.Gates[0].NotAsked) != 0 {
		t.Errorf("status %+v", s)
	}
	c.barrier.open(t)
	controller.wait().expect(t, 0, "all 15 tests passed", "gate    w1.", "gate    w2.", " may not run what is behind gate ")
	allPassed(t, c.report, append(gated, free...)...)
	for i, w := range workers {
		log := w.wait().expect(t, 0).err
		if strings.Count(log, "it is 42") != 1 || !strings.Contains(log, "output=it is 42") {
			t.Errorf("worker %d does not log the output of the gate once:\n%s", i+1, log)
		}
	}
	equal(t, []string{"1", "2", "3"}, slices.Sorted(slices.Values(c.lines("asked"))))
	for _, refused := range []string{"w1", "w2"} { // one test to ask with, and one that anybody may run
		if got := c.claims(refused); len(got) != 2 || len(got[0]) != 1 || len(got[1]) != 1 || !slices.Contains(gated, got[0][0]) || !slices.Contains(free, got[1][0]) {
			t.Errorf("%s claimed %q", refused, got)
		}
	}
	if got := c.claims("w3"); len(got) != 3 || len(got[0]) != 1 || len(got[1]) != 11 || len(got[2]) != 1 {
		t.Errorf("w3 claimed %q", got)
	}
	c.uncharged(append(gated, free...)...)
	c.settled()
	c.empty()
}

// TestNobodyQualifies: the run ends, says what is missing and who was asked, and all that could run has run.
func TestNobodyQualifies(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	controller := c.start("shardctl", c.where("run", "--gate-grace", "1s", "--expect-workers", "2", "--junit", c.report,
		"--gate", "gpu*=exit 9", "--tests", list(t, "a", "b", "c", "gpu1", "gpu2"))...)
	attach(t, c.rdb, "r")
	w1, w2 := c.numbered(1), c.numbered(2)
	r := controller.wait().expect(t, 3, "INCOMPLETE", `2 tests are behind gate "exit 9", for which no live worker qualified: refused by w1.`,
		", w2.", "(exit status 9)", "1. gpu1", "2. gpu2", "start a worker that passes", "3 passed")
	if strings.Contains(r.out, "flaky") {
		t.Error(r.out)
	}
	w1.wait().expect(t, 0, "the run is over")
	w2.wait().expect(t, 0, "the run is over")
	c.unroutable("exit 9", []string{"a", "b", "c"}, "gpu1", "gpu2")
	if d := c.dump(); d.Results["gpu1"] != "unroutable" || d.Tries["gpu1"].Claims+d.Tries["gpu1"].Failures > 0 {
		t.Errorf("%q, %+v", d.Results, d.Tries)
	}
	c.settled()
	c.empty()
}

// unroutable expects a JUnit report in which exactly these tests passed and those are errors that tell of refusals, beside the
// error of the run, which names the gate.
func (c *cluster) unroutable(gate string, passed []string, tests ...string) {
	c.t.Helper()
	want := map[string]junit.Status{}
	for _, test := range passed {
		want["fake::"+test] = junit.Passed
	}
	for _, test := range tests {
		want["r::"+test] = junit.Errored
	}
	got := statuses(c.t, c.report)
	named := false
	maps.DeleteFunc(got, func(name string, status junit.Status) bool {
		incomplete := status == junit.Errored && strings.HasPrefix(name, "r::[incomplete] ") && strings.Contains(name, gate)
		named = named || incomplete
		return incomplete
	})
	equal(c.t, want, got)
	if !named {
		c.t.Error("the report does not name the gate")
	}
	report, err := junit.ReadFile(c.report)
	must(c.t, err)
	for _, suite := range report.Suites {
		for _, test := range suite.Cases {
			if slices.Contains(tests, test.Name) && (test.Type != "unroutable" || !strings.Contains(test.Details, "refused by ")) {
				c.t.Errorf("%+v", test)
			}
		}
	}
}

// TestReportOfTestNamesItsGate: whoever looks at one test in a CI system's report learns from it which gate it takes.
func TestReportOfTestNamesItsGate(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "junit.xml")
	shardctl(t, with(fake(t, "-junit", "{junit}", "-stdin"), "run", "--workers", "1", "--gate-grace", "0s", "--gate-cmd", "exit 6", "--tests", list(t, "a"),
		"--run-id", "r", "--junit", report)...).expect(t, 3)
	r, err := junit.ReadFile(report)
	must(t, err)
	for _, suite := range r.Suites {
		for _, test := range suite.Cases {
			if test.Name == "a" && !strings.Contains(test.Message+test.Details, "exit 6") {
				t.Errorf("it does not name the gate: %+v", test)
			}
		}
	}
}

// TestRescue: a worker that comes later and qualifies runs what all others refused; while one is expected, no grace ends.
func TestRescue(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"within the grace": {"--gate-grace", "10m"}, "expected": {"--gate-grace", "0s", "--expect-workers", "2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			flags := append(flags, "--gate-cmd", only(2), "--tests", list(t, "a", "b"), "--junit", c.report)
			controller := c.start("shardctl", c.where("run", flags...)...)
			attach(t, c.rdb, "r")
			w1 := c.numbered(1)
			controller.says("may not run what is behind gate")
			q := attach(t, c.rdb, "r")
			until(t, "a run that is stuck", func() bool {
				progress, err := q.Finish(t.Context(), nil, false)
				must(t, err)
				return progress == batch.IsStuck || progress == batch.IsShort
			})
			w2 := c.numbered(2)
			controller.wait().expect(t, 0, "all 2 tests passed")
			w1.wait().expect(t, 0)
			w2.wait().expect(t, 0)
			allPassed(t, c.report, "a", "b")
			c.uncharged("a", "b")
			c.empty()
		})
	}
}

// TestWhichGate gives tests gates in all ways there are, and looks where they wait.
func TestWhichGate(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	write(t, c.dir, ".shard.yml", "gates:\n  gpu:\n    command: exit 3\n    tests: [\"file*\"]\n  idle:\n    command: exit 4\n    tests: [never]\n")
	first := write(t, c.dir, "first", strings.Join([]string{
		`{"test":"own","seconds":2,"gate":"exit 7"}`, `{"test":"named","gate":"gpu"}`, `{"test":"flag-own","gate":"exit 7"}`, `{"test":"none","gate":""}`,
		"file1", "file-flag", "flag1", "a::x", "free",
	}, "\n"))
	c.run("shardctl", c.where("enqueue", "--gate", "*flag*=exit 1", "--gate", "/^a::.$/= gpu ", "--gate", "f*=exit 2", "--gate", "typo*=exit 1", "--tests", first)...).
		expect(t, 0, "9 tests given, 9 in the list", `the pattern "typo*" (--gate) fits no test`, `the pattern "never" (gate idle of .shard.yml) fits no test`)
	// The first --gate that fits decides: "f*" is for what "*flag*" leaves, and comes before the file.
	equal(t, map[string]int{"exit 7": 2, "gpu": 2, "exit 1": 2, "exit 2": 2}, c.status().behind())
	if s := c.status(); s.Queued != 1 || s.Tests != 9 {
		t.Errorf("status %+v", s)
	}
	second := write(t, c.dir, "second", `{"test":"own2","gate":"exit 7"}`+"\nfile2\nplain2\nflag2\n")
	c.run("shardctl", c.where("enqueue", "--gate-cmd", "exit 5", "--gate", "flag*=exit 1", "--tests", second)...).expect(t, 0)
	equal(t, map[string]int{"exit 7": 3, "gpu": 2, "exit 1": 3, "exit 2": 2, "exit 5": 2}, c.status().behind())
	c.run("shardctl", c.where("enqueue", "--tests", list(t, "file3", "none"))...).expect(t, 0)
	equal(t, map[string]int{"exit 7": 3, "gpu": 3, "exit 1": 3, "exit 2": 2, "exit 5": 2}, c.status().behind())

	d := c.dump()
	hash := batch.Gate{Name: "gpu"}.Hash()
	equal(t, []string{"1", `2 {"gate":"` + hash + `"}`}, []string{d.Tests["none"], d.Tests["file3"]})
	equal(t, []string{"named", "a::x", "file3"}, d.Behind[hash]["queue"])
	c.run("shardctl", c.where("enqueue", "--gate-cmd", "exit 5", "--tests", list(t, "none"))...).expect(t, 2, `holds test "none" already`)
	c.run("shardctl", c.where("enqueue", "--tests", write(t, c.dir, "third", `{"test":"x","gates":"gpu"}`))...).expect(t, 2, "third, line 1", `"gates"`)
}

// TestGateOfTheProject takes gates from each worker's own folder: what one says there, another need not.
func TestGateOfTheProject(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for name, command := range map[string]string{"with": "test -e here", "without": "test -e here"} {
		must(t, os.Mkdir(c.file(name), 0o755))
		write(t, c.file(name), ".shard.yml", "gates:\n  licence: {command: "+command+", tests: ['*']}\n")
	}
	must(t, os.Mkdir(c.file("strange"), 0o755))
	write(t, c.file("with"), "here", "")
	controller := c.start("shardctl", c.where("run", "-C", "without", "--tests", list(t, "a", "b"), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	stranger := c.worker("w1", "-C", "strange")
	stranger.says(`this worker's .shard.yml has no gate "licence"`)
	without := c.worker("w2", "-C", "without")
	without.says("no, its tests are left to other workers: exit status 1")
	with := c.worker("w3", "-C", "with")
	controller.wait().expect(t, 0, "all 2 tests passed")
	for _, w := range []*process{stranger, without, with} {
		w.wait().expect(t, 0)
	}
	c.uncharged("a", "b")
	c.empty()
}

// TestGateText: what came through Redis is run only by who trusts it, and whoever does not says what to do.
func TestGateText(t *testing.T) {
	t.Parallel()
	const mine, other = "SHARD_SECRET=hunter2", "SHARD_SECRET=hunter3"
	const refused = `2 tests are behind gate "`
	for _, test := range []struct {
		name             string
		enqueuer, worker string
		flags            []string
		redis            func(c *cluster)
		status           int
		says             []string
	}{
		{name: "nobody has a secret", status: 3, says: []string{refused, "came through Redis, and this worker has no SHARD_SECRET", "--allow-gate-text"}},
		{name: "trusted by flag", flags: []string{"--allow-gate-text"}},
		{name: "trusted by environment", worker: "SHARD_ALLOW_GATE_TEXT=true"},
		{name: "the same secret", enqueuer: mine, worker: mine},
		{name: "another secret", enqueuer: mine, worker: other, status: 3, says: []string{refused, "came through Redis, and its proof does not verify", "--allow-gate-text"}},
		{name: "only the enqueuer has one", enqueuer: mine, status: 3, says: []string{refused, "this worker has no SHARD_SECRET"}},
		{name: "only the worker has one", worker: mine, status: 3, says: []string{refused, "without a proof of who sent it", "set SHARD_SECRET where tests are enqueued too"}},
		{name: "another command", enqueuer: mine, worker: mine, redis: (*cluster).tamper, status: 3, says: []string{refused, "its proof does not verify", "somebody changed the command"}},
		{name: "an old proof", enqueuer: mine, worker: mine, redis: (*cluster).replay, status: 3, says: []string{refused, "its proof does not verify"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.in(test.enqueuer).run("shardctl", c.textRun()...).expect(t, 0)
			if test.redis != nil {
				test.redis(c)
			}
			w := c.in(test.worker).worker("w", test.flags...)
			r := shardctl(t, c.where("wait", "--gate-grace", "0s", "--junit", c.report)...).expect(t, test.status, test.says...)
			log := w.wait().expect(t, 0)
			ran := 0
			if test.status == 0 {
				ran = 1
				c.uncharged("a", "b")
			}
			if got := len(c.lines("ran")); got != ran {
				t.Errorf("the gate ran %d times, want %d", got, ran)
			}
			for _, text := range []string{r.out, r.err, log.out, log.err} {
				if strings.Contains(text, "hunter") {
					t.Errorf("it tells the secret:\n%s", text)
				}
			}
			c.empty()
		})
	}
}

// textRun enqueues tests behind a gate that leaves a line in the file "ran".
func (c *cluster) textRun() []string {
	return c.where("enqueue", "--seal", "--gate-cmd", "echo ran >>'"+c.file("ran")+"'", "--tests", list(c.t, "a", "b"))
}

// gate reads the only gate from Redis: its hash and its spec.
func (c *cluster) gate() (hash string, spec batch.Gate) {
	c.t.Helper()
	gates := c.dump().Gates
	for hash, text := range gates {
		must(c.t, json.Unmarshal([]byte(text), &spec))
		if len(gates) == 1 {
			return hash, spec
		}
	}
	c.t.Fatalf("gates %v", gates)
	return "", spec
}

// tamper puts another command in the place of the run's only one, wherever Redis holds it, and leaves its proof.
func (c *cluster) tamper() {
	c.t.Helper()
	hash, spec := c.gate()
	if spec.MAC == "" {
		c.t.Error("there is no proof")
	}
	spec.Command = "echo evil; " + spec.Command
	text, err := json.Marshal(spec)
	must(c.t, err)
	q, ctx := attach(c.t, c.rdb, "r"), c.t.Context()
	tests := c.dump().Tests
	must(c.t, c.rdb.HDel(ctx, q.Keys().Gates(), hash).Err())
	must(c.t, c.rdb.HSet(ctx, q.Keys().Gates(), spec.Hash(), text).Err())
	must(c.t, c.rdb.Rename(ctx, q.Keys().GateQueue(hash), q.Keys().GateQueue(spec.Hash())).Err())
	for id := range tests {
		must(c.t, c.rdb.HSet(ctx, q.Keys().Tests(), id, `2 {"gate":"`+spec.Hash()+`"}`).Err())
	}
}

// replay runs the same anew as somebody without the secret would, with the proof of the first run.
func (c *cluster) replay() {
	c.t.Helper()
	hash, proven := c.gate()
	shardctl(c.t, c.where("clean", "--force")...).expect(c.t, 0)
	shardctl(c.t, c.textRun()...).expect(c.t, 0)
	again, spec := c.gate()
	if again != hash || spec.MAC != "" || spec.Command != proven.Command || proven.MAC == "" {
		c.t.Errorf("the gate %+v was %+v", spec, proven)
	}
	text, err := json.Marshal(proven)
	must(c.t, err)
	must(c.t, c.rdb.HSet(c.t.Context(), attach(c.t, c.rdb, "r").Keys().Gates(), hash, text).Err())
}

// TestGateTextChangedInPlace: a command that does not fit its own hash is not run either, whoever trusts text.
func TestGateTextChangedInPlace(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shardctl(t, c.textRun()...).expect(t, 0)
	hash, spec := c.gate()
	spec.Command = "echo evil; " + spec.Command
	text, err := json.Marshal(spec)
	must(t, err)
	must(t, c.rdb.HSet(t.Context(), attach(t, c.rdb, "r").Keys().Gates(), hash, text).Err())
	c.numbered(1).wait().expect(t, 2, `the gate of test "a" was changed in Redis`)
	if got := c.lines("ran"); len(got) > 0 {
		t.Errorf("the gate ran: %q", got)
	}
	c.empty()
}

// TestLocalWorkersRunGivenText: they got the command from the command line that started them, and not through Redis. The
// secret is for neither gates nor tests.
func TestLocalWorkersRunGivenText(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{"without a secret": "SHARD_SECRET=", "with a secret": "SHARD_SECRET=hunter2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			gate, template := "env >>'"+c.file("env")+"'; exit 0", fake(t, "-junit", "{junit}", "-stdin")
			script := append([]string{"--", "sh", "-c", "env >>'" + c.file("env") + `'; exec "$@"`, "sh"}, template[1:]...)
			r := c.in(env).run("shardctl", with(script, c.where("run", "--workers", "2", "--gate-cmd", gate, "--tests", list(t, "a", "b"), "--junit", c.report)...)...).
				expect(t, 0, "all 2 tests passed")
			allPassed(t, c.report, "a", "b")
			c.secretive(r)
			c.empty()
		})
	}
}

// secretive expects that nobody told the secret: neither results nor the file "env", to which gates and tests wrote what
// they see.
func (c *cluster) secretive(results ...result) {
	c.t.Helper()
	text, err := os.ReadFile(c.file("env"))
	must(c.t, err)
	seen := string(text)
	if n := strings.Count(seen, "SHARD_WORKER_ID="); n < 2 {
		c.t.Errorf("%d processes wrote what they see", n)
	}
	for _, r := range results {
		seen += r.out + r.err
	}
	if strings.Contains(seen, "SHARD_SECRET=") || strings.Contains(seen, "hunter2") {
		c.t.Errorf("the secret is seen:\n%s", seen)
	}
}

// TestSecretOfAWorker: what a shardworker starts does not see it.
func TestSecretOfAWorker(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.in("SHARD_SECRET=hunter2")
	gate, template := "env >>'"+c.file("env")+"'", fake(t, "-junit", "{junit}", "-stdin")
	script := append([]string{"--", "sh", "-c", "env >>'" + c.file("env") + `'; exec "$@"`, "sh"}, template[1:]...)
	controller := s.start("shardctl", c.where("run", "--gate-cmd", gate, "--tests", list(t, "a", "b"), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	w := s.run("shardworker", with(script, c.where("--name=w", "--verbose")...)...).expect(t, 0, "yes, this worker may run its tests")
	c.secretive(w, controller.wait().expect(t, 0, "all 2 tests passed"))
	raw := c.dump()
	if text := fmt.Sprint(raw); strings.Contains(text, "hunter2") {
		t.Errorf("the secret is in Redis: %s", text)
	}
	c.empty()
}

// TestRetryBehindGate: a gated test that fails runs again only where it may, at once.
func TestRetryBehindGate(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	controller := c.start("shardctl", c.where("run", "--retries", "1", "--gate-cmd", only(2), "--tests", list(t, "a"), "--junit", c.report)...)
	attach(t, c.rdb, "r")
	w1 := c.numbered(1)
	w1.says("no, its tests are left to other workers")
	template := fake(t, "-junit", "{junit}", "-stdin", "-mode")
	script := append([]string{"--", "sh", "-c", `mode=fail; [ -e "$0" ] && mode=; : >"$0"; exec "$@" "$mode"`, c.file("failed")}, template[1:]...)
	c.run("shardworker", with(script, c.where("--name=w2", "--index=2", "--allow-gate-text")...)...).expect(t, 0)
	controller.wait().expect(t, 0, "PASSED", "1 flaky")
	w1.wait().expect(t, 0)
	equal(t, [][]string{{"a"}}, c.claims("w1"))
	equal(t, [][]string{{"a"}, {"a"}}, c.claims("w2"))
	c.settled()
	c.empty()
}

// TestUnqualifiedWorkersLeave: a worker to which nothing is left leaves, and not before; when all have gone so, the run
// still tells which gate refused whom.
func TestUnqualifiedWorkersLeave(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shardctl(t, c.where("enqueue", "--seal", "--gate", "gpu*=exit 6", "--tests", list(t, "block1", "gpu1", "gpu2"))...).expect(t, 0)
	w1 := c.numbered(1, "--gate-max-not-qualified", "1", "--stop-timeout", "0s")
	c.barrier.blocked(t, 1)
	w2 := c.numbered(2, "--gate-max-not-qualified", "1")
	w2.says("no, its tests are left to other workers: exit status 6")
	w1.signal(syscall.SIGTERM) // it gives back what it held
	w1.wait().expect(t, 128+15)
	c.barrier.blocked(t, 2)
	if strings.Contains(w2.err.String(), "leaving") {
		t.Error("it left although it had something to do")
	}
	c.barrier.open(t)
	w2.wait().expect(t, 0, "leaving: this worker qualifies for none of the tests that are left")
	shardctl(t, c.where("status")...).expect(t, 0, "under way", "queued: 2, to run alone: 0; left unqualified: w2.", "no worker is here")
	c.numbered(3, "--gate-max-not-qualified", "1").wait().expect(t, 0, "leaving: ")
	shardctl(t, c.where("wait", "--gate-grace", "0s", "--junit", c.report)...).
		expect(t, 3, "INCOMPLETE", `2 tests are behind gate "exit 6", for which no live worker qualified: refused by w1.`, "w2.", "w3.", "(exit status 6)", "1 passed")
	c.unroutable("exit 6", []string{"block1"}, "gpu1", "gpu2")
	c.settled()
	c.empty()
}

// TestUnqualifiedLocalWorkerLeaves, and the run on this machine ends by itself.
func TestUnqualifiedLocalWorkerLeaves(t *testing.T) {
	t.Parallel()
	shardctl(t, with(fake(t, "-junit", "{junit}", "-stdin"), "run", "--workers", "1", "--gate-max-not-qualified", "1", "--gate-grace", "1s",
		"--gate", "gpu=exit 6", "--tests", list(t, "a", "gpu"))...).
		expect(t, 3, "a local worker leaves", `1 test is behind gate "exit 6", for which no live worker qualified: refused by local1.`, "1 passed")
}

// TestBadGateSettings: each is named, whoever gives it.
func TestBadGateSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := t.TempDir()
	write(t, broken, ".shard.yml", "gates:\n  gpu:\n    comand: exit 0\n")
	tests := list(t, "a")
	run := []string{"run", "--tests", tests}
	for _, test := range []struct {
		name, env string
		args      []string
		says      []string
	}{
		{"cache in the environment", "SHARD_GATE_CACHE_SIZE=0", run, []string{"--gate-cache-size 0", "at least 1"}},
		{"no number", "SHARD_GATE_CACHE_SIZE=many", run, []string{"SHARD_GATE_CACHE_SIZE", `"many"`}},
		{"no time", "", append(run, "--gate-timeout", "0s"), []string{"--gate-timeout 0s"}},
		{"negative time", "SHARD_GATE_REQUEUE_DELAY=-1s", run, []string{"--gate-requeue-delay -1s"}},
		{"negative number", "", append(run, "--gate-max-not-qualified", "-1"), []string{"--gate-max-not-qualified -1"}},
		{"negative grace", "SHARD_GATE_GRACE=-1s", run, []string{"--gate-grace -1s"}},
		{"two of them", "SHARD_GATE_CACHE_SIZE=0", append(run, "--gate-timeout", "0s"), []string{"--gate-cache-size 0", "--gate-timeout 0s"}},
		{"a gate without a command", "", append(run, "--gate", "a="), []string{`--gate "a="`, "no command"}},
		{"a gate without a pattern", "", append(run, "--gate", "=true"), []string{`--gate "=true"`, "the pattern is empty"}},
		{"a gate without =", "", append(run, "--gate", "true"), []string{`--gate "true"`, "PATTERN=COMMAND"}},
		{"a gate with a broken expression", "", append(run, "--gate", "/(/=true"), []string{`--gate "/(/=true"`, "missing closing )"}},
		{"a broken file", "", append(run, "-C", broken), []string{".shard.yml:3:", `unknown key "comand"`, "command, tests"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			other := *w
			other.env = append(slices.Clone(w.env), test.env)
			other.run("shardctl", with(fake(t, "-junit", "{junit}", "-stdin"), test.args...)...).expect(t, 2, test.says...)
		})
	}
	// The worker, and the command that only enqueues.
	redis := []string{"--redis-url", "redis://127.0.0.1:1", "--run-id", "r"}
	worker := with([]string{"--", "true"}, redis...)
	other := *w
	other.env = append(slices.Clone(w.env), "SHARD_GATE_CACHE_SIZE=0")
	other.run("shardworker", worker...).expect(t, 2, "--gate-cache-size 0")
	w.run("shardworker", append([]string{"--gate-timeout", "0s"}, worker...)...).expect(t, 2, "--gate-timeout 0s")
	w.run("shardworker", append([]string{"-C", broken}, worker...)...).expect(t, 2, ".shard.yml:3:")
	w.run("shardctl", append([]string{"enqueue", "-C", broken, "--tests", tests}, redis...)...).expect(t, 2, ".shard.yml:3:")
	w.run("shardctl", "list", "-C", broken, "--tests", tests).expect(t, 2, ".shard.yml:3:")
}
