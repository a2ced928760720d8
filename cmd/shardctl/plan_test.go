package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// timedList is a list file of tests a, b, c, … with durations; 0: none.
func timedList(t *testing.T, seconds ...float64) string {
	t.Helper()
	lines := make([]string, len(seconds))
	for i, s := range seconds {
		lines[i] = fmt.Sprintf(`{"test": "%c", "seconds": %v}`, 'a'+i, s)
	}
	return list(t, lines...)
}

func TestPlan(t *testing.T) {
	file := timedList(t, 40, 20, 10, 10, 0)
	plan := func(args ...string) result {
		t.Helper()
		return shardctl(t, append([]string{"plan", "--timings", "off", "--tests", file, "--workers", "4", "--startup", "1s"}, args...)...)
	}
	table := plan().expect(t, 0, "5 tests, 100.0s of tests", "the duration of 1 is not known", "longest: 40.00s  a")
	if rows := strings.Count(table.out, "█\n"); rows != 4 {
		t.Errorf("%d rows:\n%s", rows, table.out)
	}
	var rows []predicted
	must(t, json.Unmarshal([]byte(plan("--json").expect(t, 0).out), &rows))
	if len(rows) != 4 {
		t.Fatalf("%+v", rows)
	}
	for i, row := range rows {
		if row.Workers != i+1 || row.Wall < row.Bound || row.Machine != row.Wall*float64(row.Workers) || i > 0 && row.Wall > rows[i-1].Wall {
			t.Errorf("%+v", row)
		}
	}
	if rows[0].Wall < 101 || rows[3].Bound != 41 { // all, and a start; the longest, and a start
		t.Errorf("%+v", rows)
	}
	plan("--matrix").expect(t, 0, "[0,1,2,3]\n")
	plan("--target", "60s").expect(t, 0, "2\n")
	plan("--target", "60s", "--matrix").expect(t, 0, "[0,1]\n")
	must(t, json.Unmarshal([]byte(plan("--target", "60s", "--json").expect(t, 0).out), &rows))
	if len(rows) != 1 || rows[0].Workers != 2 {
		t.Errorf("%+v", rows)
	}
	plan("--target", "45s", "--workers", "2").expect(t, 2, "2 workers would take", "allow more with --workers")
	plan("--target", "40s").expect(t, 2, "the longest test alone, a, takes 40.0s", "no number of workers is enough")
	plan("--workers", "0").expect(t, 2, "--workers")
	plan("--target", "-1s").expect(t, 2, "--target")
}

func TestPlanOfLittle(t *testing.T) {
	plan := func(file string, args ...string) result {
		t.Helper()
		return shardctl(t, append([]string{"plan", "--tests", file, "--workers", "3"}, args...)...)
	}
	plan(timedList(t, 2), "--timings", "off").expect(t, 0, "1 tests", "2.0s")
	plan(timedList(t, 0, 0), "--timings", "off").expect(t, 2, "no duration of these 2 tests is known", "--timings-from")
	plan(list(t, ""), "--timings", "off").expect(t, 4)
	// Before the first run, a matrix has all workers; it has none for which there is no test.
	for args, want := range map[string]string{"--matrix": "[0,1,2]\n", "--target 1m": "3\n", "--target 1m --matrix": "[0,1,2]\n"} {
		first := plan(timedList(t, 0, 0, 0, 0), append([]string{"--timings", "off"}, strings.Fields(args)...)...)
		equal(t, want, first.expect(t, 0, "no duration of these 4 tests is known yet", "3 workers").out)
	}
	plan(timedList(t, 0, 0), "--timings", "off", "--target", "1m", "--json").expect(t, 2, "no duration of these 2 tests is known")
	plan(timedList(t, 1, 2), "--timings", "off", "--matrix").expect(t, 0, "[0,1]\n")
	plan(timedList(t, 1, 2), "--timings", "off", "--workers", "10001", "--matrix").expect(t, 2, "--workers 10001", "10000")
	// An empty list takes one worker, who makes the run green.
	for args, want := range map[string]string{"": "0 tests, 0.0s", "--matrix": "[0]\n", "--target 1m": "1\n", "--json": `"wall_seconds":0,`} {
		plan(list(t, ""), append([]string{"--allow-empty", "--timings", "off"}, strings.Fields(args)...)...).expect(t, 0, want)
	}
	for line := range strings.Lines(plan(timedList(t, 500, 500, 400), "--timings", "off").expect(t, 0).out) {
		if columns := utf8.RuneCountInString(line); columns > 81 {
			t.Errorf("%d columns: %s", columns, line)
		}
	}
	plan(timedList(t, 1, 1e9), "--timings", "off").expect(t, 0)
	plan(timedList(t, 2), "--timings", "redis").expect(t, 0, "the recorded durations of tests cannot be read")
	broken := write(t, t.TempDir(), "timings.json", "{")
	plan(timedList(t, 2), "--timings", broken).expect(t, 0, "cannot be read", broken)
	// Groups are predicted as they are claimed.
	grouped := list(t, `{"test": "a::1", "seconds": 5}`, `{"test": "a::2", "seconds": 5}`, `{"test": "b::1", "seconds": 1}`)
	plan(grouped, "--timings", "off", "--target", "7s").expect(t, 0, "2\n")
	plan(grouped, "--timings", "off", "--target", "7s", "--group", "file").expect(t, 2)
	// Durations of another tool, by file and by name.
	junit := write(t, t.TempDir(), "junit.xml", `<testsuite><testcase classname="a" name="1" time="8"/></testsuite>`)
	plan(list(t, "a::1", "other"), "--timings", "off", "--timings-from", junit).expect(t, 0, "longest: 8.00s  a::1")
}

