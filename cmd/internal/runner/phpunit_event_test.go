package runner

import (
	"os"
	"strings"
	"testing"
)

func TestPhpunitFatal(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ attributes, options, want string }{
		{"", "", ""},
		{`failOnWarning="true"`, "", "Warning"},
		{`failOnWarning="false"`, "--fail-on-notice", "Notice"},
		{"", "--fail-on-all-issues --do-not-fail-on-warning", "Notice"},
		{`failOnAllIssues="true"`, "", "Warning Notice"},
		{`failOnAllIssues="true"><source restrictWarnings="true"/`, "", "Notice"}, // which warnings count, its exit status tells
	} {
		if err := os.WriteFile("phpunit.xml", []byte("<phpunit "+c.attributes+"/>"), 0o600); err != nil {
			t.Fatal(err)
		}
		tool := &Tool{o: Options{Args: strings.Fields(c.options)}}
		if got := strings.Join(tool.phpunitFatal(), " "); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.attributes, c.options, got, c.want)
		}
	}
}

// An issue without a text, and what a test prints as if it were an event.
func TestPhpunitEvent(t *testing.T) {
	text := `##teamcity[testSuiteStarted name='A' locationHint='php_qn:///x/ATest.php::\A']` + "\n" +
		"Test Preparation Started (A::ä#x y)\nTest Preparation Started (B::b)\n" + tc("testStarted", "ä", "") +
		"Test Preparation Started (A::b)\nTest Triggered Warning (A::ä#x y) in /x/a.php:3\n" + tc("testFinished", "ä", "") +
		"After Last Test Method Failed (A::down)\nno\n##teamcity[testSuiteFinished name='A']\n"
	s := newPhpunitStream([]string{"A::ä", "A::b"}, false, false)
	s.events, s.fatal = true, []string{"Warning"}
	checkTold(t, heard(s, text), "start A::ä", "at A::ä: ä", `finish A::ä failed "Warning: (failOnWarning)" | ä failed "Warning: (failOnWarning)"`, "problem A: no")
}
