package batch_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// A mutant is a script with one rule broken. The tests are worth what they say about mutants: each must be caught. A mutant
// lives in a process of its own, which is this test binary again with the mutant's name in the environment.

const mutantVariable = "SHARD_MUTANT"

var mutantsFile = flag.String("mutants", "", "run the tests against every mutant, and write the table to this file")

type mutant struct {
	// name; in which part of the scripts, lua/<part>.lua, what is replaced with what; the rule that this breaks.
	name, part, old, replacement, rule string
	// equivalent says why no test can tell the mutant from the original, if so.
	equivalent string
}

func init() {
	name := os.Getenv(mutantVariable)
	for _, m := range mutants {
		if m.name == name {
			m.mutation()()
			return
		}
	}
	if name != "" {
		panic("there is no mutant " + name)
	}
}

func (m mutant) mutation() (apply func()) {
	apply, err := batch.Mutation(m.part, m.old, m.replacement)
	if err != nil {
		panic(fmt.Sprintf("mutant %s: %v", m.name, err))
	}
	return apply
}

// TestMutants only looks whether the mutants still fit the scripts, unless it is told to run the tests against them.
func TestMutants(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		m.mutation()
		if names[m.name] {
			t.Errorf("there are two mutants %s", m.name)
		}
		names[m.name] = true
	}
	if *mutantsFile == "" {
		return
	}
	if by := caughtBy(t, ""); len(by) > 0 {
		t.Fatalf("without a mutant these fail: %v", by)
	}
	caught := make([][]string, len(mutants))
	t.Run("each", func(t *testing.T) {
		for i, m := range mutants {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				caught[i] = caughtBy(t, m.name)
				if survives := len(caught[i]) == 0; survives != (m.equivalent != "") {
					t.Errorf("caught by %v, equivalent because %q: %s", caught[i], m.equivalent, m.rule)
				}
			})
		}
	})
	if err := os.WriteFile(*mutantsFile, []byte(mutantsTable(caught)), 0o644); err != nil {
		t.Fatal(err)
	}
}

var (
	failedTest = regexp.MustCompile(`(?:--- FAIL: |running tests:\n\t+)(\w+)`)
	failedSeed = regexp.MustCompile(`seed (\d+): `)
)

// notForMutants are the tests on a real server, that of no script, and those that take longer than all others together.
const notForMutants = `^TestSimulation$|^TestMutants$|^TestModel$|^TestEnqueueMany$|^TestTransientOfRealServer$|/^real$|//^real$`

// caughtBy returns which tests fail on the embedded server while a mutant lives: the first of the protocol's tests, and the
// simulation.
func caughtBy(t *testing.T, name string) (by []string) {
	fails := func(kind string, first *regexp.Regexp, show string, args ...string) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], append(args, "-test.failfast", "-test.timeout", "2m")...)
		cmd.Env = append(os.Environ(), mutantVariable+"="+name)
		output, err := cmd.CombinedOutput()
		if err == nil {
			return
		}
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if testing.Verbose() {
			t.Logf("%s", output)
		}
		if found := first.FindSubmatch(output); found != nil {
			kind = fmt.Sprintf(show, found[1])
		}
		if bytes.Contains(output, []byte("panic: test timed out")) {
			kind += " (does not end)"
		}
		by = append(by, kind)
	}
	fails("the tests", failedTest, "`%s`", "-test.skip", notForMutants)
	fails("simulation", failedSeed, "simulation (seed %s)", "-test.run", "^TestSimulation$/^embedded$", "-schedules", fmt.Sprint(*schedules))
	return by
}

