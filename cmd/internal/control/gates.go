package control

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/quarantine"
)

func (l *List) rules() (*gate.Rules, error) {
	config, err := cli.LoadConfig()
	if err != nil {
		return nil, err
	}
	rules, err := gate.NewRules(l.gates, string(l.gateCommand), config.Gates)
	if err != nil {
		return nil, cli.Usagef("%w", err)
	}
	return rules, nil
}

// GivenByFlags is Given for who does not know the list.
func (l *List) GivenByFlags() (map[string]bool, error) {
	rules, err := l.rules()
	if err != nil {
		return nil, err
	}
	return rules.Given(), nil
}

// assign gives each test its gate: the one that its line of the list names, or what the flags and .shard.yml say.
func (l *List) assign(tests []batch.Test, log *slog.Logger) error {
	rules, err := l.rules()
	if err != nil {
		return err
	}
	for i, t := range tests {
		tests[i].Gate = rules.Gate(t.ID, t.Gate.Command)
	}
	for _, pattern := range rules.Unmatched() {
		log.Warn(fmt.Sprintf("the pattern %s fits no test of this list: is it spelled right? (a name with = needs a /regular expression/)", pattern))
	}
	if err := batch.CheckGates(tests); err != nil {
		return cli.Usagef("%w", err)
	}
	return nil
}

// putIntoQuarantine says of each test whether .shard.yml puts it into quarantine, and warns of what is wrong there.
func putIntoQuarantine(tests []batch.Test, log *slog.Logger) error {
	config, err := cli.LoadConfig()
	if err != nil {
		return err
	}
	rules := quarantine.NewRules(config.Quarantine, time.Now())
	for i, t := range tests {
		tests[i].Quarantine = rules.Of(t.ID)
	}
	for _, warning := range rules.Warnings() {
		log.Warn(warning)
	}
	return nil
}

// Sign proves to workers with the same secret where the commands of gates come from.
func Sign(tests []batch.Test, secret string, q *batch.Queue) {
	for i := range tests {
		if g := &tests[i].Gate; g.Command != "" {
			g.MAC = gate.Sign(secret, q.RunID(), q.Birth(), g.Command)
		}
	}
}

// Given are the commands of gates that come from the caller of this process, which need no proof.
func Given(tests []batch.Test) map[string]bool {
	commands := map[string]bool{}
	for _, t := range tests {
		if t.Gate.Command != "" {
			commands[t.Gate.Command] = true
		}
	}
	return commands
}
