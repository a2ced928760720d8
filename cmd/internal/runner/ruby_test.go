package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// rubyProject makes a project of files, changes to it and returns its runner. Commands that are missing skip the test.
func rubyProject(t *testing.T, o Options, files map[string]string) *Tool {
	t.Helper()
	command := o.Name
	if o.Name == "minitest" {
		command = "ruby"
	}
	if _, err := exec.LookPath(command); err != nil {
		t.Skip(err)
	}
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	tool := r.(*Tool)
	t.Cleanup(func() { tool.Close() })
	return tool
}

// rubyListed are the units, one a line.
func rubyListed(t *testing.T, tool *Tool, patterns ...string) string {
	t.Helper()
	tests, err := tool.List(t.Context(), patterns)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(batch.Batch{Tests: tests}.IDs(), "\n")
}

// rubyBatches runs batches one after the other, each line one, its units separated by blanks, lets what is kept come to its
// end, and returns what was told: "passed UNIT: message", "problem SCOPE: message".
func rubyBatches(t *testing.T, tool *Tool, batches ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var told []string
	emit := func(events ...batch.Event) {
		for _, e := range events {
			switch e.Type {
			case batch.Finish:
				told = append(told, strings.TrimSuffix(string(e.Outcome.Status)+" "+e.Test+": "+e.Outcome.Message, ": "))
			case batch.ProblemFound:
				told = append(told, "problem "+e.Problem.Scope+": "+e.Problem.Message)
			}
		}
	}
	limits := Limits{Test: 10 * time.Second, Grace: time.Second}
	for i, ids := range batches {
		b := batch.Batch{Number: i + 1}
		for _, id := range strings.Split(ids, "|") {
			b.Tests = append(b.Tests, batch.Test{ID: id})
		}
		if err := tool.Run(ctx, Job{Batch: b, Limits: limits}, emit); err != nil {
			t.Fatal(err)
		}
	}
	if err := tool.Rest(ctx, 0, limits, emit); err != nil {
		t.Fatal(err)
	}
	return strings.Join(told, "\n")
}

func TestRSpecExamples(t *testing.T) {
	tool := rubyProject(t, Options{Name: "rspec", Granularity: "test", Persistent: "off"}, map[string]string{
		".rspec": "--require spec_helper\n",
		"spec/spec_helper.rb": `RSpec.configure { |c| c.filter_run_when_matching :focus; c.filter_run_excluding :slow }
def elsewhere; RSpec.describe("elsewhere") { it("runs") {} }; end`,
		"spec/a_spec.rb": `RSpec.describe "a" do
  it("runs") {}
  it("is slow", :slow) {}
  it("is never", :if => false) {}
  context("group") { 2.times { it("twice") {} } }
end
RSpec.describe("b") { after(:all) { raise "no end" }; it("fails") { expect("x\ny").to eq("x\nz") }; it { expect(2).to be_even } }`,
		"spec/b_spec.rb":         `elsewhere`,
		"spec/helper_spec.rb":    `Helper = 1`,
		"spec/broken_spec.rb":    `raise "no"`,
		"spec/sub dir/[x].rb":    `RSpec.describe("named by hand") { it("runs") {} }`,
		"spec/sub dir/ü_spec.rb": `RSpec.describe("ü") { it("runs") {} }`,
	})
	want := `./spec/a_spec.rb[1:1]
./spec/a_spec.rb[1:4:1]
./spec/a_spec.rb[1:4:2]
./spec/a_spec.rb[2:1]
./spec/a_spec.rb[2:2]
spec/b_spec.rb
spec/broken_spec.rb
./spec/sub dir/ü_spec.rb[1:1]`
	if diff := cmp.Diff(want, rubyListed(t, tool)); diff != "" {
		t.Errorf("the list: -want +got\n%s", diff)
	}
	if diff := cmp.Diff("./spec/a_spec.rb[1:4:1]\n./spec/a_spec.rb[1:4:2]\n./spec/sub dir/[x].rb[1:1]", rubyListed(t, tool, "spec/a_spec.rb:5", "spec/sub dir/[x].rb")); diff != "" {
		t.Errorf("a part: -want +got\n%s", diff)
	}
	got := rubyBatches(t, tool, "./spec/a_spec.rb[2:1]|./spec/a_spec.rb[1:4:2]|./spec/a_spec.rb[1:2]|./spec/a_spec.rb[1:3]|./spec/a_spec.rb[9]|spec/b_spec.rb|spec/helper_spec.rb|spec/broken_spec.rb|./spec/sub dir/[x].rb[1:1]",
		"./spec/a_spec.rb[1:4]|spec/none_spec.rb", "spec/a_spec.rb")
	want = `passed ./spec/a_spec.rb[1:2]
passed ./spec/a_spec.rb[1:4:2]
failed ./spec/a_spec.rb[2:1]: b fails: expected: "x\nz" got: "x\ny" (compared using ==)
problem rspec: An error occurred in an ` + "`after(:context)`" + ` hook. RuntimeError: no end
passed spec/b_spec.rb
skipped spec/helper_spec.rb: it has no examples, or the filters of rspec's options leave none
failed spec/broken_spec.rb: cannot be loaded: RuntimeError: no
passed ./spec/sub dir/[x].rb[1:1]
passed ./spec/a_spec.rb[1:4]
failed spec/none_spec.rb: cannot be loaded: LoadError: cannot load such file -- `
	if diff := cmp.Diff(want, got[:min(len(got), len(want))]); diff != "" {
		t.Errorf("-want +got\n%s\n%s", diff, got)
	}
	if !strings.Contains(got, "\nfailed spec/a_spec.rb: b fails: expected") {
		t.Error(got)
	}
}

