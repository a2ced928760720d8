package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// The reports of a run, those that are made again of what Redis holds, and those of the events file are the same to the last byte.
func TestReportsAreTheSameWhereverFrom(t *testing.T) {
	t.Parallel()
	rdb := batchtest.Embedded(t)
	where := []string{"--redis-url", "redis://" + rdb.Options().Addr, "--run-id", "r"}
	failing := write(t, t.TempDir(), "failing.txt", "b\nd\n")
	dir := t.TempDir()
	files := func(part string) (flags []string) {
		for _, kind := range []string{"junit", "html", "trace", "events", "summary"} {
			flags = append(flags, "--"+kind, filepath.Join(dir, part+"."+kind))
		}
		return flags
	}
	run := append(append(append([]string{"run", "--workers", "2", "--tests", list(t, "a", "b", "c", "d", "e"), "--retries", "1"}, where...), files("run")...),
		fake(t, "-stdin", "-junit", "{junit}", "-failing", failing)...)
	shardctl(t, run...).expect(t, 1, "FAILED: 2 of 5 tests failed")
	said := "FAILED: 2 of 5 tests failed, 3 passed"
	shardctl(t, append(append([]string{"report"}, where...), files("redis")...)...).expect(t, 1, said)
	shardctl(t, append([]string{"report", "--from", filepath.Join(dir, "run.events")}, files("file")...)...).expect(t, 1, said)
	events, err := os.ReadFile(filepath.Join(dir, "run.events"))
	must(t, err)
	call{stdin: string(events)}.run(t, "report", "--from", "-", "--junit", filepath.Join(dir, "stdin.junit")).expect(t, 1, said)
	for _, file := range []string{"redis.junit", "redis.html", "redis.trace", "redis.events", "redis.summary", "file.junit", "file.html", "file.trace", "file.events", "file.summary", "stdin.junit"} {
		want, err := os.ReadFile(filepath.Join(dir, "run"+filepath.Ext(file)))
		must(t, err)
		got, err := os.ReadFile(filepath.Join(dir, file))
		must(t, err)
		if string(got) != string(want) {
			t.Errorf("%s is another than that of the run", file)
		}
	}

	// A report on standard output is there alone.
	r := shardctl(t, append([]string{"report", "--junit", "-"}, where...)...)
	want, err := os.ReadFile(filepath.Join(dir, "run.junit"))
	must(t, err)
	equal(t, string(want), r.out)
	if r.status != 1 || !strings.Contains(r.err, said) {
		t.Errorf("exit status %d, %q", r.status, r.err)
	}
	shardctl(t, append([]string{"report", "--events", "-"}, where...)...).expect(t, 1, `{"format":"shardctl-events","schema":1,"run":"r"`, `"type":"ending"`)
	shardctl(t, append([]string{"run", "--events", "-", "--tests", list(t, "a")}, fake(t)...)...).expect(t, 2, "--events -", "shardctl report --events -")

	// The order of a worker.
	names := shardctl(t, "replay", "--from", filepath.Join(dir, "run.events"), "--worker", "local1", "--list")
	other := shardctl(t, append([]string{"replay", "--worker", "local2", "--list"}, where...)...)
	for _, test := range []string{"a", "b", "c", "d", "e"} {
		if !strings.Contains("\n"+names.out+other.out, "\n"+test+"\n") {
			t.Errorf("no worker ran %s: %q, %q", test, names.out, other.out)
		}
	}
	shardctl(t, append([]string{"replay", "--worker", "local3", "--list"}, where...)...).expect(t, 2, `no worker "local3"`, "there are local")
	shardctl(t, append([]string{"replay", "--list"}, where...)...).expect(t, 2, "which worker?")
	shardctl(t, append([]string{"replay", "--worker", "local1", "--batch", "99"}, where...)...).expect(t, 2, "--batch 99", "batches")
}

// A run that goes on can be looked at; what is made of it is never green.
func TestReportOfRunUnderWay(t *testing.T) {
	t.Parallel()
	rdb := batchtest.Embedded(t)
	where := []string{"--redis-url", "redis://" + rdb.Options().Addr, "--run-id", "r"}
	shardctl(t, append([]string{"report"}, where...)...).expect(t, 3, "Redis holds no run of this id")
	shardctl(t, append([]string{"enqueue", "--seal", "--tests", list(t, "a", "b")}, where...)...).expect(t, 0)
	html := filepath.Join(t.TempDir(), "r.html")
	shardctl(t, append([]string{"report", "--html", html}, where...)...).expect(t, 3, "INCOMPLETE", "2 tests without a result")
	page, err := os.ReadFile(html)
	must(t, err)
	if !strings.Contains(string(page), "INCOMPLETE") {
		t.Error("the page does not say so")
	}
}

// What replay prints runs the same tests in the same order, in one process.
func TestReplayRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	log, events := filepath.Join(w.dir, "log"), filepath.Join(w.dir, "events.jsonl")
	template := fake(t, "-stdin", "-junit", "{junit}", "-log", log)
	w.run("shardctl", append([]string{"run", "--workers", "1", "--tests", list(t, number("test", 20)...), "--events", events}, template...)...).expect(t, 0, "PASSED")
	first, err := os.ReadFile(log)
	must(t, err)
	must(t, os.Remove(log))
	script := w.run("shardctl", append([]string{"replay", "--from", events, "--worker", "local1"}, template...)...)
	sh := exec.CommandContext(t.Context(), "sh")
	sh.Dir, sh.Env, sh.Stdin = w.dir, append(w.env, "PATH="+programsDir+string(filepath.ListSeparator)+os.Getenv("PATH")), strings.NewReader(script.out)
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	again, err := os.ReadFile(log)
	must(t, err)
	equal(t, string(first), string(again))
}

// What is no events file, or only a part of one, is never green.
func TestReportOfDamagedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	events := filepath.Join(dir, "events.jsonl")
	shardctl(t, append([]string{"run", "--workers", "1", "--tests", list(t, "a", "b"), "--events", events}, fake(t, "-stdin", "-junit", "{junit}")...)...).expect(t, 0, "PASSED")
	shardctl(t, "report", "--from", events).expect(t, 0, "PASSED: all 2 tests passed")
	text, err := os.ReadFile(events)
	must(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	for name, c := range map[string]struct {
		text   string
		status int
		says   string
	}{
		"cut":       {strings.Join(lines[:len(lines)-3], ""), 3, "INCOMPLETE: the events file has no end"},
		"a hole":    {strings.Join(append(append([]string{}, lines[:4]...), lines[5:]...), ""), 2, "lines are missing"},
		"empty":     {"", 2, "no events were written to it"},
		"something": {"<testsuites/>\n", 2, "it is no events file"},
	} {
		shardctl(t, "report", "--from", write(t, dir, strings.ReplaceAll(name, " ", "-"), c.text)).expect(t, c.status, c.says)
	}
	shardctl(t, "report", "--from", filepath.Join(dir, "nothing")).expect(t, 2, "--from", "no such file")
	shardctl(t, "report", "--from", events, "--events", events).expect(t, 2, "name the same file")
	shardctl(t, "report", "--from", events, "x").expect(t, 2, `unexpected argument "x"`)
	shardctl(t, "report").expect(t, 2, "no Redis")
}
