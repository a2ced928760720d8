package control

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// Reports of other tools give durations to what the presets list, as far as they tell which test they mean.
func TestTimingsFromTools(t *testing.T) {
	for tool, c := range map[string]struct {
		report string
		want   map[string]float64
	}{
		"pytest": {`<testsuites name="pytest tests"><testsuite name="pytest" tests="4">
			<testcase classname="tests.test_a.TestX" name="test_y[1.5-a/b]" time="1.5"/>
			<testcase classname="tests.test_a" name="test_plain" time="2.5"/>
			<testcase classname="tests.test_a" name="test_third" time="3.5"/>
			<testcase classname="tests.sub.test_b" name="test_plain" time="8"/></testsuite></testsuites>`,
			map[string]float64{
				"tests/test_a.py::TestX::test_y[1.5-a/b]": 1.5, "tests/test_a.py::test_plain": 2.5, "tests/sub/test_b.py::test_plain": 8,
				"tests/test_a.py::test_new": 3.5, "tests/test_c.py::test_plain": 0, // the median of the file's own; another file
			}},
		"pytest, by file": {`<testsuite name="pytest"><testcase classname="tests.test_a" name="one" time="1"/><testcase classname="tests.test_a" name="two" time="2"/></testsuite>`,
			map[string]float64{"tests/test_a.py": 3, "tests/test_ab.py": 0}},
		"pytest in another folder": {`<testsuite name="pytest"><testcase classname="backend.tests.test_a" name="one" time="1"/></testsuite>`,
			map[string]float64{"tests/test_a.py::one": 1}},
		"two folders that end alike": {`<testsuite name="pytest"><testcase classname="x.tests.test_a" name="one" time="1"/><testcase classname="y.tests.test_a" name="one" time="2"/></testsuite>`,
			map[string]float64{"tests/test_a.py::one": 0}},
		"rspec_junit_formatter": {`<testsuite name="rspec" tests="2"><properties><property name="seed" value="1"/></properties>
			<testcase classname="spec.models.user_spec" name="User is valid" file="./spec/models/user_spec.rb" time="0.25"></testcase>
			<testcase classname="spec.models.user_spec" name="User has a name" file="./spec/models/user_spec.rb" time="0.75"></testcase></testsuite>`,
			map[string]float64{"spec/models/user_spec.rb": 1, "./spec/models/user_spec.rb[1:1]": 0.75}},
		"gotestsum": {`<testsuites><testsuite tests="3" time="4.2" name="example.com/m/pkg">
			<testcase classname="example.com/m/pkg" name="TestA" time="4.000000"/>
			<testcase classname="example.com/m/pkg" name="TestA/sub_test" time="3.000000"/>
			<testcase classname="example.com/m/pkg" name="TestQuick" time="0.000000"/>
			<testcase classname="example.com/m/pkg" name="TestB" time="0.250000"/></testsuite></testsuites>`,
			map[string]float64{"example.com/m/pkg::TestA": 4, "example.com/m/pkg::TestB": 0.25, "example.com/m/pkg::TestQuick": report.Tiny}},
		"a tool that measures nothing": {`<testsuite><testcase classname="a" name="b" time="0"/></testsuite>`,
			map[string]float64{"a::b": 0, "a::c": 0}},
		"surefire": {`<testsuite name="com.acme.BarTest" time="3.1"><testcase name="works" classname="com.acme.BarTest" time="2.000"/>
			<testcase name="deep" classname="com.acme.BarTest$Nested" time="1.000"/></testsuite>`,
			map[string]float64{"com.acme.BarTest": 2, "com.acme.FooTest": 0}},
		"surefire, nested only": {`<testsuite name="com.acme.BarTest"><testcase name="deep" classname="com.acme.BarTest$Nested" time="1"/></testsuite>`,
			map[string]float64{"com.acme.BarTest": 1}},
		"jest-junit with addFileAttribute": {`<testsuites name="jest tests"><testsuite name="sum" time="0.9">
			<testcase classname="sum adds" name="sum adds" time="0.5" file="src/sum.test.js"/>
			<testcase classname="sum adds more" name="sum adds more" time="0.25" file="src/sum.test.js"/></testsuite></testsuites>`,
			map[string]float64{"src/sum.test.js": 0.75}},
		"mocha-junit-reporter": {`<testsuites name="Mocha Tests"><testsuite name="Root Suite" file="/home/ci/project/test/array.js" tests="1">
			<testcase name="Array works" classname="works" time="0.5"/></testsuite></testsuites>`,
			map[string]float64{"test/array.js": 0.5}},
		"vitest": {`<testsuites name="vitest tests"><testsuite name="src/a.test.ts"><testcase classname="src/a.test.ts" name="adds &gt; two" time="0.5"/></testsuite></testsuites>`,
			map[string]float64{"src/a.test.ts": 0.5}},
		"playwright": {`<testsuites><testsuite name="login.spec.ts"><testcase name="logs in" classname="login.spec.ts" time="2"/></testsuite></testsuites>`,
			map[string]float64{"e2e/login.spec.ts": 2, "e2e/other.spec.ts": 0}},
		"phpunit": {`<testsuites><testsuite name="Acme\MathTest" file="/app/tests/MathTest.php">
			<testcase name="testAdd" class="Acme\MathTest" classname="Acme.MathTest" file="/app/tests/MathTest.php" time="1"/>
			<testcase name="testSub with data set #0" class="Acme\MathTest" classname="Acme.MathTest" file="/app/tests/MathTest.php" time="2"/>
			<testcase name="testSub with data set #1" class="Acme\MathTest" classname="Acme.MathTest" file="/app/tests/MathTest.php" time="3"/></testsuite></testsuites>`,
			map[string]float64{`Acme\MathTest::testAdd`: 1, `Acme\MathTest::testSub`: 5}},
		"gtest": {`<testsuites name="AllTests"><testsuite name="Math"><testcase name="Adds" classname="Math" time="0.5"/></testsuite></testsuites>`,
			map[string]float64{"build/math_test::Math.Adds": 0.5}},
		"bats": {`<testsuites time="1"><testsuite name="a.bats"><testcase classname="a.bats" name="says hello" time="0.5"/><testcase classname="a.bats" name="ends" time="0.25"/></testsuite></testsuites>`,
			map[string]float64{"test/a.bats": 0.75, "test/a.bats::ends": 0.25}},
		"minitest-reporters": {`<testsuite name="UserTest" filepath="test/user_test.rb"><testcase name="test_valid" classname="UserTest" file="test/user_test.rb" time="0.5"/></testsuite>`,
			map[string]float64{"test/user_test.rb::UserTest#test_valid": 0.5}},
	} {
		t.Run(tool, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "junit.xml")
			must(t, os.WriteFile(file, []byte(c.report), 0o600))
			var tests []batch.Test
			for id := range c.want {
				tests = append(tests, batch.Test{ID: id})
			}
			must(t, timingsOf(t, "--timings", "off", "--timings-from", file).Fill(tests))
			got := map[string]float64{}
			for _, test := range tests {
				got[test.ID] = test.Seconds
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
