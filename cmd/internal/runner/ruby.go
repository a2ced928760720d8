package runner

import (
	"fmt"
	"os/exec"
)

// rubyEnv keeps Spring, which would run the tests in a server that outlives them, out.
var rubyEnv = []string{"DISABLE_SPRING=1"}

// rubyCommand finds what starts program: bundler, if the project locks the gem, or the program itself.
func rubyCommand(dir, program, gem, install string) ([]string, error) {
	if mentions(dir, "Gemfile.lock", "    "+gem+" (") != "" { // its lines are "    name (1.2.3)"
		if _, err := exec.LookPath("bundle"); err != nil {
			return nil, fmt.Errorf("Gemfile.lock names %s, but bundle is not in PATH; install it (gem install bundler, then bundle install), or say how it is started: --runner-command %q", gem, program)
		}
		return []string{"bundle", "exec", program}, nil
	}
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("%s is not in PATH; install it (%s), or say how it is started: --runner-command %q", program, install, "bundle exec "+program)
	}
	return []string{program}, nil
}