// The shards are the list, in its order, whatever tells which one is meant.
func TestSplit(t *testing.T) {
	tests := number("t", 20)
	lines := slices.Clone(tests)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"test": %q, "seconds": %d, "group": %q}`, tests[i], i%7, strconv.Itoa(i/2))
	}
	file := list(t, lines...)
	ways := map[string]func(i int) (args []string, env map[string]string){
		"shard": func(i int) ([]string, map[string]string) { return []string{"--shard", fmt.Sprintf("%d/3", i+1)}, nil },
		"index": func(i int) ([]string, map[string]string) {
			return []string{"--shard-index", strconv.Itoa(i), "--shard-total", "3"}, nil
		},
		"short": func(i int) ([]string, map[string]string) {
			return []string{"--index", strconv.Itoa(i), "--total", "3"}, nil
		},
		"GitLab": func(i int) ([]string, map[string]string) {
			return nil, map[string]string{"CI_NODE_INDEX": strconv.Itoa(i + 1), "CI_NODE_TOTAL": "3"}
		},
		"CircleCI": func(i int) ([]string, map[string]string) {
			return nil, map[string]string{"CIRCLE_NODE_INDEX": strconv.Itoa(i), "CIRCLE_NODE_TOTAL": "3"}
		},
	}
	var first []string
	for name, way := range ways {
		var shards, all []string
		digests := map[string]bool{}
		for i := range 3 {
			args, env := way(i)
			r := call{env: env}.run(t, append([]string{"split", "--tests", file}, args...)...).expect(t, 0, fmt.Sprintf("shard %d has", i+1))
			shards = append(shards, r.out)
			part := strings.Fields(r.out)
			if !slices.IsSortedFunc(part, func(a, b string) int { return slices.Index(tests, a) - slices.Index(tests, b) }) {
				t.Errorf("%s: not in the order of the list: %q", name, part)
			}
			for j := 0; j < 20; j += 2 {
				if slices.Contains(part, tests[j]) != slices.Contains(part, tests[j+1]) {
					t.Errorf("%s: the group of %s is split", name, tests[j])
				}
			}
			all = append(all, part...)
			digests[strings.Fields(r.err)[1]] = true
		}
		slices.Sort(all)
		if want := slices.Sorted(slices.Values(tests)); !slices.Equal(all, want) {
			t.Errorf("%s: together they are %q", name, all)
		}
		if first == nil {
			first = shards
		}
		if !slices.Equal(first, shards) || len(digests) != 1 {
			t.Errorf("%s: %q, digests %v", name, shards, digests)
		}
	}
	split := func(args ...string) result {
		return shardctl(t, append([]string{"split", "--tests", file}, args...)...)
	}
	other := split("--shard", "1/3", "--group", "^(t1)").expect(t, 0) // splits otherwise, and says so
	if own := split("--shard", "1/3").expect(t, 0); strings.Fields(other.err)[1] == strings.Fields(own.err)[1] {
		t.Errorf("the same digest: %s", other.err)
	}
	split().expect(t, 2, "which shard")
	split("--shard", "4/3").expect(t, 2, "--shard")
	split("--shard", "1/3", "--timings", "redis").expect(t, 2, "give all jobs the same file")
	if r := split("--shard", "30/40").expect(t, 0, "shard 30 has 0", "--allow-empty"); r.out != "" { // more shards than tests
		t.Errorf("%q", r.out)
	}
	split("--shard", "1/40", "--json").expect(t, 0, `"group":"`)
}

// Before the first run nobody has durations: an empty file says so. One that is not there, or is broken, is an error: other jobs may have
// another, and then some tests would run in no job.
func TestSplitBeforeTheFirstRun(t *testing.T) {
	folder, tests := t.TempDir(), list(t, number("t", 20)...)
	split := func(timings string) result {
		return shardctl(t, "split", "--tests", tests, "--shard", "1/3", "--timings", timings)
	}
	none := split("off").expect(t, 0, "of 20 tests, 0 of them of known duration")
	equal(t, none, split(write(t, folder, "empty.json", "")))
	split(filepath.Join(folder, "absent.json")).expect(t, 2, "absent.json is not there", "some tests would run in no job", "empty file")
	split(folder).expect(t, 2, folder)
	split("").expect(t, 2, "--timings", "empty")
	split(write(t, folder, "broken.json", "{")).expect(t, 2, "broken.json")
	known := write(t, folder, "timings.json", `{"version": 1, "tests": {"t1": {"seconds": 9}}}`)
	split(known).expect(t, 0, "1 of them of known duration")
	absent := filepath.Join(folder, "absent.json")
	shardctl(t, "plan", "--tests", tests, "--timings", absent).expect(t, 2, "not there yet", "no duration of these 20 tests is known")
	shardctl(t, "plan", "--tests", timedList(t, 1, 2), "--timings", absent).expect(t, 0, "not there yet", "2 tests")
}
