package cli

import (
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/spf13/pflag"
)

// Settings are the flags that may stand in .shard.yml, by name, in the order in which `shardctl init` writes them. args stands for what
// follows -- on the command line.
var Settings = []string{
	"runner", argsSetting, "pattern", "runner-command", "pass-env", "granularity", "persistent",
	"tests", "list-command", "allow-empty", "group",
	"redis-url", "workers", "expect-workers", "elect", "wait", "batch-size",
	"test-timeout", "batch-timeout", "run-timeout", "worker-timeout", "stop-timeout", "lease",
	"retries", "max-retries-total", "max-crashes", "max-losses", "max-failures", "fail-fast", "max-consecutive-failures", "rerun",
	"gate-cmd", "gate-timeout", "gate-requeue-delay", "gate-cache-size", "gate-max-not-qualified", "gate-grace",
	"junit", "junit-profile", "html", "trace", "events", "summary", "annotations", "progress", "verbose", "artifacts",
	"timings", "timings-from", "timings-name", "fallback",
}

// NotSettings are the flags of shardctl run and shardworker that may not stand there: they are of one run, of one process, or (as
// allow-gate-text) of who trusts whom, which the file may not decide by itself. --gate has a part of the file of its own.
var NotSettings = []string{
	"run-id", "rerun-of", "dir", "name", "index", "stop-on-file", "die-with-parent", "allow-gate-text",
	"shard", "shard-index", "shard-total",
}

const argsSetting = "args"

// instead are settings that a flag of another name replaces, as both together would be a mistake.
var instead = map[string][]string{"tests": {"list-command", "pattern"}, "list-command": {"tests", "pattern"}, "pattern": {"tests", "list-command"}}

// setting is what .shard.yml says of one flag.
type setting struct {
	name   string
	values []string
	list   bool // it is written as one
	node   ast.Node
}

// newSetting reads an entry of the file that is none of its other parts, which are others.
func newSetting(e entry, others ...string) (s setting, err error) {
	if !slices.Contains(Settings, e.key) {
		if slices.Contains(NotSettings, e.key) {
			return s, e.errorf("%s cannot stand in this file: give --%s, or set %s", e.key, e.key, EnvName(e.key))
		}
		return s, e.errorf("unknown key %q; known here: %s, and the settings that `shardctl init` writes%s",
			e.key, strings.Join(others, ", "), MeantBy(e.key, append(others, Settings...)))
	}
	s = setting{name: e.key, node: e.node}
	nodes := []ast.Node{e.value}
	if list, ok := e.value.(*ast.SequenceNode); ok {
		s.list, nodes = true, list.Values
	}
	for _, node := range nodes {
		value, err := scalar(node, e.key)
		if err != nil {
			return s, err
		}
		s.values = append(s.values, value)
	}
	if e.key == "redis-url" && slices.ContainsFunc(s.values, hasPassword) {
		return s, e.errorf("redis-url: a password does not belong into a file: set %s", EnvName(e.key))
	}
	return s, nil
}

// scalar returns a value as it would stand on a command line.
func scalar(node ast.Node, what string) (string, error) {
	switch n := node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	case *ast.MappingNode, *ast.SequenceNode, *ast.NullNode, nil:
		return "", wrong(node, what, "one value")
	}
	return text(node, what)
}

func hasPassword(rawURL string) bool {
	u, err := url.Parse(strings.ReplaceAll(rawURL, ",", "-")) // of several hosts
	return err != nil || u.User != nil || strings.Contains(u.RawQuery, "password")
}

// applyFile sets the flags that neither the command line nor the environment gave from .shard.yml in the project's folder, and returns
// what it has in the place of what follows --.
func applyFile(flags *pflag.FlagSet) (args []string, err error) {
	if !slices.ContainsFunc(Settings, func(name string) bool { return flags.Lookup(name) != nil }) {
		return nil, nil // a command that has nothing to do with the file does not fail because of it
	}
	dir := ""
	if f := flags.Lookup("dir"); f != nil {
		dir = f.Value.String()
	}
	c, err := loadConfig(dir)
	if err != nil {
		return nil, err
	}
	given := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	for _, s := range c.settings {
		if s.name == argsSetting && flags.Lookup("runner") != nil {
			args = s.values
		}
		flag := flags.Lookup(s.name)
		if flag != nil && s.list && !strings.HasSuffix(flag.Value.Type(), "Array") && !strings.HasSuffix(flag.Value.Type(), "Slice") {
			return nil, wrong(s.node, s.name, "one value, no list")
		}
		if flag == nil || given[s.name] || slices.ContainsFunc(instead[s.name], func(other string) bool { return given[other] }) {
			continue
		}
		for _, value := range s.values {
			if err := flags.Set(s.name, value); err != nil {
				return nil, at(s.node, "%s: %w", s.name, err)
			}
		}
	}
	return args, nil
}
