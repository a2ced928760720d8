package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch/batchtest"
)

// The same run, started twice at the same time with the same list, is one run with two controllers.
func TestTwoControllers(t *testing.T) {
	t.Parallel()
	batchtest.Each(t, twoControllers)
}

func TestControllerWithAnotherList(t *testing.T) {
	t.Parallel()
	url := "redis://" + batchtest.Embedded(t).Options().Addr
	g := barrier(t.TempDir())
	args := []string{"run", "--redis-url", url, "--run-id", "r", "--workers", "1", "--tests"}
	template := fake(t, "-barrier", string(g), "-junit", "{junit}", "-stdin")
	first := call{}.start(t, with(template, append(args, list(t, "block1", "b"))...)...)
	g.blocked(t, 1)
	shardctl(t, with(template, append(args, list(t, "block1", "c"))...)...).
		expect(t, 2, `run "r" is under way with another list`, "another run id", "clean")
	shardctl(t, "clean", "--redis-url", url, "--run-id", "r").expect(t, 2, `run "r" is under way`, "0 of 2 tests", "1 worker", "--force")
	g.open(t)
	first.wait().expect(t, 0, "all 2 tests passed")
}

// A run that is over stays over: a second start with its id is refused until somebody cleans it.
func TestRunAgain(t *testing.T) {
	t.Parallel()
	rdb := batchtest.Real(t)
	url := "redis://" + rdb.Options().Addr
	for _, end := range []struct {
		how, says string
		template  []string
		status    int
	}{
		{"done", "done", fake(t, "-junit", "{junit}", "-stdin"), 0},
		{"red", "done", fake(t, "-mode", "fail", "-junit", "{junit}", "-stdin"), 1},
	} {
		report := filepath.Join(t.TempDir(), "junit.xml")
		args := with(end.template, "run", "--redis-url", url, "--run-id", end.how, "--workers", "1", "--tests", list(t, "a", "b"), "--junit", report)
		shardctl(t, args...).expect(t, end.status)
		shardctl(t, args...).expect(t, 2, `run "`+end.how+`" is over (`+end.says, "another run id", "shardctl clean")
		shardctl(t, "wait", "--redis-url", url, "--run-id", end.how).expect(t, end.status)
		shardctl(t, "abort", "--redis-url", url, "--run-id", end.how).expect(t, 2, "nothing to stop")
		shardctl(t, "clean", "--redis-url", url, "--run-id", end.how).expect(t, 0, "keys deleted")
		shardctl(t, "clean", "--redis-url", url, "--run-id", end.how).expect(t, 0, "0 keys deleted")
		shardctl(t, "status", "--redis-url", url, "--run-id", end.how).expect(t, 3, "no run of this id")
		shardctl(t, args...).expect(t, end.status)
	}
	keys, err := rdb.Keys(t.Context(), "*").Result()
	must(t, err)
	shardctl(t, "clean", "--redis-url", url, "--run-id", "red").expect(t, 0)
	left, err := rdb.Keys(t.Context(), "*").Result()
	must(t, err)
	for _, key := range left {
		if strings.Contains(key, "red") {
			t.Errorf("%s is left of %q", key, keys)
		}
	}
	if len(left) == 0 {
		t.Error("cleaning one run deleted the other one too")
	}
}

func twoControllers(t *testing.T, rdb *redis.Client) {
	g := barrier(t.TempDir())
	tests := list(t, "block1", "block2", "a", "b")
	var reports []string
	var both []*running
	for _, name := range []string{"first", "second"} {
		reports = append(reports, filepath.Join(t.TempDir(), name+".xml"))
		both = append(both, call{}.start(t, with(fake(t, "-barrier", string(g), "-junit", "{junit}", "-stdin"), "run",
			"--redis-url", "redis://"+rdb.Options().Addr, "--run-id", "r", "--workers", "1", "--batch-size", "1", "--tests", tests, "--junit",
			reports[len(reports)-1])...))
	}
	g.blocked(t, 2)
	g.open(t)
	for i := range both {
		both[i].wait().expect(t, 0, "all 4 tests passed")
		allPassed(t, reports[i], "block1", "block2", "a", "b")
	}
}
