package runner

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
)

// tc is a line as PHPUnit writes it for test A::name.
func tc(message, name, more string) string {
	return "##teamcity[" + message + " name='" + name + `' locationHint='php_qn:///x/ATest.php::\A::` + name + "' " + more + "flowId='1']\n\n"
}

func TestPhpunitStream(t *testing.T) {
	const open, shut = `##teamcity[testCount count='9']` + "\n" + `##teamcity[testSuiteStarted name='A' locationHint='php_qn:///x/ATest.php::\A']` + "\n", "##teamcity[testSuiteFinished name='A']\n"
	for name, c := range map[string]struct {
		ids     []string
		depends map[string][]string
		strict  bool
		stops   bool
		text    string
		e       exit
		printed string
		want    []string
	}{
		"tests": {
			ids: []string{"A::a", "A::b", "A::c"},
			text: open + tc("testStarted", "a", "") + tc("testFinished", "a", "duration='12' ") + tc("testStarted", "b", "") +
				tc("testFailed", "b", "message='x || |[y|]|nz' details=' /x/vendor/a.php:1|n /x/ATest.php:3|n ' ") + "printed ##teamcity[no\n" + tc("testFinished", "b", "duration='1' ") +
				tc("testStarted", "c", "") + tc("testIgnored", "c", "message='why' details=' ' ") + tc("testFinished", "c", "") + shut,
			e: exit{Code: 1},
			want: []string{
				"start A::a", "at A::a: a", "finish A::a passed | a passed", "start A::b", "at A::b: b", `finish A::b failed "x | [y]\nz" | b failed "x | [y]\nz"`,
				"start A::c", "at A::c: c", `finish A::c skipped "why" | c skipped "why"`, "end",
			},
		},
		"data sets": {
			ids: []string{"A::a"},
			text: open + tc("testSuiteStarted", "a", "") + tc("testStarted", "a with data set #0", "") + tc("testFinished", "a with data set #0", "") +
				tc("testStarted", `a with data set "::x with data set "`, "") + tc("testFailed", "a", "message='no' ") + tc("testFinished", "a", "") +
				"##teamcity[testSuiteFinished name='a']\n" + shut,
			e: exit{Code: 1},
			want: []string{
				"start A::a", "at A::a: a with data set #0", `at A::a: a with data set "::x with data set "`,
				`finish A::a failed | a with data set #0 passed | a with data set "::x with data set " failed "no"`, "end",
			},
		},
		"risky":                 {ids: []string{"A::a"}, text: open + tc("testStarted", "a", "") + tc("testFailed", "a", "message='This test did not perform any assertions|n' ") + tc("testFinished", "a", "") + shut, want: []string{"start A::a", "at A::a: a", `finish A::a passed "risky: This test did not perform any assertions" | a passed "risky: This test did not perform any assertions"`, "end"}},
		"risky, which fails":    {ids: []string{"A::a"}, strict: true, text: open + tc("testStarted", "a", "") + tc("testFailed", "a", "message='This test printed output: x' ") + tc("testFinished", "a", "") + shut, want: []string{"start A::a", "at A::a: a", `finish A::a failed "This test printed output: x" | a failed "This test printed output: x"`, "end"}},
		"kept by a hook":        {ids: []string{"A::a"}, text: open + tc("testStarted", "a", "") + tc("testIgnored", "a", "message='"+phpunitHooked+"' ") + tc("testFinished", "a", "") + shut, want: []string{"start A::a", "at A::a: a", `finish A::a failed "` + phpunitHooked + `" | a failed "` + phpunitHooked + `"`, "end"}},
		"tearDownAfterClass":    {ids: []string{"A::a"}, text: open + tc("testStarted", "a", "") + tc("testFinished", "a", "") + tc("testStarted", "tearDownAfterClass", "") + tc("testFailed", "tearDownAfterClass", "message='no' ") + tc("testFinished", "tearDownAfterClass", "") + shut, want: []string{"start A::a", "at A::a: a", "finish A::a passed | a passed", "problem A: no", "end"}},
		"what others depend on": {ids: []string{"A::b"}, depends: map[string][]string{"b": {"a"}}, text: open + tc("testStarted", "a", "") + tc("testFailed", "a", "message='no' ") + tc("testFinished", "a", "") + shut, want: []string{"start A::a", "at A::a: a", "end"}},
		"strangers": {
			ids:  []string{"A::b"},
			text: open + tc("testStarted", "a", "") + tc("testFailed", "a", "message='no' ") + tc("testFinished", "a", "") + tc("testStarted", "b", "") + tc("testIgnored", "b", "message='"+phpunitHooked+"' ") + tc("testFinished", "b", "") + shut,
			want: []string{"start A::a", "at A::a: a", "start A::b", "at A::b: b", `finish A::b failed "` + phpunitHooked + `: no" | b failed "` + phpunitHooked + `: no"`, "end"},
		},
		"only a stranger": {
			ids:  []string{"A::b"},
			text: open + tc("testStarted", "a", "") + tc("testFailed", "a", "message='no' ") + tc("testFinished", "a", "") + tc("testStarted", "b", "") + tc("testFinished", "b", "") + shut,
			want: []string{"start A::a", "at A::a: a", "start A::b", "at A::b: b", "finish A::b passed | b passed", `finish A::a failed "no" | a failed "no"`, "end"},
		},
		"a class": {ids: []string{"A"}, text: open + tc("testStarted", "a", "") + tc("testFinished", "a", "") + tc("testStarted", "b", "") + tc("testFailed", "b", "message='no' ") + tc("testFinished", "b", "") + shut, want: []string{"start A", "at A: a", "at A: b", `finish A failed | a passed | b failed "no"`, "end"}},
		"a class, stopped": {
			ids: []string{"A"}, stops: true, text: open + tc("testStarted", "a", "") + tc("testIgnored", "a", "message='why' ") + tc("testFinished", "a", "") + shut,
			want: []string{"start A", "at A: a", `finish A failed "PHPUnit stopped after 1 of its 9 tests, as an option says (stopOnSkipped, --stop-on-skipped or the like)" | a skipped "why"`, "end"},
		},
		"a method, before which a failure stopped all": {
			ids: []string{"A::a", "A::b"}, text: open + tc("testStarted", "a", "") + tc("testFailed", "a", "message='no' ") + tc("testFinished", "a", "") + shut, e: exit{Code: 1},
			want: []string{"start A::a", "at A::a: a", `finish A::a failed "no" | a failed "no"`, "end"},
		},
		"it dies": {ids: []string{"A::a", "A::b"}, text: open + tc("testStarted", "a", ""), e: exit{Code: 255}, want: []string{"start A::a", "at A::a: a"}},
		"a file does not load": {
			ids: []string{"tests/B.php"}, e: exit{Code: 255}, printed: "PHPUnit 9 by Sebastian Bergmann\n\nPHP Fatal error:  Uncaught Error: no in /x/B.php:3\n",
			want: []string{`finish tests/B.php failed "PHPUnit cannot run it: Fatal error:  Uncaught Error: no in /x/B.php:3"`},
		},
		"garbage": {ids: []string{"A::a"}, text: "##teamcity[testFinished name='a']\n##teamcity[testSuiteFinished name='A']\n##teamcity[testIgnored name='a']\n##teamcity[testStarted]\n", want: []string{"start ::", "at ::: "}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newPhpunitStream(c.ids, c.strict, c.stops)
			s.pull(c.depends)
			checkTold(t, append(heard(s, c.text), sayMessages(s.end(c.e, c.printed))...), c.want...)
		})
	}
}

