package cli

import (
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/quarantine"
)

// newQuarantine reads the list of entries.
func newQuarantine(list ast.Node) (all []quarantine.Entry, err error) {
	if _, none := list.(*ast.NullNode); none {
		return nil, nil
	}
	sequence, ok := list.(*ast.SequenceNode)
	if !ok {
		return nil, wrong(list, "quarantine", `a list of entries, each of which begins with "- test:"`)
	}
	for _, node := range sequence.Values {
		e, err := newEntry(node)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// newEntry reads one entry. All of it must be there: a quarantine that nobody looks after, or that never ends, hides a failure.
func newEntry(node ast.Node) (q quarantine.Entry, err error) {
	const what = "an entry of quarantine"
	fields, err := entries(node, what)
	if err != nil {
		return q, err
	}
	given := map[string]string{}
	for _, f := range fields {
		switch f.key {
		case "test", "owner", "reason", "until":
		default:
			return q, f.unknown("test", "owner", "reason", "until")
		}
		value, err := text(f.value, "the "+f.key+" of "+what)
		if err != nil {
			return q, err
		}
		if given[f.key] = strings.TrimSpace(value); given[f.key] == "" {
			return q, f.errorf("the %s of %s is blank", f.key, what)
		}
		switch f.key {
		case "test":
			if q.Tests, err = gate.ParsePattern(value); err != nil {
				return q, f.errorf("%s: %w", what, err)
			}
		case "until":
			if q.Until, err = time.Parse(quarantine.Layout, given[f.key]); err != nil {
				return q, f.errorf("the until of %s is %q: write the last day as %s", what, value, quarantine.Layout)
			}
		}
	}
	for _, key := range []string{"test", "owner", "reason", "until"} {
		if given[key] == "" {
			return q, at(node, "%s has no %s", what, key)
		}
	}
	q.Owner, q.Reason, q.Line = given["owner"], given["reason"], node.GetToken().Position.Line
	return q, nil
}