// mutantsTable is docs/mutants.md.
func mutantsTable(caught [][]string) string {
	var rows strings.Builder
	var byTest, bySimulation, equivalent, surviving int
	for i, m := range mutants {
		by := strings.Join(caught[i], ", ")
		switch {
		case strings.Contains(by, "simulation"):
			bySimulation++
		case by != "":
			byTest++
		case m.equivalent != "":
			equivalent++
			by = "equivalent: " + m.equivalent
		default:
			surviving++
			by = "**nothing**"
		}
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", m.name, m.rule, by)
	}
	return fmt.Sprintf(`# Mutants

Each rule of the protocol, broken in its script (`+"`batch/mutants_test.go`"+` has the changes), and what of the tests notices on the
embedded server: the first protocol test that fails, and the first schedule of %d of the simulation. `+"`make mutants`"+` writes this file.

%d mutants: the simulation catches %d, protocol tests alone %d; %d cannot be caught, as nothing differs; %d survive.

| mutant | rule | caught by |
| --- | --- | --- |
%s`, *schedules, len(mutants), bySimulation, byTest, equivalent, surviving, rows.String())
}

const anonymousWorker = `{beat = 0, batch = 0, report = 0, finished = 0, running = '', open = false, alone = false, leaving = false, info = '',
  gate = '', asked = false, passed = '', refused = '', client = ''}`

