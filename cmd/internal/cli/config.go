package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/quarantine"
)

// ConfigFile is the file of a project, in its folder.
const ConfigFile = ".shard.yml"

// The parser of YAML takes memory that grows with the square of the depth.
const (
	maxConfig   = 256 << 10
	maxBrackets = 2000
)

// Config is what a project's .shard.yml says:
//
//	gates:
//	  gpu:
//	    command: nvidia-smi -L
//	    tests: ["*::TestCUDA*", "/(?i)gpu/"] # optional
//	quarantine:
//	  - test: "*::TestFlaky*" # as the patterns of gates
//	    owner: anna
//	    reason: "waits for #17"
//	    until: 2026-12-31 # the last day, in UTC
//
// and the flags of Settings, each by its name:
//
//	runner: go
//	test-timeout: 5m
type Config struct {
	// Gates in the order of the file.
	Gates []gate.Configured
	// Quarantine in the order of the file.
	Quarantine []quarantine.Entry
	// settings in the order of the file.
	settings []setting
}

// LoadConfig reads .shard.yml in the current folder. Without such a file nothing is configured. It is strict: whatever it does
// not know is a usage error that says where.
func LoadConfig() (Config, error) { return loadConfig("") }

// loadConfig reads the file of the project in a folder; empty: the current one.
func loadConfig(dir string) (Config, error) {
	text, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, Usagef("%w", err)
	}
	return parseConfig(text)
}

// parseConfig reads the text of a .shard.yml.
func parseConfig(text []byte) (Config, error) {
	switch {
	case !utf8.Valid(text):
		return Config{}, Usagef("%s: it is not UTF-8", ConfigFile)
	case len(text) > maxConfig || bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxBrackets:
		return Config{}, Usagef("%s: it is longer than %d bytes or has more than %d opening brackets", ConfigFile, maxConfig, maxBrackets)
	}
	file, err := parser.ParseBytes(bytes.TrimPrefix(text, []byte("\uFEFF")), 0) // some editors mark UTF-8 so
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax):
		return Config{}, Usagef("%s:%d: %s", ConfigFile, syntax.GetToken().Position.Line, syntax.GetMessage())
	case err != nil:
		return Config{}, Usagef("%s: %w", ConfigFile, err)
	case len(file.Docs) == 0:
		return Config{}, nil
	case len(file.Docs) > 1:
		return Config{}, Usagef("%s: it has %d documents; only one is allowed: remove what follows the second \"---\"", ConfigFile, len(file.Docs))
	}
	return newConfig(file.Docs[0].Body)
}

// newConfig reads the syntax tree by hand: decoding into structs would lose the order of the gates and take numbers for text.
func newConfig(body ast.Node) (c Config, err error) {
	top, err := entries(body, "the file")
	if err != nil {
		return c, err
	}
	for _, e := range top {
		switch e.key {
		case "gates":
			c.Gates, err = newGates(e.value)
		case "quarantine":
			c.Quarantine, err = newQuarantine(e.value)
		default:
			var s setting
			s, err = newSetting(e, "gates", "quarantine")
			c.settings = append(c.settings, s)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func newGates(mapping ast.Node) (all []gate.Configured, err error) {
	gates, err := entries(mapping, "gates")
	if err != nil {
		return nil, err
	}
	for _, e := range gates {
		g, err := newGate(e)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

// gateName is what a name may be that stands in commands, messages and lists without quotes.
var gateName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func newGate(e entry) (g gate.Configured, err error) {
	if !gateName.MatchString(e.key) {
		return g, e.errorf("%q cannot be the name of a gate: up to 64 letters, digits, dots, dashes and underscores are allowed", e.key)
	}
	what := "gate " + e.key
	g.Name = e.key
	fields, err := entries(e.value, what)
	if err != nil {
		return g, err
	}
	for _, f := range fields {
		switch f.key {
		case "command":
			if g.Command, err = text(f.value, "the command of "+what); err != nil {
				return g, err
			}
		case "tests":
			if g.Tests, err = patterns(f.value, what); err != nil {
				return g, err
			}
		default:
			return g, f.unknown("command", "tests")
		}
	}
	if g.Command = strings.TrimSpace(g.Command); g.Command == "" {
		return g, e.errorf("%s has no command", what)
	}
	return g, nil
}

func patterns(list ast.Node, what string) ([]gate.Pattern, error) {
	sequence, ok := list.(*ast.SequenceNode)
	if !ok {
		return nil, wrong(list, "the tests of "+what, "a list of patterns")
	}
	var all []gate.Pattern
	for _, node := range sequence.Values {
		s, err := text(node, "a pattern of "+what)
		if err != nil {
			return nil, err
		}
		p, err := gate.ParsePattern(s)
		if err != nil {
			return nil, at(node, "%s: %w", what, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// entry is a key of a mapping and its value.
type entry struct {
	key   string
	node  ast.Node
	value ast.Node
}

func (e entry) errorf(format string, args ...any) error { return at(e.node, format, args...) }

func (e entry) unknown(known ...string) error {
	return e.errorf("unknown key %q; known here: %s%s", e.key, strings.Join(known, ", "), MeantBy(e.key, known))
}

// entries returns what is in a mapping. The parser has found keys that stand twice. Nothing at all is an empty mapping.
func entries(node ast.Node, what string) ([]entry, error) {
	switch mapping := node.(type) {
	case nil, *ast.NullNode:
		return nil, nil
	case *ast.MappingNode:
		all := make([]entry, len(mapping.Values))
		for i, v := range mapping.Values {
			all[i] = entry{key: v.Key.GetToken().Value, node: v.Key, value: v.Value}
		}
		return all, nil
	}
	return nil, wrong(node, what, `made of lines "key: value"`)
}

// text returns a value that must be a string.
func text(node ast.Node, what string) (string, error) {
	switch s := node.(type) {
	case *ast.StringNode:
		return s.Value, nil
	case *ast.LiteralNode:
		return s.Value.Value, nil
	}
	return "", wrong(node, what, "text (in quotes, if YAML takes it for something else)")
}

// wrong is the error for a value of another type than it must have.
func wrong(node ast.Node, what, must string) error {
	if _, alias := node.(*ast.AliasNode); alias {
		return at(node, `%s: text that begins with "*" needs quotes`, what)
	}
	return at(node, "%s must be %s", what, must)
}

// at is a usage error at the place of a node.
func at(node ast.Node, format string, args ...any) error {
	return Usagef("%s:%d: %w", ConfigFile, node.GetToken().Position.Line, fmt.Errorf(format, args...))
}
