package runner

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What PHPUnit 11.5 wrote of testdata/runners/phpunit, without the test that exits.
func TestPhpunitUnprepared(t *testing.T) {
	prepared := []string{
		"start PrepareTest::testSetUp", "at PrepareTest::testSetUp: testSetUp",
		`finish PrepareTest::testSetUp failed "RuntimeException: no user" | testSetUp failed "RuntimeException: no user"`,
		"start PrepareTest::testSetUpAndTearDown", "at PrepareTest::testSetUpAndTearDown: testSetUpAndTearDown",
		`finish PrepareTest::testSetUpAndTearDown failed "RuntimeException: no user" | testSetUpAndTearDown failed "RuntimeException: no user"`,
		"start PrepareTest::testAssertsBefore", "at PrepareTest::testAssertsBefore: testAssertsBefore",
		`finish PrepareTest::testAssertsBefore failed "no group" | testAssertsBefore failed "no group"`,
		"start PrepareTest::testSkipsBefore", "at PrepareTest::testSkipsBefore: testSkipsBefore",
		`finish PrepareTest::testSkipsBefore skipped "no mail" | testSkipsBefore skipped "no mail"`,
		"start PrepareTest::testTearDown", "at PrepareTest::testTearDown: testTearDown",
		`finish PrepareTest::testTearDown failed "RuntimeException: cannot remove the user" | testTearDown failed "RuntimeException: cannot remove the user"`,
		"start PrepareTest::testSetUpOfEach", "at PrepareTest::testSetUpOfEach: testSetUpOfEach with data set #0",
		`at PrepareTest::testSetUpOfEach: testSetUpOfEach with data set "the second"`,
		`finish PrepareTest::testSetUpOfEach failed | testSetUpOfEach with data set #0 failed "RuntimeException: no user" | testSetUpOfEach with data set "the second" failed "RuntimeException: no user"`,
		"start PrepareTest::testSkipsBeforeEach", "at PrepareTest::testSkipsBeforeEach: testSkipsBeforeEach with data set #0",
		`at PrepareTest::testSkipsBeforeEach: testSkipsBeforeEach with data set "the second"`,
		`finish PrepareTest::testSkipsBeforeEach skipped "no mail" | testSkipsBeforeEach with data set #0 skipped "no mail" | testSkipsBeforeEach with data set "the second" skipped "no mail"`,
		"start PrepareTest::testPasses", "at PrepareTest::testPasses: testPasses",
		"finish PrepareTest::testPasses passed | testPasses passed", "end",
	}
	issues := []string{"IssueTest::testWarns", "IssueTest::testNotices", "IssueTest::testSuppresses", "IssueTest::testFails"}
	var methods []string
	for _, line := range prepared {
		if id, ok := strings.CutPrefix(line, "start "); ok {
			methods = append(methods, id)
		}
	}
	for name, c := range map[string]struct {
		file  string
		ids   []string
		stops bool
		// events: with the log of events, which PHPUnit 10 is not asked for.
		events bool
		fatal  []string
		want   []string
	}{
		"setUp":                 {file: "PrepareTest", ids: methods, events: true, want: prepared},
		"setUp, without events": {file: "PrepareTest", ids: methods, want: prepared},
		"setUpBeforeClass fails": {file: "SetUpTest", ids: []string{"SetUpTest::testOne", "SetUpTest::testTwo"}, want: []string{
			"start SetUpTest::testOne", `finish SetUpTest::testOne failed "RuntimeException: no database" | SetUpTest failed "RuntimeException: no database"`,
			"start SetUpTest::testTwo", `finish SetUpTest::testTwo failed "RuntimeException: no database" | SetUpTest failed "RuntimeException: no database"`, "end",
		}},
		"setUpBeforeClass of a class": {file: "SetUpTest", ids: []string{"SetUpTest"}, want: []string{
			"start SetUpTest", `finish SetUpTest failed "RuntimeException: no database" | SetUpTest failed "RuntimeException: no database"`, "end",
		}},
		"setUpBeforeClass skips": {file: "SkippedTest", ids: []string{"SkippedTest::testOne", "SkippedTest::testTwo"}, events: true, want: []string{
			"start SkippedTest::testOne", `finish SkippedTest::testOne skipped "no database here" | SkippedTest skipped "no database here"`,
			"start SkippedTest::testTwo", `finish SkippedTest::testTwo skipped "no database here" | SkippedTest skipped "no database here"`, "end",
		}},
		"setUpBeforeClass skips all, which may stop": {file: "SkippedTest", ids: []string{"SkippedTest::testOne"}, stops: true, want: []string{
			"start SkippedTest::testOne", `finish SkippedTest::testOne skipped "no database here" | SkippedTest skipped "no database here"`, "end",
		}},
		"tearDownAfterClass": {file: "TearDownTest", ids: []string{"TearDownTest::testPasses"}, events: true, want: []string{
			"start TearDownTest::testPasses", "at TearDownTest::testPasses: testPasses", "finish TearDownTest::testPasses passed | testPasses passed",
			"problem TearDownTest: cannot remove the database", "end",
		}},
		"warnings fail": {file: "IssueTest", ids: issues, events: true, fatal: []string{"Warning"}, want: []string{
			"start IssueTest::testWarns", "at IssueTest::testWarns: testWarns",
			`finish IssueTest::testWarns failed "PHP Warning: Undefined variable $undefined (failOnWarning)" | testWarns failed "PHP Warning: Undefined variable $undefined (failOnWarning)"`,
			"start IssueTest::testNotices", "at IssueTest::testNotices: testNotices", "finish IssueTest::testNotices passed | testNotices passed",
			"start IssueTest::testSuppresses", "at IssueTest::testSuppresses: testSuppresses", "finish IssueTest::testSuppresses passed | testSuppresses passed",
			"start IssueTest::testFails", "at IssueTest::testFails: testFails",
			`finish IssueTest::testFails failed "Warning: first (failOnWarning)" | testFails failed "Warning: first (failOnWarning)"`, "end",
		}},
		"notices fail": {file: "IssueTest", ids: issues[1:2], events: true, fatal: []string{"Notice"}, want: []string{
			"start IssueTest::testWarns", "at IssueTest::testWarns: testWarns",
			"start IssueTest::testNotices", "at IssueTest::testNotices: testNotices",
			`finish IssueTest::testNotices failed "Notice: look (failOnNotice)" | testNotices failed "Notice: look (failOnNotice)"`,
			"start IssueTest::testSuppresses", "at IssueTest::testSuppresses: testSuppresses",
			"start IssueTest::testFails", "at IssueTest::testFails: testFails", "end",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/phpunit-11/" + c.file + ".in")
			if err != nil {
				t.Fatal(err)
			}
			s := newPhpunitStream(c.ids, false, c.stops)
			s.events, s.fatal = c.events, c.fatal
			checkTold(t, append(heard(s, string(text)), sayMessages(s.end(exit{Code: 2}, ""))...), c.want...)
		})
	}
}