var mutants = []mutant{
	// What every script begins with.
	{name: "guard: gone", part: "guard", old: `if not run[1] then`, replacement: `if false then`,
		rule: "a missing epoch is GONE"},
	{name: "guard: epoch", part: "guard", old: `if run[1] ~= ARGV[1] then`, replacement: `if false then`,
		rule: "another epoch ends the caller's trust in what it holds (!)"},
	{name: "guard: markers", part: "guard", old: `if total and redis.call('SISMEMBER', CONTROL, 'sealed') == 0 then`, replacement: `if false then`,
		rule: "a sealed run without its markers is GONE"},
	{name: "guard: list", part: "guard", old: `if redis.call('HLEN', TESTS) ~= listed then`, replacement: `if false then`,
		rule: "a list of another length than was enqueued and sealed is GONE (!)"},
	{name: "guard: gates", part: "guard", old: `if #gates ~= tonumber(run[9] or '0') then`, replacement: `if false then`,
		rule: "lost gates are GONE"},
	{name: "prelude: undeclared", part: "prelude", old: `if #missing > 0 then`, replacement: `if false then`,
		rule: "no undeclared keys: where Redis has more than the caller knew, the answer is RETRY"},
	{name: "prelude: numbers", part: "prelude", old: `return {worker.batch, worker.report,`, replacement: `return {worker.batch, 9007199254740991,`,
		rule: "every answer carries the report number that Redis has: a lower one means that writes were lost (!)"},
	{name: "prelude: holder", part: "prelude", old: `if tries.held and redis.call('HEXISTS', WORKERS, tries.worker) == 1 then`, replacement: `if tries.held then`,
		rule:       "only a live worker holds a test",
		equivalent: "the tests of a worker that is gone are marked as held only where Redis lost Q_workers, and then they lie in no list until an audit has cleared the mark"},
	{name: "prelude: claims cap", part: "prelude", old: `if tries.claims < limits.claims then`, replacement: `if true then`,
		rule: "a test whose claims are spent ends: nothing goes on for ever"},
	{name: "prelude: un-count", part: "prelude", old: `tries.claims = math.max(0, tries.claims - 1)`, replacement: ``,
		rule: "what is handed back is not counted as claimed"},
	{name: "prelude: head", part: "prelude", old: `redis.call('LPUSH', list(gate_of(test)), test)`, replacement: `redis.call('RPUSH', list(gate_of(test)), test)`,
		rule: "what is handed back goes to the head of its list"},
	{name: "prelude: alone", part: "prelude", old: `alone and requeue_of or queue_of`, replacement: `queue_of`,
		rule: "what was to run alone goes back to the requeue"},
	{name: "prelude: proven", part: "prelude", old: `if cjson.decode(raw).finished > 0 then return false end`, replacement: ``,
		rule: "a worker that never finished a test charges nobody while a proven worker lives"},
	{name: "prelude: out of the set", part: "prelude", old: `if other then redis.call('SREM', set_of(other), test) end`, replacement: ``,
		rule: "a result takes the test out of whichever set holds it (!)"},
	{name: "prelude: out of the list", part: "prelude", old: `if redis.call('LREM', requeue_of(gate), 0, test) == 0 then`, replacement: `if false then`,
		rule: "a result takes the test out of whichever list holds it (!)"},
	{name: "prelude: wake", part: "prelude", old: `if redis.call('HLEN', RESULTS) == total then wake() end`, replacement: ``,
		rule: "the last result wakes whoever waits"},

	{name: "open: live", part: "open", old: `if run[1] and run[1] ~= ARGV[4] then`, replacement: `if false then`,
		rule: "a live run of the same list is recovered rather than wiped"},
	{name: "open: damaged", part: "open", old: `if run[1] and run[1] ~= ARGV[4] then`, replacement: `if run[1] and ARGV[4] == '' then`,
		rule: "a run is opened anew only in place of the epoch that was seen damaged"},
	{name: "open: ended", part: "open", old: `if how then return redis.error_reply('ENDED ' .. how) end`, replacement: ``,
		rule: "a finished or aborted run of the same id is refused"},
	{name: "open: list", part: "open", old: `if run[3] ~= ARGV[3] then`, replacement: `if false then`,
		rule: "a live run of another list is refused"},
	{name: "open: replaced", part: "open", old: `if ARGV[5] == '1' and run[2] ~= ARGV[2] then`, replacement: `if false then`,
		rule: "who knows a run does not take another birth of its id for it (!)"},
	{name: "open: birth", part: "open", old: `'birth', ARGV[2], 'manifest'`, replacement: `'birth', ARGV[1], 'manifest'`,
		rule: "a controller that opens again after data loss gives the birth it knows"},
	{name: "open: wipe", part: "open", old: `for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end`, replacement: ``,
		rule: "open removes what a dead run left"},
	{name: "open: workers", part: "open", old: `local retry = undeclared(redis.call('HKEYS', WORKERS), redis.call('HKEYS', GATES))`, replacement: `local retry`,
		rule: "open removes the sets and lists of a dead run's workers and gates"},

	{name: "enqueue: once", part: "enqueue", old: `if redis.call('HSETNX', TESTS, ARGV[i], ARGV[i + 1]) == 1 then`, replacement: `if redis.call('HSET', TESTS, ARGV[i], ARGV[i + 1]) then`,
		rule: "each new id is queued once, a repeat is a no-op"},
	{name: "enqueue: sealed", part: "enqueue", old: `if not spec and sealed then`, replacement: `if false then`,
		rule: "nothing is added to a sealed list"},
	{name: "enqueue: ended", part: "enqueue", old: `if how then return redis.error_reply('ENDED ' .. how) end`, replacement: ``,
		rule: "an ended run refuses to enqueue"},
	{name: "enqueue: conflict", part: "enqueue", old: `if spec and spec ~= ARGV[i + 1] then`, replacement: `if false then`,
		rule: "one id has one spec"},
	{name: "quarantine: before", part: "quarantine", old: `if redis.call('HEXISTS', TESTS, ARGV[i]) == 0 then`, replacement: `if true then`,
		rule: "nobody puts a test into quarantine that is in the list"},
	{name: "quarantine: ended", part: "quarantine", old: `if ended() then return 0 end`, replacement: ``,
		rule: "the journal of an ended run tells of no new quarantine"},
	{name: "seal: total", part: "seal", old: `if count ~= tonumber(ARGV[2]) then`, replacement: `if false then`,
		rule: "only a whole list is sealed"},
	{name: "seal: ended", part: "seal", old: `if how then return redis.error_reply('ENDED ' .. how) end`, replacement: ``,
		rule: "an ended run is not sealed"},
	{name: "join: ended", part: "join", old: `if how then return redis.error_reply('ENDED ' .. how) end`, replacement: ``,
		rule: "an ended run refuses to join"},
	{name: "join: repeat", part: "join", old: `if not worker then`, replacement: `if true then`,
		rule: "a delayed duplicate of a join does not begin the worker anew"},

	{name: "claim: joined", part: "claim", old: `if not worker then return not_joined(id) end`, replacement: `worker = worker or ` + anonymousWorker,
		rule: "only a joined worker claims (!)"},
	{name: "claim: same number", part: "claim", old: `if number == worker.batch then return reply(false) end`, replacement: ``,
		rule: "the same number answers the batch it holds (!)"},
	{name: "claim: lower number", part: "claim", old: `if number < worker.batch then`, replacement: `if false then`,
		rule: "a lower number changes nothing"},
	{name: "claim: holding", part: "claim", old: `if worker.open then return`, replacement: `if false then return`,
		rule: "a worker whose batch is not settled claims nothing"},
	{name: "claim: ended", part: "claim", old: `if ended() then return reply(false) end`, replacement: ``,
		rule: "an ended run refuses to be claimed from"},
	{name: "claim: with a result", part: "claim", old: ` and redis.call('HEXISTS', RESULTS, test) == 0`, replacement: ``,
		rule: "popped ids that have a result are dropped (!)"},
	{name: "claim: with an owner", part: "claim", old: ` and not holder_of(tries)`, replacement: ``,
		rule: "popped ids that have an owner are dropped (!)"},
	{name: "claim: stranger", part: "claim", old: `redis.call('HEXISTS', TESTS, test) == 1 and `, replacement: ``,
		rule: "popped ids that are not of the run are dropped"},
	{name: "claim: one", part: "claim", old: "      return gate\n    end\n  end\n  return nil", replacement: "      if #taken == most then return gate end\n    end\n  end\n  return alone and gate or nil",
		rule: "ONE from a requeue"},
	{name: "claim: alone", part: "claim", old: "      alone = true\n", replacement: ``,
		rule: "a requeued test is known to run alone"},
	{name: "claim: counted", part: "claim", old: `tries.claims = tries.claims + 1`, replacement: ``,
		rule: "each claim is counted"},
	{name: "claim: empty answer", part: "claim", old: `if not gate then return reply(deferred) end`, replacement: `if not gate then worker.batch = number save_worker(id, worker) return reply(deferred) end`,
		rule: "an empty answer leaves the number unused"},
	{name: "claim: elsewhere", part: "claim", old: `elseif patient and tries.worker == id then`, replacement: `elseif false then`,
		rule: "on its first look a worker skips tests that it ran last"},
	{name: "claim: only one", part: "claim", old: `local patient = #tests > 0 and ARGV[5] ~= '1'`, replacement: `local patient = #tests > 0`,
		rule: "after a while a worker takes what it ran last"},
	{name: "claim: queue first", part: "claim", old: `gate = gate or take_from_queue()`, replacement: `gate = gate or take_alone('') or take_from_queue()`,
		rule: "the queue goes before the requeue"},
	{name: "claim: refusing", part: "claim", old: `refusing[gate] and 'no' or `, replacement: ``,
		rule: "the gates that a claim refuses are left alone: a test never bounces"},
	{name: "claim: gate", part: "claim", old: `worker.gate = gate`, replacement: `worker.gate = ''`,
		rule: "a batch has the gate of its tests"},
	{name: "claim: again", part: "claim", old: `or take_behind('again') or take_alone_behind('again')`, replacement: ``,
		rule: "a no whose time is over excludes nobody for ever"},

	{name: "share: luck", part: "share", old: `math.min(SURE, longest_of(workers * math.max(1, deviation / math.max(1, startup))))`, replacement: `0`,
		rule: "a batch ends within a fair share even with bad luck"},
	{name: "share: cheap starts", part: "share", old: `deviation / math.max(1, startup)`, replacement: `0`,
		rule: "the cheaper a start is, the worse the luck that counts"},
	{name: "share: dear starts", part: "share", old: `if longest_of(workers) * deviation >= WORTH * startup then`, replacement: `if true then`,
		rule: "where starts are dear each worker takes its whole share at once"},
	{name: "share: the last", part: "share", old: `if d.shares == workers - 1 then`, replacement: `if false then`,
		rule: "where starts are dear the last worker takes what the others left"},
	{name: "share: handed back", part: "share", old: `return (rest + 1) / FULL, 0, true, true end`, replacement: `return math.huge, 0, true, true end`,
		rule: "the last worker does not take what another one has handed back"},
	{name: "share: late", part: "share", old: `if rest - late > WORTH * startup then`, replacement: `if false then`,
		rule: "a worker that comes late takes no more than a fair share of what is left"},
	{name: "share: one too many", part: "share", old: `if not first or d.shares >= workers then`, replacement: `if not first then`,
		rule: "when all expected workers have their first share, another one takes as much as they do later"},
	{name: "share: later", part: "share", old: `math.max(PART * late,`, replacement: `math.max(late,`,
		rule: "later a worker takes a part of a fair share of what is left"},
	{name: "share: worth a start", part: "share", old: `math.max(PART * late, FLOOR * startup)`, replacement: `PART * late`,
		rule: "a later batch is worth a part of a start"},
	{name: "share: groups", part: "share", old: `if #tests > 0 and (not group or next_group ~= group) then close() end`, replacement: `if #tests > 0 then close() end`,
		rule: "a group is claimed as a whole"},
	{name: "share: dealt", part: "share", old: `unknown + strange, step - 1`, replacement: `unknown + strange, step`,
		rule: "first shares leave out so many tests between those that they take"},
	{name: "share: unknown", part: "share", old: `strange > 0 and unknown >= unknowns`, replacement: `false`,
		rule: "tests of unknown duration are spread over the workers"},
	{name: "share: expected", part: "share", old: `workers = math.max(workers, expected)`, replacement: ``,
		rule: "expected workers have their share before they come"},
	{name: "share: coming", part: "share", old: `and worker.batch == 0 then expected = COMING * workers end`, replacement: `then expected = COMING * workers end`,
		rule: "only first claims reckon with workers that nobody announced"},
	{name: "share: order", part: "share", old: `redis.call('LPUSH', QUEUE, unpack(some))`, replacement: `redis.call('RPUSH', QUEUE, unpack(some))`,
		rule: "what a claim passes over stays at the head of the queue"},

	{name: "gate: batch", part: "gate", old: `worker.batch ~= number or `, replacement: ``,
		rule: "the answer of a gate counts only for its batch"},
	{name: "gate: of the batch", part: "gate", old: `worker.gate ~= gate or `, replacement: ``,
		rule: "the answer of a gate counts only while its batch is open"},
	{name: "gate: last word", part: "gate", old: `passed[gate], refused[gate] = nil, nil`, replacement: ``,
		rule: "a refusal stands until that worker says yes, and the other way round"},
	{name: "leave: refusals", part: "leave", old: `if ARGV[4] == '1' then`, replacement: `if false then`,
		rule: "the refusals of a worker that leaves as unqualified stand"},

	{name: "report: seen", part: "report", old: `if seen <= worker.report then`, replacement: `if false then`,
		rule: "a report number that was seen is a no-op (!)"},
	{name: "report: batch", part: "report", old: `worker.batch == number and `, replacement: ``,
		rule: "a finish counts only under THIS batch (!)"},
	{name: "report: set", part: "report", old: ` and redis.call('SISMEMBER', own, test) == 1`, replacement: ``,
		rule: "a finish counts only if the test is in THIS worker's set (!)"},
	{name: "report: late failure", part: "report", old: `if status ~= 'passed' then return 'late' end`, replacement: ``,
		rule: "a late failure is noted, and the re-run decides (!)"},
	{name: "report: late pass", part: "report", old: `if status ~= 'passed' then return 'late' end`, replacement: `do return 'late' end`,
		rule: "a late pass counts when no result stands"},
	{name: "report: result stands", part: "report", old: `if redis.call('HEXISTS', RESULTS, test) == 1 then return 'late' end`, replacement: ``,
		rule: "a result is written once (!)"},
	{name: "report: stranger", part: "report", old: `elseif redis.call('HEXISTS', TESTS, test) == 0 then`, replacement: `elseif false then`,
		rule: "ids outside Q_tests are ignored (!)"},
	{name: "report: out", part: "report", old: "    take_out(test, tries)\n", replacement: ``,
		rule: "a late result takes the test out of whatever holds it (!)"},
	{name: "report: after abort", part: "report", old: `if seen <= worker.report then`, replacement: `if ended() or seen <= worker.report then`,
		rule: "reports still count after an abort"},
	{name: "report: pause", part: "report", old: `running[test] = kind == 'start' or nil`, replacement: `running[test] = true`,
		rule: "a paused test is not running"},
	{name: "report: crashes", part: "report", old: `tries.crashes = tries.crashes + 1`, replacement: `tries.crashes = tries.crashes`,
		rule: "crashes are counted"},
	{name: "report: failures", part: "report", old: `tries.failures = tries.failures + 1`, replacement: ``,
		rule: "failures are counted"},
	{name: "report: retries in all", part: "report", old: `redis.call('HINCRBY', RUN, 'retried', 1)`, replacement: ``,
		rule: "the retries of all tests together are bounded"},

	{name: "settle: batch", part: "settle", old: `worker.batch ~= number or `, replacement: ``,
		rule: "only the same batch is settled (!)"},
	{name: "settle: open", part: "settle", old: ` or not worker.open`, replacement: ``,
		rule: "a batch is settled once"},
	{name: "settle: requeue", part: "settle", old: `requeue(test, tries_of(test))`, replacement: ``,
		rule: "what was not executed goes to the requeue"},
	{name: "settle: hand back", part: "settle", old: `if how == 'handback' then`, replacement: `if false then`,
		rule: "what is given back unrun goes back uncharged"},

	{name: "beat: number", part: "beat", old: `if worker.open and worker.batch == number then`, replacement: `if worker.open then`,
		rule: "tests return only if the number is Redis's own (!)"},
	{name: "beat: return", part: "beat", old: `if not held[tests[i]] then`, replacement: `if false then`,
		rule: "tests that a worker does not know to hold return"},
	{name: "beat: all", part: "beat", old: `if not held[tests[i]] then`, replacement: `if true then`,
		rule: "tests that a worker names stay with it (!)"},
	{name: "beat: count", part: "beat", old: `worker.beat = worker.beat + 1`, replacement: ``,
		rule: "each beat is counted"},
	{name: "beat: leaving", part: "beat", old: `if ARGV[4] == '1' then worker.leaving = true end`, replacement: ``,
		rule: "a stop by notice charges nothing"},
	{name: "leave: holding", part: "leave", old: `if worker.open then return`, replacement: `if false then return`,
		rule: "a worker leaves with an empty set"},

	{name: "reap: beat", part: "reap", old: ` or worker.beat ~= tonumber(ARGV[3])`, replacement: ``,
		rule: "only a worker whose beat is unchanged is reaped"},
	{name: "reap: batch-mates", part: "reap", old: `if charging and (running[test] or announced) then`, replacement: `if charging then`,
		rule: "only a test that was running is charged"},
	{name: "reap: charged", part: "reap", old: `tries.losses = tries.losses + 1`, replacement: ``,
		rule: "losses are counted"},
	{name: "reap: announced", part: "reap", old: `(running[test] or announced)`, replacement: `running[test]`,
		rule: "claiming a single is its announcement"},
	{name: "reap: gate", part: "reap", old: `local announced = worker.alone and (worker.gate == '' or from_lines(worker.passed)[worker.gate])`, replacement: `local announced = worker.alone`,
		rule: "a test behind a gate is not announced before the worker has passed it"},
	{name: "reap: leaving", part: "reap", old: `not worker.leaving and proven(worker)`, replacement: `proven(worker)`,
		rule: "a worker that was leaving charges nobody"},
	{name: "reap: unproven", part: "reap", old: `not worker.leaving and proven(worker)`, replacement: `not worker.leaving`,
		rule: "a worker that may be a broken machine convicts no test"},
	{name: "reap: un-count", part: "reap", old: `if worker.leaving then tries.claims = math.max(0, tries.claims - 1) end`, replacement: ``,
		rule: "the claims of a worker that was leaving are not counted"},
	{name: "reap: budget", part: "reap", old: `if tries.losses < limits.losses then`, replacement: `if true then`,
		rule: "a test whose losses are spent ends"},
	{name: "reap: gone", part: "reap", old: `redis.call('HDEL', WORKERS, id)`, replacement: ``,
		rule: "nothing is left of a reaped worker"},

	{name: "finish: ended", part: "finish", old: `if how then return how end`, replacement: ``,
		rule: "an aborted run is never done"},
	{name: "finish: sealed", part: "finish", old: `if redis.call('SISMEMBER', CONTROL, 'sealed') == 0 then return 'unsealed' end`, replacement: `total = total or redis.call('HLEN', TESTS)`,
		rule: "only a sealed run is done (!)"},
	{name: "finish: empty", part: "finish", old: `if found ~= total then return 'uneven' end`, replacement: `if found == results then total = results end`,
		rule: "emptiness is never evidence of completion (!)"},
	{name: "finish: uneven", part: "finish", old: `if found ~= total then return 'uneven' end`, replacement: ``,
		rule: "done only when all queues and every worker's set are empty (!)"},
	{name: "finish: open", part: "finish", old: `if results == total and not open then return post() end`, replacement: `if results == total then return post() end`,
		rule: "done only when no worker has a batch open"},
	{name: "finish: queue", part: "finish", old: `if results == total or waiting('') > 0 then return 'busy' end`, replacement: `if results == total then return 'busy' end`,
		rule: "a run whose queue holds tests is not stuck"},
	{name: "finish: worker at work", part: "finish", old: `if worker.open and not (`, replacement: `if worker == nil and not (`,
		rule: "a run of which a worker executes tests is not stuck"},
	{name: "finish: refused by all", part: "finish", old: `if not from_lines(worker.refused)[gate] then return false end`, replacement: ``,
		rule: "a gate is hopeless only if every live worker's last word was no"},
	{name: "finish: refused by one", part: "finish", old: `return next(who) ~= nil`, replacement: `return true`,
		rule: "a gate that nobody was asked about is not hopeless"},
	{name: "finish: refused by the gone", part: "finish", old: `from_lines(cjson.decode(redis.call('HGET', GATES, gate)).gone or '')`, replacement: `{}`,
		rule: "the refusals of workers that left as unqualified stand"},
	{name: "finish: leaving", part: "finish", old: `if not worker.leaving then`, replacement: `if true then`,
		rule: "a worker that leaves keeps no hope up"},
	{name: "finish: some gate", part: "finish", old: `if waiting(gate) > 0 and not hopeless(gate) then return 'busy' end`, replacement: ``,
		rule: "a run is stuck only if all gates with tests are hopeless"},
	{name: "finish: grace", part: "finish", old: `if ARGV[2] ~= '1' then`, replacement: `if false then`,
		rule: "a stuck run is given up only when the grace time is over"},
	{name: "finish: expected", part: "finish", old: `return tonumber(joined) < tonumber(expected) and 'short' or 'stuck'`, replacement: `return 'stuck'`,
		rule: "a run is short while an expected worker is missing"},

	{name: "audit: nowhere", part: "audit", old: `if not seen[test] then found[#found + 1] = test end`, replacement: ``,
		rule: "a test with no result that is nowhere is queued again (!)"},
	{name: "audit: results", part: "audit", old: `for _, test in ipairs(redis.call('HKEYS', RESULTS)) do seen[test] = true end`, replacement: ``,
		rule: "a test with a result is not queued again"},
	{name: "audit: lists", part: "audit", old: `if not first(test) then redis.call('LREM', list, -1, test) end`, replacement: ``,
		rule: "a test in two places stays in one list at most"},
	{name: "audit: sets", part: "audit", old: `redis.call('SREM', set_of(id), test)`, replacement: ``,
		rule: "a test with a result is in no set"},
	{name: "audit: strangers", part: "audit", old: ` or redis.call('HEXISTS', TESTS, test) == 0`, replacement: ``,
		rule: "what is no test of the run is in no list"},
	{name: "audit: holder", part: "audit", old: `tries.worker, tries.held = id, true`, replacement: ``,
		rule: "a test in a set is known to be held"},
	{name: "audit: not held", part: "audit", old: `elseif tries.held then`, replacement: `elseif false then`,
		rule: "a test that is queued again is held by nobody"},
	{name: "audit: spent", part: "audit", old: `if spent(tries) then`, replacement: `if false then`,
		rule: "a test whose result was lost runs as if it never had"},
	{name: "audit: alone", part: "audit", old: `tries.claims > 0 and requeue_of or queue_of`, replacement: `queue_of`,
		rule: "what was claimed before goes to the requeue"},
	{name: "audit: ended", part: "audit", old: `if ended() then return 0 end`, replacement: ``,
		rule: "an ended run is left as it is"},

	{name: "restore: result stands", part: "restore", old: ` and redis.call('HEXISTS', RESULTS, test) == 0`, replacement: ``,
		rule: "a result is written once"},
	{name: "restore: stranger", part: "restore", old: `redis.call('HEXISTS', TESTS, test) == 1 and `, replacement: ``,
		rule: "only tests of the run have results"},
	{name: "restore: out", part: "restore", old: "      take_out(test, tries)\n", replacement: ``,
		rule: "a result that came back takes the test out of whatever holds it"},
	{name: "restore: not held", part: "restore", old: "      tries.held = false\n", replacement: ``,
		rule: "a test whose result came back is held by nobody"},
	{name: "restore: final", part: "restore", old: `if kind == 'result' or decision == 'final' then`, replacement: `if true then`,
		rule: "only what was final is a result"},
	{name: "restore: given up", part: "restore", old: `if kind == 'result' or decision == 'final' then`, replacement: `if decision == 'final' then`,
		rule: "results without an execution come back, too"},

	{name: "abort: done", part: "abort", old: `if how then return how end`, replacement: ``,
		rule: "done and aborted never both: the first wins"},
	{name: "lead: beat", part: "lead", old: ` and beat == seen_beat`, replacement: ``,
		rule: "a leader that has beaten since is not deposed"},
	{name: "lead: term", part: "lead", old: ` and term == seen_term`, replacement: ``,
		rule: "a leader of another term is not deposed"},
	{name: "lead: standing", part: "lead", old: `ARGV[5] == '1' and `, replacement: ``,
		rule: "a leader that did not stand still for a lease is not deposed"},
	{name: "lead: lost term", part: "lead", old: `seen_term > term or `, replacement: ``,
		rule: "who leads is put back, when Redis lost it, by whoever has seen it"},
	{name: "lead: lost beat", part: "lead", old: ` or seen_term == term and seen_beat > beat`, replacement: ``,
		rule: "within a term the latest beat that anybody has seen holds"},
	{name: "lead: kept", part: "lead", old: "if lost then return put(owner, term, beat) end\n", replacement: ``,
		rule: "a candidate puts back what it saw"},
	{name: "resign: term", part: "resign", old: ` and now[2] == ARGV[2]`, replacement: ``,
		rule: "a delayed duplicate of a resignation ends no later term"},
}
