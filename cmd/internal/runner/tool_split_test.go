package runner

import (
	"maps"
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// splitInto are the tests of files by file.
func splitInto(t *testing.T, tool *Tool, files ...string) map[string][]string {
	t.Helper()
	split, err := tool.Split(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string][]string{}
	for file, tests := range split {
		ids[file] = batch.Batch{Tests: tests}.IDs()
	}
	return ids
}

// Files of which the tests cannot all be told stay whole, and a batch may have files and tests of others.
func TestSplitRSpec(t *testing.T) {
	for _, persistent := range []string{"off", "on"} {
		t.Run("persistent="+persistent, func(t *testing.T) {
			tool := rubyProject(t, Options{Name: "rspec", Persistent: persistent}, map[string]string{
				"spec/spec_helper.rb": `def elsewhere; RSpec.describe("elsewhere") { it("runs") {} }; end`,
				"spec/slow_spec.rb": `RSpec.describe "slow" do
  before(:all) { @of_all = 1 }
  it("one") { raise unless @of_all == 1 }
  context("group") { it("two") { raise "two" } }
end`,
				"spec/fast_spec.rb":      `RSpec.describe("fast") { 2.times { it("runs") {} } }`,
				"spec/elsewhere_spec.rb": `require "spec_helper"` + "\n" + `RSpec.describe("here") { it("runs") {} }; elsewhere`,
				"spec/broken_spec.rb":    `raise "no"`,
			})
			got := splitInto(t, tool, "spec/slow_spec.rb", "spec/elsewhere_spec.rb", "spec/broken_spec.rb")
			if diff := cmp.Diff(map[string][]string{"spec/slow_spec.rb": {"./spec/slow_spec.rb[1:1]", "./spec/slow_spec.rb[1:2:1]"}}, got); diff != "" {
				t.Error(diff)
			}
			told := rubyBatches(t, tool, "./spec/slow_spec.rb[1:2:1]|spec/fast_spec.rb", "./spec/slow_spec.rb[1:1]")
			want := "failed ./spec/slow_spec.rb[1:2:1]: slow group two: RuntimeError: two\npassed spec/fast_spec.rb\npassed ./spec/slow_spec.rb[1:1]"
			if diff := cmp.Diff(want, told); diff != "" {
				t.Error(diff)
			}
			if listed := rubyListed(t, tool, "spec/slow_spec.rb"); listed != "spec/slow_spec.rb" {
				t.Errorf("after it was split it is listed as %s", listed)
			}
		})
	}
}

func TestSplitBats(t *testing.T) {
	tool := rubyProject(t, Options{Name: "bats"}, map[string]string{
		"slow.bats":  "@test \"one [a]\" { true; }\n@test \"two\" {\n  false\n}\n",
		"fast.bats":  "@test \"one\" { true; }\n@test \"two\" { true; }\n",
		"twice.bats": "@test \"one\" { true; }\n@test \"one\" { true; }\n@test \"two\" { true; }\n",
		"empty.bats": "# none\n",
	})
	files := []string{"slow.bats", "fast.bats", "twice.bats", "empty.bats"}
	want := map[string][]string{"slow.bats": {"slow.bats::one [a]", "slow.bats::two"}, "fast.bats": {"fast.bats::one", "fast.bats::two"}}
	if diff := cmp.Diff(want, splitInto(t, tool, files...)); diff != "" {
		t.Error(diff)
	}
	told := rubyBatches(t, tool, "slow.bats::two|fast.bats|slow.bats::one [a]")
	wantTold := "passed slow.bats::one [a]\nfailed slow.bats::two: `false' failed\npassed fast.bats"
	if diff := cmp.Diff(wantTold, told); diff != "" {
		t.Error(diff)
	}
	tool.o.Args = []string{"--filter", "one"} // leaves tests out, so that not all are to be listed
	if got := splitInto(t, tool, files...); len(got) > 0 {
		t.Errorf("with an option that leaves tests out: %v", slices.Sorted(maps.Keys(got)))
	}
}

// A unit that the user chose is kept, and so is that of runners that know no tests of a file.
func TestSplitNothing(t *testing.T) {
	for _, o := range []Options{{Name: "bats", Granularity: "file"}, {Name: "bats", Granularity: "test"}, {Name: "socket", Args: []string{"true"}, Granularity: "auto"}} {
		if _, err := exec.LookPath(o.Name); err != nil && o.Name != "socket" {
			t.Skip(err)
		}
		r, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		tool := r.(*Tool)
		defer tool.Close()
		if got := splitInto(t, tool, "a.bats"); len(got) > 0 {
			t.Errorf("%+v: %v", o, got)
		}
	}
}
