package gate

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// parseFlag reads a --gate.
func parseFlag(flag string) (Pattern, string, error) {
	text, command, err := splitFlag(flag)
	if err != nil {
		return Pattern{}, "", err
	}
	if strings.TrimSpace(command) == "" {
		return Pattern{}, "", fmt.Errorf("no command behind the pattern %q", text)
	}
	pattern, err := ParsePattern(text)
	return pattern, command, err
}

// splitFlag cuts PATTERN=COMMAND at the first "=", behind a /regexp/ at the first "/=" whose "/" has no backslash before it: so
// that the expression may contain "=", and "/" where no "=" follows.
func splitFlag(flag string) (pattern, command string, err error) {
	if strings.HasPrefix(flag, "/") {
		at := closing.FindStringIndex(flag)
		if at == nil {
			return "", "", errors.New(`no "/=" ends the regular expression: write '/REGEXP/=COMMAND'`)
		}
		return flag[:at[1]-1], flag[at[1]:], nil
	}
	pattern, command, found := strings.Cut(flag, "=")
	if !found {
		return "", "", errors.New(`no "=": write 'PATTERN=COMMAND'`)
	}
	return pattern, command, nil
}

// closing matches a /regexp/ and the "=" behind it: as few as possible of pairs of a backslash and a character, and of
// characters other than the backslash.
var closing = regexp.MustCompile(`(?s)\A/(?:\\.|[^\\])*?/=`)