func TestRSpecKeepsState(t *testing.T) {
	tool := rubyProject(t, Options{Name: "rspec", Granularity: "test", Persistent: "on"}, map[string]string{
		"spec/spec_helper.rb": `$before = $after = 0
RSpec.configure { |c| c.before(:suite) { $before += 1 }; c.after(:suite) { warn "AFTER"; raise "after #{$before}" } }
RSpec.shared_examples("shared") { it("is shared") { raise "shared" if $loads > 1 } }`,
		"spec/a_spec.rb": `require "spec_helper"
$loads = $loads.to_i + 1
A = Struct.new(:x)
class B < A; end
RSpec.configure { |c| c.before(:suite) { $late = $late.to_i + 1 } }
RSpec.describe "a" do
  before(:all) { @all = ($all = $all.to_i + 1) }
  include_examples "shared"
  it("one") { raise "#{$loads} #{$before} #{$late} #{@all}" unless [$loads, $before, $late, @all] == [1, 1, 1, 1] }
  it("two") { raise "#{$loads} #{$before} #{$late} #{@all}" unless [$loads, $before, $late, @all] == [1, 1, 1, 2] }
  it("batch") { raise ENV["SHARD_BATCH_ID"].to_s unless ENV["SHARD_SOCKET"].nil? }
end`,
		"spec/b_spec.rb": `require "spec_helper"
RSpec.shared_examples("shared in b") { it("is shared") {} }
RSpec.configure { |c| c.before(:suite) { $of_b = $of_b.to_i + 1 } }
RSpec.describe("b") { include_examples "shared in b"; it("has its hook") { raise unless $of_b == 1 && $before == 1 } }`,
	})
	got := rubyBatches(t, tool, "./spec/a_spec.rb[1:1]|./spec/a_spec.rb[1:2]", "./spec/b_spec.rb[1:1]", "./spec/a_spec.rb[1:3]|./spec/a_spec.rb[1:4]", "./spec/b_spec.rb[1:2]")
	want := `passed ./spec/a_spec.rb[1:1]
passed ./spec/a_spec.rb[1:2]
passed ./spec/b_spec.rb[1:1]
passed ./spec/a_spec.rb[1:3]
passed ./spec/a_spec.rb[1:4]
passed ./spec/b_spec.rb[1:2]
problem rspec: An error occurred in an ` + "`after(:suite)`" + ` hook. RuntimeError: after 1`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestRSpecBrokenHelpers(t *testing.T) {
	spec := `RSpec.describe("a") { it("runs") {} }`
	for _, persistent := range []string{"off", "on"} {
		t.Run("before(:suite), persistent="+persistent, func(t *testing.T) {
			tool := rubyProject(t, Options{Name: "rspec", Persistent: persistent}, map[string]string{
				".rspec": "--require spec_helper", "spec/spec_helper.rb": `RSpec.configure { |c| c.before(:suite) { raise "no server" } }`,
				"spec/a_spec.rb": spec, "spec/b_spec.rb": spec,
			})
			got := rubyBatches(t, tool, "spec/a_spec.rb|spec/b_spec.rb")
			if diff := cmp.Diff("failed spec/a_spec.rb: before(:suite) failed: RuntimeError: no server\nfailed spec/b_spec.rb: before(:suite) failed: RuntimeError: no server", got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	t.Run("spec_helper", func(t *testing.T) {
		tool := rubyProject(t, Options{Name: "rspec", Persistent: "off"}, map[string]string{
			".rspec": "--require spec_helper", "spec/spec_helper.rb": `raise "no configuration"`, "spec/a_spec.rb": spec, "spec/b_spec.rb": spec,
		})
		const why = "a file that rspec requires (--require, .rspec) cannot be loaded: RuntimeError: no configuration"
		if _, err := tool.List(t.Context(), nil); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("the list: %v", err)
		}
		got := rubyBatches(t, tool, "spec/a_spec.rb|spec/b_spec.rb")
		if diff := cmp.Diff("failed spec/a_spec.rb: "+why+"\nfailed spec/b_spec.rb: "+why, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

// TestRSpecExitStatus says that the exit status that the project chose for failures is no problem beside them, and that of a coverage
// threshold is.
func TestRSpecExitStatus(t *testing.T) {
	for _, c := range []struct{ helper, more string }{
		{"RSpec.configure { |c| c.failure_exit_code = 7 }", ""},
		{"at_exit { exit 2 }", "\nproblem rspec: exit status 2, which the tests that failed do not explain: something else went wrong in their process, or the project chose that status"},
	} {
		for _, persistent := range []string{"off", "on"} {
			tool := rubyProject(t, Options{Name: "rspec", Persistent: persistent}, map[string]string{
				".rspec": "--require spec_helper", "spec/spec_helper.rb": c.helper, "spec/a_spec.rb": `RSpec.describe("a") { it("fails") { raise "no" } }`,
			})
			if diff := cmp.Diff("failed spec/a_spec.rb: a fails: RuntimeError: no"+c.more, rubyBatches(t, tool, "spec/a_spec.rb")); diff != "" {
				t.Errorf("%s, persistent=%s: -want +got\n%s", c.helper, persistent, diff)
			}
		}
	}
}

func TestMinitestKeepsState(t *testing.T) {
	for _, persistent := range []string{"off", "on"} {
		t.Run("persistent="+persistent, func(t *testing.T) {
			tool := rubyProject(t, Options{Name: "minitest", Persistent: persistent}, map[string]string{
				"test/test_helper.rb": `require "minitest/autorun"; Minitest.after_run { raise "after_run" }`,
				"test/a_test.rb": `require "test_helper"
$loads = $loads.to_i + 1
class ATest < Minitest::Test
  def test_one; assert_equal 1, $loads; end
  def test_two; assert_equal 1, $loads; end
  def test_three; flunk "of a"; end
end`,
				"test/b_test.rb": `require_relative "a_test"
class ATest < Minitest::Test
  def test_three; end
end
class BTest < ATest; end`,
			})
			wantList := `test/a_test.rb::ATest#test_one
test/a_test.rb::ATest#test_two
test/a_test.rb::ATest#test_three
test/b_test.rb::ATest#test_three
test/b_test.rb::BTest#test_one
test/b_test.rb::BTest#test_two
test/b_test.rb::BTest#test_three`
			if diff := cmp.Diff(wantList, rubySorted(rubyListed(t, tool), wantList)); diff != "" {
				t.Errorf("the list: -want +got\n%s", diff)
			}
			// a_test.rb's test_three is not that of the class any more: it is left to a process of its own.
			got := rubyBatches(t, tool, "test/b_test.rb::ATest#test_three", "test/a_test.rb::ATest#test_two|test/a_test.rb::ATest#nothing", "test/a_test.rb::ATest#test_one", "test/b_test.rb::BTest#test_one")
			want := `passed test/b_test.rb::ATest#test_three
problem minitest: after_run: RuntimeError: after_run
passed test/a_test.rb::ATest#test_two
problem minitest: after_run: RuntimeError: after_run
passed test/a_test.rb::ATest#test_one
problem minitest: after_run: RuntimeError: after_run
passed test/b_test.rb::BTest#test_one
problem minitest: after_run: RuntimeError: after_run`
			if persistent == "on" {
				want = strings.ReplaceAll(want, "\nproblem minitest: after_run: RuntimeError: after_run", "") + "\nproblem minitest: after_run: RuntimeError: after_run"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// rubySorted are the lines of text in the order that they have in like; others follow.
func rubySorted(text, like string) string {
	var lines []string
	for _, line := range strings.Split(like, "\n") {
		if strings.Contains("\n"+text+"\n", "\n"+line+"\n") {
			lines = append(lines, line)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if !strings.Contains("\n"+like+"\n", "\n"+line+"\n") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func TestMinitestName(t *testing.T) {
	for test, want := range map[string]string{
		"ATest#test_one":                "ATest#test_one",
		"a b#test_0001_GET /x":          "a b#test_0001_GET /x",
		"a#test_0001_GET /x/y.z":        `/\Aa#test_0001_GET /x/y\.z\z/`,
		`a#test_0001_two\nlines`:        `/\Aa#test_0001_two\nlines\z/`,
		"twice#test_0001_is one (2)":    "twice#test_0001_is one",
		"twice#test_0001_is one (or 2)": "twice#test_0001_is one (or 2)",
	} {
		if got := minitestName(test); got != want {
			t.Errorf("%q: %q, want %q", test, got, want)
		}
	}
}

func TestCucumberBrokenSupport(t *testing.T) {
	tool := rubyProject(t, Options{Name: "cucumber"}, map[string]string{
		"features/support/env.rb": `raise "no configuration"`,
		"features/a b.feature":    "Feature: a\n  Scenario: one\n    Given x\n  Scenario: two\n    Given x\n",
	})
	if diff := cmp.Diff("features/a b.feature:2\nfeatures/a b.feature:4", rubyListed(t, tool)); diff != "" {
		t.Errorf("the list: -want +got\n%s", diff)
	}
	const why = "the support code cannot be loaded: RuntimeError: no configuration"
	got := rubyBatches(t, tool, "features/a b.feature:2|features/a b.feature:4")
	if diff := cmp.Diff("failed features/a b.feature:2: "+why+"\nfailed features/a b.feature:4: "+why, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestCucumberMissingFeature(t *testing.T) {
	tool := rubyProject(t, Options{Name: "cucumber"}, map[string]string{"features/a.feature": "Feature: a\n  Scenario: one\n    Given x\n"})
	got := rubyBatches(t, tool, "features/gone.feature:2|features/a.feature:2", "features/gone.feature:2")
	const want = "failed features/gone.feature:2: cucumber ended by an error: Cucumber::FeatureFolderNotFoundException: No such file or directory"
	if !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
		t.Error(got)
	}
}

func TestRubyCommand(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if _, err := rspec.command(dir); err == nil || !strings.Contains(err.Error(), "gem install rspec") {
		t.Error(err)
	}
	for _, name := range []string{"rspec", "ruby"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	check := func(p preset, want string) {
		t.Helper()
		words, err := p.command(dir)
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s: %q, %v; want %q", p.name, got, err, want)
		}
	}
	check(rspec, "rspec")
	check(minitest, "ruby -Ilib -Itest")
	if err := os.WriteFile(filepath.Join(dir, "Gemfile.lock"), []byte("GEM\n  specs:\n    rspec-core (3.13.0)\n    minitest (5.25.0)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := rspec.command(dir); err == nil || !strings.Contains(err.Error(), "bundle is not in PATH") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bundle"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	check(rspec, "bundle exec rspec")
	check(minitest, "bundle exec ruby -Ilib -Itest")
}

// TestRubyJSON gives the plugins' own JSON texts that a name or an output may hold, there and back.
func TestRubyJSON(t *testing.T) {
	if _, err := exec.LookPath("ruby"); err != nil {
		t.Skip(err)
	}
	ids := []string{"a b", `"quoted" \ 'single' \n \u0041`, "ünï 日本 ✓ 😀", "<a>&amp;", "\u2028\u2029", "[1:2],{}:", "\x00\x01\x1f\x7f", "tab\tline\nreturn\r", "type", "", `\\"`}
	line, err := json.Marshal(message{Type: messageBatch, IDs: ids, Batch: "7"})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("ruby", "-r./plugins/ruby/shard.rb", "-e", `
line = $stdin.read.force_encoding("UTF-8")
told = Shard::Json.read(line)
puts Shard::Json.write(:ids => told["ids"], :batch => told["batch"], :bad => ["a\xff", "\xe9".b, "\u00e9".encode("UTF-16LE"), "\u00e9".b, nil, 1.5, 3, :symbol])`)
	command.Stdin = bytes.NewReader(line)
	command.Env = append(os.Environ(), "LC_ALL=C")
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		IDs, Batch []string
		Bad        []any
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(ids, got.IDs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]any{"a\ufffd", "\ufffd", "é", "é", "", 1.5, 3.0, "symbol"}, got.Bad); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