func TestPhpunitList(t *testing.T) {
	t.Chdir(t.TempDir())
	source := "<?php\nnamespace App;\nfinal class ATest extends TestCase {\n/** @dataProvider x */ public function testLost($a) {}\n#[DataProvider('x')]\nfunction testListed($a) {} function x() {} }"
	if err := os.WriteFile("ATest.php", []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text, granularity string
		want              []string
	}{
		"9": {`<tests><testCaseClass name="App\ATest"><testCaseMethod name="testListed" dataSet="#0"/><testCaseMethod name="testListed" dataSet="&quot;a&quot;"/></testCaseClass>
			<testCaseClass name="PHPUnit\Framework\ErrorTestCase"><testCaseMethod name="Error"/></testCaseClass>
			<testCaseClass name="PHPUnit\Framework\SkippedTestCase"><testCaseMethod name="App\ATest::testNone"/></testCaseClass><phptFile path="/x/a.phpt"/></tests>`,
			unitTest, []string{`App\ATest::testListed`, `App\ATest::testNone`, "/x/a.phpt", `App\ATest::testLost`}},
		"11":      {`<testSuite xmlns="https://xml.phpunit.de/testSuite"><tests><testClass name="App\ATest" file="/x/ATest.php"><testMethod id="App\ATest::testA" name="testA"/></testClass></tests></testSuite>`, unitTest, []string{`App\ATest::testA`}},
		"classes": {`<tests><testCaseClass name="A"><testCaseMethod name="a"/><testCaseMethod name="b"/></testCaseClass></tests>`, unitClass, []string{"A"}},
	} {
		l := &phpunitLister{t: &Tool{o: Options{Granularity: c.granularity}}, seen: map[string]bool{}}
		if err := l.read([]byte(c.text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, test := range l.tests {
			got = append(got, test.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	l := &phpunitLister{t: &Tool{}, seen: map[string]bool{}}
	if err := l.read([]byte("<tests><testCaseClass")); err == nil {
		t.Error("half a list is no error")
	}
}

// A list is right that is whole, even if PHPUnit fails after it has written it.
func TestPhpunitEndsBadly(t *testing.T) {
	if _, err := exec.LookPath("phpunit"); err != nil {
		t.Skip(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("tests", 0o700); err != nil {
		t.Fatal(err)
	}
	const text = `<?php
register_shutdown_function(function () { exit(3); });
class ATest extends PHPUnit\Framework\TestCase { public function testA(): void {} }
`
	if err := os.WriteFile("tests/ATest.php", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Name: "phpunit"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.(*Tool).Close()
	tests, err := r.(Lister).List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ATest::testA"}
	if diff := cmp.Diff(want, batch.Batch{Tests: tests}.IDs()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// PHPUnit 10 lists the methods whose data providers work, and prints the others.
func TestPhpunitListsLost(t *testing.T) {
	folder := t.TempDir()
	script := folder + "/phpunit"
	const text = `#!/bin/sh
for list; do :; done
echo '<tests><testCaseClass name="A"><testCaseMethod name="a"/></testCaseClass></tests>' >"$list"
printf 'There were errors:\n\nThe data provider specified for A::b is invalid\nno data\n\nThe data provider specified for A::c is invalid\nEmpty data set\n'
exit 2
`
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	l := &phpunitLister{t: &Tool{words: []string{script}, folder: folder}, seen: map[string]bool{}}
	list, err := l.ask(t.Context(), "")
	if err == nil {
		err = l.read(list)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"A::b", "A::c", "A::a"}, batch.Batch{Tests: l.tests}.IDs()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPhpunitSources(t *testing.T) {
	for text, want := range map[string]string{
		"<?php\nclass ATest extends X {}":                                "ATest",
		"<?php namespace A\\B;\n\nfinal class ATest\n{":                  `A\B\ATest`,
		"<?php\nnamespace A { abstract readonly class ATest {} }":        "",
		"<?php\nnamespace A;\nuse X\\ATest;\nclass Other {}\n":           "",
		"<?php\n// the class ATest is not here\nfunction f() {}":         "",
		"<?php\ndeclare(strict_types=1);\nnamespace Ä;\nclass ATest {}":  `Ä\ATest`,
		"<?php\nnamespace A;\nclass Helper {}\n\nclass ATest extends X{": `A\ATest`,
	} {
		if got := phpunitClass("tests/ATest.php", []byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	file := t.TempDir() + "/ATest.php"
	text := "/** @depends a\n * @depends clone b */ function c() {}\n#[Depends('c')] public function d() {}\n#[\\PHPUnit\\Framework\\Attributes\\DependsUsingDeepClone('d')] function e() {}\nfunction f() {}\n/** @depends ATest::a */ function g() {}"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"c": {"a", "b"}, "d": {"c"}, "e": {"d"}, "g": {"a"}}
	if diff := cmp.Diff(want, phpunitDepends(file)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	s := newPhpunitStream([]string{"A::e"}, false, false)
	if diff := cmp.Diff([]string{"A::e", "A::d", "A::c", "A::a", "A::b"}, s.pull(want)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPhpunitArguments(t *testing.T) {
	got := strings.Join(phpunitSelect([]string{`A\B::testÄ_x`}, "tests/B.php"), " ")
	want := `--filter /^(?:The data provider specified for |PHPUnit\\Framework\\[A-Za-z]+::)?(?:A\\B::testÄ_x(?: |#|@|$))/ tests/B.php`
	if got != want {
		t.Errorf("%s", got)
	}
	long := strings.Repeat("x", maxPattern/2)
	parts := phpunitParts([]string{"A::a" + long, "B::b", "A::c" + long, "d.php", "B::e"})
	if diff := cmp.Diff([][]string{{"A::a" + long}, {"A::c" + long}, {"B::b", "B::e"}, {"d.php"}}, parts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestPhpunitStops says that a method is not skipped for its first data set, after which PHPUnit stopped.
func TestPhpunitStops(t *testing.T) {
	if _, err := exec.LookPath("phpunit"); err != nil {
		t.Skip("phpunit is not installed")
	}
	p := newProject(t, Options{Name: "phpunit"}, ".", "phpunit.xml", `<phpunit stopOnSkipped="true"/>`, "ATest.php", `<?php
class ATest extends PHPUnit\Framework\TestCase {
	/** @dataProvider numbers */
	function testNumbers($n) { $n ? $this->fail("no") : $this->markTestSkipped("not this one"); }
	static function numbers() { return [[0], [1]]; }
	function testOther() { $this->assertTrue(true); }
}
`)
	same(t, "run", p.run("ATest::testNumbers", "ATest::testOther"), []string{
		"failed ATest::testNumbers PHPUnit stopped after 1 of its 2 tests, as an option says (stopOnSkipped, --stop-on-skipped or the like)",
		"passed ATest::testOther",
	})
}

func TestPhpunitRisky(t *testing.T) {
	for _, said := range []string{ // by PHPUnit 10 and 11
		"This test did not perform any assertions",
		"This test is not expected to perform assertions but performed 1 assertion",
		"Test code or tested code printed unexpected output: x",
		"Test code or tested code did not close its own output buffers",
		"Test code or tested code removed exception handlers other than its own",
		"This test modified global state but was not expected to do so\n--- Global variables before the test",
		"This test depends on a test that is larger than itself",
		"This test was aborted after 1 second",
		"This test does not define a code coverage target but is expected to do so",
		"This test executed code that is not listed as code to be covered or used:\n- a.php:3",
	} {
		if !phpunitRisky.MatchString(said) {
			t.Errorf("a failure: %s", said)
		}
	}
	t.Chdir(t.TempDir())
	for _, option := range []string{"--fail-on-risky", "--fail-on-all-issues", "--fail-on-empty-test-suite"} {
		if strict := (&Tool{o: Options{Args: []string{option}}}).strictRisky(); strict != (option != "--fail-on-empty-test-suite") {
			t.Errorf("%s: %t", option, strict)
		}
	}
}
