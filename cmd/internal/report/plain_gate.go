package report

import (
	"fmt"

	"github.com/shardctl/shardctl/batch"
)

// answered tells that a gate refused a worker, and that one which it refused before may pass. That workers pass is no news.
func (p *Plain) answered(e batch.Event) {
	key := [2]string{e.Gate, e.Worker}
	switch {
	case e.Type == batch.Refused:
		p.refused[key] = true
		p.line("gate", "%s may not run what is behind %s%s", name(e.Worker), GateName(e.Gate), withMessage(e.Text))
	case p.refused[key]:
		delete(p.refused, key)
		p.line("gate", "%s may run what is behind %s now", name(e.Worker), GateName(e.Gate))
	case p.verbose:
		p.line("gate", "%s may run what is behind %s", name(e.Worker), GateName(e.Gate))
	}
}

// waitingBehind counts the tests that wait behind gates.
func waitingBehind(gates []batch.GateState) string {
	n := 0
	for _, g := range gates {
		n += g.Queued + g.Requeued
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d behind gates", n)
}

// shut names the gates behind which tests wait although every worker that is here was refused: it takes another one, and
// there is still time to start it.
func shut(s batch.State) string {
	if s.Markers.Over() || len(s.Workers) == 0 {
		return ""
	}
	tests, labels := 0, []string(nil)
	for _, g := range s.Gates {
		if n := g.Queued + g.Requeued; n > 0 && len(g.Passed) == 0 && len(NotAsked(g, s.Workers)) == 0 {
			tests += n
			labels = append(labels, OneLine(g.String(), maxGate))
		}
	}
	waits := "tests wait"
	if tests == 1 {
		waits = "test waits"
	}
	switch len(labels) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; %d %s behind %s, which no worker here passes", tests, waits, GateName(labels[0]))
	}
	return fmt.Sprintf("; %d tests wait behind %d gates, which no worker here passes: %s", tests, len(labels), Names(labels, 3))
}