// A process that ends in setUp: the test that ran is the one whose preparation started, and the one before keeps its result.
func TestPhpunitEndsInSetUp(t *testing.T) {
	text, err := os.ReadFile("testdata/phpunit-11/PrepareTest.in")
	if err != nil {
		t.Fatal(err)
	}
	const second = "Test Preparation Started (PrepareTest::testSetUpAndTearDown)\n"
	before, _, _ := strings.Cut(string(text), second)
	want := []string{
		"start PrepareTest::testSetUp", "at PrepareTest::testSetUp: testSetUp",
		`finish PrepareTest::testSetUp failed "RuntimeException: no user" | testSetUp failed "RuntimeException: no user"`,
	}
	ids := []string{"PrepareTest::testSetUp", "PrepareTest::testSetUpAndTearDown"}
	for _, events := range []bool{true, false} {
		s := newPhpunitStream(ids, false, false)
		s.events = events
		all := slices.Clone(want)
		if events {
			all = append(all, "start PrepareTest::testSetUpAndTearDown")
		}
		checkTold(t, append(heard(s, before+second), sayMessages(s.end(exit{}, ""))...), all...)
	}
}

// PHPUnit 11 lists no test of a file with a data provider that fails, but runs its other tests: the file is the unit.
func TestPhpunitProviderFails(t *testing.T) {
	text := `##teamcity[testCount count='1']` + "\n" + `##teamcity[testSuiteStarted name='A' locationHint='php_qn:///x/ATest.php::\A']` + "\n" +
		tc("testStarted", "a", "") + tc("testFinished", "a", "") + "##teamcity[testSuiteFinished name='A']\n"
	const provider = "There were 2 PHPUnit errors:\n\n1) A::b\nThe data provider specified for A::b is invalid\nno data\n\n/x/ATest.php:15\n\n" +
		"2) A::c\nThe data provider specified for A::c is invalid\nEmpty data set provided by data provider\n"
	begun := []string{"start A.php", "at A.php: a"}
	for name, c := range map[string]struct {
		code          int
		text, printed string
		want          []string
	}{
		"no":               {0, text, "", append(begun, "finish A.php passed | a passed", "end")},
		"yes":              {2, text, provider, append(begun, `finish A.php failed | a passed | b failed "The data provider specified for A::b is invalid\nno data" | c failed "The data provider specified for A::c is invalid\nEmpty data set provided by data provider"`, "end")},
		"of its only test": {2, "", provider, []string{`finish A.php failed "PHPUnit cannot run it: The data provider specified for A::b is invalid"`}},
		"something else":   {1, text, "\nA strange thing.\n", append(begun, `finish A.php failed | a passed | A.php failed "exit status 1: A strange thing."`, "end")},
		"it dies":          {255, text[:strings.Index(text, "##teamcity[testSuiteFinished")], "", begun},
	} {
		t.Run(name, func(t *testing.T) {
			s := newPhpunitStream([]string{"A.php"}, false, false)
			checkTold(t, append(heard(s, c.text), sayMessages(s.end(exit{Code: c.code}, c.printed))...), c.want...)
		})
	}
	s := newPhpunitStream([]string{"A::c"}, false, false)
	checkTold(t, sayMessages(s.end(exit{Code: 2}, provider)), `finish A::c failed "PHPUnit cannot run it: The data provider specified for A::c is invalid"`)
	const missing = "An error occurred inside PHPUnit.\n\nMessage:  Class \"Missing\" not found\nLocation: /x/B.php:3\n"
	s = newPhpunitStream([]string{"B.php"}, false, false)
	checkTold(t, sayMessages(s.end(exit{Code: 2}, missing)), `finish B.php failed "PHPUnit cannot run it: Class \"Missing\" not found"`)
	if file, line := phpPlace(strings.ReplaceAll(missing, "/x/", "tests/")); file != "tests/B.php" || line != 3 {
		t.Errorf("it is at %s:%d", file, line)
	}
}
