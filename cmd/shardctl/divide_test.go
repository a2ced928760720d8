package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/plan"
)

// A file that earlier runs found slow runs test by test, beside files that do not, with the same cases in its report; and another attempt
// starts from that list, although the file is fast by then.
func TestSlowFileRunsTestByTest(t *testing.T) {
	t.Parallel()
	for name, project := range map[string]struct {
		files map[string]string
		slow  string
		cases int
	}{
		"rspec": {
			files: map[string]string{
				"spec/slow_spec.rb": `RSpec.describe "slow" do
  it("passes") {}
  it("is pending")
  context("group") { it("fails") { expect(1).to eq(2) } }
end`,
				"spec/fast_spec.rb": `RSpec.describe("fast") { 2.times { |i| it("passes #{i}") {} } }`,
			},
			slow: "spec/slow_spec.rb", cases: 5,
		},
		"bats": {
			files: map[string]string{
				"slow.bats": "@test \"passes\" { true; }\n@test \"is skipped\" { skip; }\n@test \"fails\" { false; }\n",
				"fast.bats": "@test \"passes\" { true; }\n",
			},
			slow: "slow.bats", cases: 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip(err)
			}
			t.Parallel()
			w := newWorld(t)
			for file, text := range project.files {
				must(t, os.MkdirAll(filepath.Dir(filepath.Join(w.dir, file)), 0o755))
				write(t, w.dir, file, text)
			}
			takes := func(seconds float64) {
				known, err := json.Marshal(plan.Timings{Version: 1, Tests: map[string]plan.Record{project.slow: {Seconds: seconds}}})
				must(t, err)
				write(t, w.dir, "timings.json", string(known))
			}
			redis := "redis://" + batchtest.StartReal(t).Addr
			run := func(id string, flags ...string) result {
				return w.run("shardctl", append([]string{"run", "--redis-url", redis, "--run-id", id, "--workers", "2", "--runner", name,
					"--timings", "timings.json", "--junit", id + ".xml"}, flags...)...)
			}
			const divided = ": its 3 tests are listed one by one"
			takes(1)
			run("one").expect(t, 1, "run one: 2 tests")
			takes(42)
			run("two").expect(t, 1, "run two: 4 tests", project.slow+" takes 42s"+divided)
			takes(1)
			run("three", "--rerun", "failed", "--rerun-of", "two").expect(t, 1, project.slow+divided+", as in run two", "3 of 4 results of the former attempt hold")
			run("two").expect(t, 2, "as in run two", "is over (done)") // and not: has another list
			whole := statuses(t, filepath.Join(w.dir, "one.xml"))
			if len(whole) != project.cases {
				t.Errorf("%d cases: %v", len(whole), whole)
			}
			equal(t, whole, statuses(t, filepath.Join(w.dir, "two.xml")))
			equal(t, whole, statuses(t, filepath.Join(w.dir, "three.xml")))
			w.empty()
		})
	}
}
