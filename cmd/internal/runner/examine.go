package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Finding is what Examine says of one rule.
type Finding struct {
	// Rule is a word for it, Broken whether it is, Text what was seen and, if it is broken, what that means.
	Rule   string
	Broken bool
	Text   string
}

// stranger is a unit that no project has.
const stranger = "no such test, asks shardctl doctor"

// Examine holds a runner against the rules of Runner and of docs/runner-protocol.md: it lists the tests of the project in the
// current folder, runs the first most of them in one batch, one of them alone, one that does not exist, and, if the runner is
// kept from batch to batch, two batches in one process. tell gets each finding when it is there. The error is the runner's own:
// it cannot work here, or ctx ended.
func Examine(ctx context.Context, r Runner, patterns []string, most int, tell func(Finding)) error {
	e := &examination{r: r, tell: tell}
	lister, ok := r.(Lister)
	if !ok {
		return fmt.Errorf("a command template cannot list its tests: only presets and --runner socket can be examined")
	}
	tests, err := lister.List(ctx, patterns)
	if err != nil {
		return err
	}
	if !e.list(tests) {
		return nil
	}
	some := tests[:min(most, len(tests))]
	outcomes, err := e.batch(ctx, "batch", false, some)
	if err != nil {
		return err
	}
	e.complete(some, outcomes)
	if err := e.alone(ctx, some, outcomes); err != nil {
		return err
	}
	if err := e.stranger(ctx); err != nil {
		return err
	}
	return e.kept(ctx, some)
}

type examination struct {
	r      Runner
	tell   func(Finding)
	number int
}

func (e *examination) say(rule string, broken bool, format string, args ...any) {
	e.tell(Finding{rule, broken, fmt.Sprintf(format, args...)})
}

func (e *examination) list(tests []batch.Test) bool {
	seen := map[string]bool{}
	for _, t := range tests {
		if err := batch.CheckID(t.ID); err != nil {
			e.say("list", true, "%v", err)
			return false
		}
		if seen[t.ID] {
			e.say("list", true, "%q is listed twice: units need names of their own", t.ID)
			return false
		}
		seen[t.ID] = true
	}
	e.say("list", len(tests) == 0, "%d units", len(tests))
	return len(tests) > 0
}

// batch runs tests and checks what is told of them.
func (e *examination) batch(ctx context.Context, rule string, alone bool, tests []batch.Test) (map[string]batch.Outcome, error) {
	e.number++
	outcomes, running, wanted := map[string]batch.Outcome{}, map[string]bool{}, map[string]bool{}
	for _, t := range tests {
		wanted[t.ID] = true
	}
	job := Job{Batch: batch.Batch{Number: e.number, Alone: alone, Tests: tests}, Limits: Limits{Test: time.Minute, Grace: DefaultGrace},
		Env: []string{"SHARD_RUN_ID=doctor", "SHARD_WORKER_ID=doctor", "SHARD_WORKER_INDEX=0", fmt.Sprintf("SHARD_BATCH_ID=doctor.%d", e.number)}}
	err := e.r.Run(ctx, job, func(events ...batch.Event) {
		for _, event := range events {
			e.event(rule, event, wanted, running, outcomes)
		}
	})
	for _, id := range slices.Sorted(maps.Keys(running)) {
		e.say(rule, true, "%q started and has no finish", id)
	}
	return outcomes, err
}

func (e *examination) event(rule string, event batch.Event, wanted, running map[string]bool, outcomes map[string]batch.Outcome) {
	if event.Type == batch.ProblemFound {
		p := event.Problem
		e.say(rule, true, "%s: %s\n%s", p.Scope, p.Message, strings.TrimSpace(p.Details))
		return
	}
	_, over := outcomes[event.Test]
	switch {
	case !wanted[event.Test]:
		e.say(rule, true, "a %s of %q, which is none of the batch's units", event.Type, event.Test)
	case over:
		e.say(rule, true, "a %s of %q after its finish", event.Type, event.Test)
	case event.Type == batch.Start:
		running[event.Test] = true
	case event.Type == batch.Finish:
		delete(running, event.Test)
		outcomes[event.Test] = event.Outcome
	}
}

func (e *examination) complete(tests []batch.Test, outcomes map[string]batch.Outcome) {
	counts := map[batch.Status]int{}
	for _, t := range tests {
		o, ok := outcomes[t.ID]
		if !ok {
			e.say("batch", true, "%q was not executed in a batch of %d: it is not where the list says, or another unit ended the runner", t.ID, len(tests))
			continue
		}
		counts[o.Status]++
		if o.Status != batch.Passed && o.Status != batch.Skipped && o.Message == "" {
			e.say("batch", true, "%q %s without a message: people read it first", t.ID, o.Status)
		}
	}
	var words []string
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%d %s", counts[status], status))
	}
	e.say("batch", false, "%d of %d units executed: %s", len(outcomes), len(tests), strings.Join(words, ", "))
}

// alone runs one unit that passed by itself.
func (e *examination) alone(ctx context.Context, tests []batch.Test, outcomes map[string]batch.Outcome) error {
	i := slices.IndexFunc(tests, func(t batch.Test) bool { return outcomes[t.ID].Status == batch.Passed })
	if i < 0 {
		e.say("alone", false, "not tried: no unit of the batch passed")
		return nil
	}
	again, err := e.batch(ctx, "alone", true, tests[i:i+1])
	if err != nil {
		return err
	}
	o, ok := again[tests[i].ID]
	e.say("alone", !ok || o.Status != batch.Passed, "%q passed in a batch, and %s alone", tests[i].ID, o.Status)
	return nil
}

// stranger runs a unit that does not exist.
func (e *examination) stranger(ctx context.Context) error {
	outcomes, err := e.batch(ctx, "unknown", true, []batch.Test{{ID: stranger}})
	if err != nil {
		return err
	}
	o, ok := outcomes[stranger]
	switch {
	case !ok:
		e.say("unknown", true, "a unit that does not exist has no finish, although it ran alone")
	case o.Status == batch.Passed || o.Status == batch.Skipped:
		e.say("unknown", true, "a unit that does not exist %s: so would every test that was removed or renamed", o.Status)
	default:
		e.say("unknown", false, "a unit that does not exist is %s: %s", o.Status, o.Message)
	}
	return nil
}

// kept runs two batches in one process.
func (e *examination) kept(ctx context.Context, tests []batch.Test) error {
	rester, ok := e.r.(Rester)
	if !ok || rester.Resting(0) {
		return nil
	}
	half := (len(tests) + 1) / 2
	for _, part := range [][]batch.Test{tests[:half], tests[half:]} {
		if len(part) == 0 {
			continue
		}
		if _, err := e.batch(ctx, "kept", false, part); err != nil {
			return err
		}
	}
	err := rester.Rest(ctx, 0, Limits{Grace: DefaultGrace}, func(events ...batch.Event) {
		for _, event := range events {
			e.event("kept", event, nil, nil, nil)
		}
	})
	e.say("kept", false, "three batches in one process, which then ended")
	return err
}
