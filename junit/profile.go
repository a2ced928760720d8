package junit

import "fmt"

// Profile says for which kind of readers a report is written.
type Profile string

const (
	// Default is for readers that overlook what they do not know, which are nearly all; see Write.
	Default Profile = "default"
	// Strict is for those that check a report against the schema of Jenkins's xUnit plugin, and refuse it whole for one attribute that
	// is not in there: files and lines, the times of reruns and the number of all skipped cases are left out.
	// https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
	Strict Profile = "strict"
)

// ParseProfile returns the profile of that name.
func ParseProfile(name string) (Profile, error) {
	switch p := Profile(name); p {
	case Default, Strict:
		return p, nil
	}
	return "", fmt.Errorf("there is no profile %q: choose %s or %s", name, Default, Strict)
}

// restrict leaves out what the schema does not know.
func (r *rootElement) restrict() {
	r.Skipped = nil
	for _, s := range r.Suites {
		for i := range s.Testcases {
			c := &s.Testcases[i]
			c.File, c.Line = "", 0
			for k := range c.Reruns {
				c.Reruns[k].Time = ""
			}
		}
	}
}
