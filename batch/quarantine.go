package batch

import "context"

// Quarantine of a test: whether it fails is reported, and does not fail the run. The zero value is none. Whoever enqueues the test
// decides, once for the whole run: the journal holds it before the list holds the test, so every verdict of the run is the same,
// whoever gives it, wherever and when.
type Quarantine struct {
	// Owner looks after the test; Reason is why it is in quarantine; Until is the last day, as YYYY-MM-DD. For people: nothing here
	// looks at a calendar.
	Owner, Reason, Until string
}

// None tells whether there is no quarantine.
func (q Quarantine) None() bool { return q == Quarantine{} }

// quarantine tells the journal which of a chunk of tests are in quarantine. It comes before they are enqueued.
func (q *Queue) quarantine(ctx context.Context, chunk []Test) error {
	var order []Quarantine
	tests := map[Quarantine][]any{}
	for _, t := range chunk {
		if t.Quarantine.None() {
			continue
		}
		if tests[t.Quarantine] == nil {
			order = append(order, t.Quarantine)
		}
		tests[t.Quarantine] = append(tests[t.Quarantine], t.ID)
	}
	for _, one := range order {
		if err := q.run(ctx, quarantineScript, nil, append([]any{one.Owner, one.Reason, one.Until}, tests[one]...)...).Err(); err != nil {
			return err
		}
	}
	return nil
}
