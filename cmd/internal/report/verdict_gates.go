package report

import "fmt"

// behindGates tells of the tests for which no worker qualified, gate by gate: what was said at the gate is what there is to
// know of them, so of a test it tells only how it failed before.
func (t verdictText) behindGates() {
	gates := t.v.unroutable()
	if len(gates) == 0 {
		return
	}
	tests := 0
	for _, b := range gates {
		tests += len(b.tests)
	}
	t.begin(fmt.Sprintf("Behind gates for which no live worker qualified: %d", tests), false)
	most, told := max(1, (maxInFull+maxByName)/len(gates)), 0
	for i, b := range gates {
		if i == maxInFull {
			t.printf("  - and %d more behind %s%s\n", tests-told, count(len(gates)-i, "other gate"), t.where())
			break
		}
		t.printf("  %s: %s\n", GateName(b.Label), count(len(b.tests), "test"))
		said := b.words(maxMessage)
		for _, answer := range said[:min(len(said), maxAnswers)] {
			t.printf("     %s\n", answer)
		}
		if n := len(said) - maxAnswers; n > 0 {
			t.printf("     and %s\n", count(n, "more answer"))
		}
		for k, j := range b.tests {
			if k == most {
				t.printf("  - and %d more%s\n", len(b.tests)-k, t.where())
				break
			}
			t.printf("  %d. %s\n", k+1, name(j.ID))
			if j.decisive() != nil && k < maxInFull {
				t.evidence(j)
			}
		}
		told += len(b.tests)
	}
	t.printf("  What helps: start a worker that passes, or correct the gate; then run them again.\n")
	t.end()
}

// maxAnswers is how many different answers of workers are shown of a gate.
const maxAnswers = 10
