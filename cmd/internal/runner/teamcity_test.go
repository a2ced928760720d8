package runner

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTeamcity(t *testing.T) {
	for line, want := range map[string]map[string]string{
		`##teamcity[testStarted name='a' locationHint='php_qn:///a b::\A::b' flowId='7']`: {"name": "a", "locationHint": `php_qn:///a b::\A::b`, "flowId": "7"},
		`##teamcity[x m='||a |'b|' |[c|] |n|r|x|l|p |0x00e4 |q']`:                         {"m": "|a 'b' [c] \n\r\u0085\u2028\u2029 ä q"},
		`##teamcity[x m='|0x00' n='|0xZZZZ' o='|']`:                                       nil, // the last quote is escaped
		`##teamcity[x m='|0x00' n='|0xZZZZ']`:                                             {"m": "0x00", "n": "0xZZZZ"},
		`##teamcity[x]`:                                                                   {},
		`##teamcity[x `:                                                                   nil,
		`##teamcity[x m='`:                                                                nil,
		`##teamcity[x m]`:                                                                 nil,
		`##teamcity[`:                                                                     nil,
		` ##teamcity[x m='a']`:                                                            nil,
		`##teamcity[x m='a' |']`:                                                          nil,
		`printed`:                                                                         nil,
	} {
		m, ok := parseTeamcity(line)
		if ok != (want != nil) {
			t.Errorf("%s: %v", line, ok)
		} else if diff := cmp.Diff(want, m.attributes); ok && diff != "" {
			t.Errorf("%s: -want +got\n%s", line, diff)
		}
	}
}

func FuzzParseTeamcity(f *testing.F) {
	f.Add(`##teamcity[testStarted name='a|'|0x00e4' flowId='7']`)
	f.Fuzz(func(t *testing.T, line string) {
		if m, ok := parseTeamcity(line); ok && m.name == "" {
			t.Errorf("%q has no name", line)
		}
	})
}
