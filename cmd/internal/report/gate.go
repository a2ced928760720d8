package report

import "github.com/shardctl/shardctl/batch"

// Gate is what the journal tells of one gate. A name and a command that read the same are one, since it tells no more.
type Gate struct {
	// Label is its name or command.
	Label string
	// Answers are the last words of the workers that were asked, in the order in which they were asked first.
	Answers []Answer

	givenUp bool // tests behind it are unroutable
}

// Answer is a worker's last word about a gate.
type Answer struct {
	Worker string
	Passed bool
	// Reason why it did not pass.
	Reason string
	// Late: tests behind the gate had been given up by then.
	Late bool
}

func (g *Gate) answer(e batch.Event) {
	a := Answer{Worker: e.Worker, Passed: e.Type == batch.Qualified, Reason: e.Text, Late: g.givenUp}
	for i := range g.Answers {
		if g.Answers[i].Worker == e.Worker {
			g.Answers[i] = a
			return
		}
	}
	g.Answers = append(g.Answers, a)
}

// NotAsked returns the workers that may yet be asked about a gate: they have not answered, and are not leaving.
func NotAsked(g batch.GateState, workers []batch.WorkerState) []string {
	answered := map[string]bool{}
	for _, ids := range [][]string{g.Passed, g.Refused} {
		for _, id := range ids {
			answered[id] = true
		}
	}
	var others []string
	for _, w := range workers {
		if !answered[w.ID] && !w.Leaving {
			others = append(others, w.ID)
		}
	}
	return others
}
