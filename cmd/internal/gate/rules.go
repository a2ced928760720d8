package gate

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// Configured is a gate of .shard.yml.
type Configured struct {
	Name, Command string
	// Tests are those behind it, beside those that name it themselves.
	Tests []Pattern
}

// Commands returns the commands of gates by name.
func Commands(gates []Configured) map[string]string {
	commands := make(map[string]string, len(gates))
	for _, g := range gates {
		commands[g.Name] = g.Command
	}
	return commands
}

// Rules tell which test stands behind which gate. The first of these decides that has one for the test:
//
//  1. what the list says of the test itself;
//  2. --gate PATTERN=COMMAND, in the order of the command line;
//  3. --gate-cmd COMMAND, for all tests;
//  4. the patterns of .shard.yml, in the order of the file.
//
// In 1 to 3 a text that is the name of a gate in .shard.yml means that gate, any other text is a command. Rules belong to one
// goroutine.
type Rules struct {
	commands map[string]string
	rules    []rule
}

type rule struct {
	pattern Pattern
	gate    batch.Gate
	// place is where a person finds the pattern. Empty: nobody wrote it.
	place string
	// matched says that it matched a test, be it one for which an earlier rule decided.
	matched bool
}

// NewRules makes Rules of the values of --gate, that of --gate-cmd (empty: none) and the gates of .shard.yml. The error names the
// flag that is wrong.
func NewRules(flags []string, all string, gates []Configured) (*Rules, error) {
	r := &Rules{commands: Commands(gates)}
	for _, flag := range flags {
		pattern, command, err := parseFlag(flag)
		if err != nil {
			return nil, fmt.Errorf("--gate %q: %w", flag, err)
		}
		r.rules = append(r.rules, rule{pattern: pattern, gate: r.gate(command), place: "--gate"})
	}
	if strings.TrimSpace(all) != "" {
		every := Pattern{re: regexp.MustCompile("")}
		r.rules = append(r.rules, rule{pattern: every, gate: r.gate(all)})
	}
	for _, g := range gates {
		for _, pattern := range g.Tests {
			r.rules = append(r.rules, rule{pattern: pattern, gate: batch.Gate{Name: g.Name}, place: "gate " + g.Name + " of .shard.yml"})
		}
	}
	return r, nil
}

// gate is what a text means that is not blank.
func (r *Rules) gate(text string) batch.Gate {
	text = strings.TrimSpace(text)
	if _, known := r.commands[text]; known {
		return batch.Gate{Name: text}
	}
	return batch.Gate{Command: text}
}

// Gate returns the gate of the test with this id, which may be none. own is what the list says of it, blank for nothing. A
// command has no proof yet: see Sign.
func (r *Rules) Gate(id, own string) batch.Gate {
	var found batch.Gate
	if strings.TrimSpace(own) != "" {
		found = r.gate(own)
	}
	for i := range r.rules {
		rule := &r.rules[i]
		if !found.None() && rule.matched || !rule.pattern.Match(id) {
			continue // a rule that comes too late is only tried until it matched
		}
		rule.matched = true
		if found.None() {
			found = rule.gate
		}
	}
	return found
}

// Given are the commands of --gate and --gate-cmd: whoever gave them wants them run.
func (r *Rules) Given() map[string]bool {
	commands := map[string]bool{}
	for _, rule := range r.rules {
		if rule.gate.Command != "" {
			commands[rule.gate.Command] = true
		}
	}
	return commands
}

// Unmatched returns the patterns that matched no test that Gate was asked for, and where they stand, for people. A typo leaves
// tests without their gate.
func (r *Rules) Unmatched() []string {
	var unmatched []string
	for _, rule := range r.rules {
		if !rule.matched && rule.place != "" {
			unmatched = append(unmatched, fmt.Sprintf("%q (%s)", rule.pattern, rule.place))
		}
	}
	return unmatched
}
