package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Member is a worker that joined a run. Claim, Report, Settle and Leave come one at a time, in the order of its
// batches; Beat and Drain may run beside them.
type Member struct {
	q  *Queue
	id string
	// batch is the number of the last batch whose answer arrived, report that of the last report sent, heard that of the last
	// report that was acknowledged.
	batch, report, heard int64
	// Startup is what starting its runner costs this worker before the first test of a batch: the dearer, the fewer batches it
	// takes. Negative: it does not know yet. It may be set between claims.
	Startup time.Duration
}

// Answer is how the run stands, as of a request.
type Answer struct {
	// Cursor is where Queue.Wait waits from: whatever happened since the request is not missed.
	Cursor  string
	Markers Markers
	// batch and report are the numbers of the worker's last batch and report as Redis has them.
	batch, report int64
}

// Claim is the answer to a claim.
type Claim struct {
	Answer
	// Batch has the number 0 if there was nothing to claim. A batch with a number is to be settled, also one without
	// tests: a late result may have taken them out of it before a repeated claim was answered.
	Batch Batch
	// Deferred: the requeue holds tests that this worker ran last and that another should take; soon it may itself.
	Deferred bool
}

// Settlement is what becomes of the tests of a batch that have no outcome.
type Settlement string

const (
	// Requeue: the runner did not execute them; they run again, alone.
	Requeue Settlement = "requeue"
	// HandBack: the worker gives them back unrun; they go to the head of the list they came from and are not counted as claimed.
	HandBack Settlement = "handback"
)

// Markers are the members of Q_control.
type Markers struct{ Sealed, Done, Aborted bool }

// Over reports whether nothing is left to be claimed for good.
func (m Markers) Over() bool { return m.Done || m.Aborted }

func parseMarkers(list []string) Markers {
	var m Markers
	for _, name := range list {
		switch name {
		case "sealed":
			m.Sealed = true
		case "done":
			m.Done = true
		case "aborted":
			m.Aborted = true
		}
	}
	return m
}

var validWorkerID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}\.[0-9a-f]{8}$`)

// WorkerID returns the id for one membership of a worker: "<name>.<random>".
func WorkerID(name string) string { return name + "." + randomHex(4) }

// Join enters a worker under a new WorkerID. info tells people what it runs on.
//
// Errors: a name outside [A-Za-z0-9._-]{1,64}; Ended.
func (q *Queue) Join(ctx context.Context, name, info string) (*Member, Answer, error) {
	return q.JoinAs(ctx, WorkerID(name), info)
}

// JoinAs is Join under an id that was made before, with WorkerID. No id is used twice.
func (q *Queue) JoinAs(ctx context.Context, id, info string) (*Member, Answer, error) {
	if !validWorkerID.MatchString(id) {
		return nil, Answer{}, fmt.Errorf("worker id %.90q is not allowed: the name before the last dot has 1 to 64 of the characters A-Z a-z 0-9 . _ -", id)
	}
	m := &Member{q: q, id: id, Startup: -1}
	answer, _, err := m.ask(ctx, joinScript, info, clientName(q.rdb))
	return m, answer, err
}

// ID returns the worker's id in this run.
func (m *Member) ID() string { return m.id }

// MostTests is the most tests that workers ask for in one claim unless they are told otherwise: what Redis does in some ten
// milliseconds.
const MostTests = 5000

// Claim moves tests into the worker's set and returns them: at most most from the queue (a whole group, if the first is in one),
// or else one from the requeue.
// Unless eager, a requeued test that this worker ran last is left to others while there are any. Tests behind gates come
// first; those behind the gates in refusing (their hashes), which refuse this worker now, stay where they are.
//
// All tests of a batch have one gate, Batch.Gate. The worker asks it and tells the answer with Gate before it runs any.
//
// A claim whose answer was lost is repeated by calling Claim again: it returns the same batch.
//
// Errors: NotJoined; Holding if the last batch is not settled; UnknownSpec if the batch holds a test that this version
// cannot read: Claim.Batch has only its number then, under which it is to be handed back.
func (m *Member) Claim(ctx context.Context, most int, eager bool, refusing ...string) (Claim, error) {
	number := m.batch + 1
	startup := ""
	if m.Startup >= 0 {
		startup = strconv.FormatInt(m.Startup.Microseconds(), 10)
	}
	args := []any{number, most, flag(eager), startup}
	for _, gate := range refusing {
		args = append(args, gate)
	}
	answer, rest, err := m.askInTurn(ctx, claimScript, args...)
	if err != nil {
		return Claim{}, err
	}
	c := Claim{Answer: answer, Deferred: rest[1] == "1"}
	if answer.batch < number {
		return c, nil
	}
	m.batch = number
	c.Batch = Batch{Number: int(number), Alone: rest[0] == "1"}
	if rest[2] != "" {
		if err := json.Unmarshal([]byte(rest[2]), &c.Batch.Gate); err != nil {
			return Claim{}, fmt.Errorf("the gate of a batch: %w", err)
		}
	}
	tests := rest[3:]
	for i := 0; i < len(tests); i += 2 {
		t, err := m.q.decodeSpec(tests[i], tests[i+1], c.Batch.Gate)
		if err != nil {
			return Claim{Answer: answer, Batch: Batch{Number: int(number)}}, err
		}
		c.Batch.Tests = append(c.Batch.Tests, t)
	}
	return c, nil
}

// Gate tells what the gate of a batch answered here: that this worker qualifies, or not, and why. The answer stands until
// the worker gives another. What was refused is to be handed back, see Settle.
//
// Errors: NotJoined.
func (m *Member) Gate(ctx context.Context, b Batch, qualifies bool, why string) (Answer, error) {
	kind := Refused
	if qualifies {
		kind = Qualified
	}
	answer, _, err := m.askInTurn(ctx, gateScript, b.Number, b.Gate.Hash(), string(kind), why)
	return answer, err
}

// NoBatch is the number under which a worker that joined anew reports what it finished before: numbers of batches begin
// anew with each Join.
const NoBatch = 0

// Report tells what happened to tests of a batch, in order: events of type Start, Pause, Finish and ProblemFound.
//
// A report whose answer was lost is repeated by calling Report again with events that include the lost ones: a finish
// counts only while this worker holds its test, so that telling it twice changes nothing but a line of the journal.
//
// Errors: NotJoined.
func (m *Member) Report(ctx context.Context, batch int, events []Event) (Answer, error) {
	m.report++
	args := []any{batch, m.report}
	for _, e := range events {
		var data any = e.Outcome
		if e.Type == ProblemFound {
			data = e.Problem
		}
		text, err := json.Marshal(data)
		if err != nil {
			return Answer{}, fmt.Errorf("encode the %s of test %q: %w", e.Type, e.Test, err)
		}
		args = append(args, string(e.Type), e.Test, string(e.Outcome.Status), string(text), e.Outcome.Output)
	}
	answer, _, err := m.askInTurn(ctx, reportScript, args...)
	if err == nil {
		m.heard = answer.report
	}
	return answer, err
}

// Settle ends a batch, once all of it that has an outcome is reported. A batch that is settled already, or was never
// this worker's, is left alone.
//
// Errors: NotJoined.
func (m *Member) Settle(ctx context.Context, batch int, how Settlement) (Answer, error) {
	answer, _, err := m.askInTurn(ctx, settleScript, batch, string(how))
	return answer, err
}

// Beat tells that this worker lives, and which tests of which batch it holds: all those whose finish was not reported yet.
// Number and tests must belong together, and to a batch whose claim was answered: what Redis believes this worker to hold
// of that batch beyond them goes back to the queue.
//
// Errors: NotJoined.
func (m *Member) Beat(ctx context.Context, batch int, held []string) (Answer, error) {
	return m.beat(ctx, batch, held, false)
}

// Drain is a beat that says that this worker will leave: should it vanish before, no test is charged.
func (m *Member) Drain(ctx context.Context, batch int, held []string) (Answer, error) {
	return m.beat(ctx, batch, held, true)
}

func (m *Member) beat(ctx context.Context, batch int, held []string, leaving bool) (Answer, error) {
	args := []any{batch, flag(leaving)}
	for _, id := range held {
		args = append(args, id)
	}
	answer, _, err := m.ask(ctx, beatScript, args...)
	return answer, err
}

// Leave takes the worker out of the run. A batch that it holds, also one whose claim was never answered, is handed back
// first. Leaving twice is no error.
func (m *Member) Leave(ctx context.Context, why string) error { return m.leave(ctx, why, false) }

// LeaveUnqualified is Leave of a worker that qualifies for no test that is left: the refusals of its gates stand.
func (m *Member) LeaveUnqualified(ctx context.Context, why string) error {
	return m.leave(ctx, why, true)
}

func (m *Member) leave(ctx context.Context, why string, unqualified bool) error {
	leave := func() error {
		return m.q.run(ctx, leaveScript, []string{m.id}, m.id, why, flag(unqualified)).Err()
	}
	err := leave()
	if !errors.Is(err, Holding) {
		return err
	}
	answer, _, err := m.ask(ctx, settleScript, NoBatch, string(HandBack)) // which number Redis has
	if err != nil {
		return err
	}
	if _, _, err := m.ask(ctx, settleScript, answer.batch, string(HandBack)); err != nil {
		return err
	}
	return leave()
}

// askInTurn is ask for the requests that come one at a time: the answer must know of all that came before.
func (m *Member) askInTurn(ctx context.Context, s *redis.Script, args ...any) (Answer, []string, error) {
	answer, rest, err := m.ask(ctx, s, args...)
	if err == nil && (answer.batch < m.batch || answer.report < m.heard) {
		err = &Error{Code: Rewound, RunID: m.q.runID, Detail: fmt.Sprintf("Redis lost writes: it knows worker %s up to batch %d and report %d, and has acknowledged %d and %d before",
			m.id, answer.batch, answer.report, m.batch, m.heard)}
	}
	return answer, rest, err
}

// ask runs a script that answers a worker, and splits off the common part of the answer.
func (m *Member) ask(ctx context.Context, s *redis.Script, args ...any) (Answer, []string, error) {
	reply, err := m.q.run(ctx, s, []string{m.id}, append([]any{m.id}, args...)...).Slice()
	if err != nil {
		return Answer{}, nil, err
	}
	texts := make([]string, len(reply))
	for i, value := range reply {
		texts[i] = fmt.Sprint(value)
	}
	number, err := strconv.ParseInt(texts[0], 10, 64)
	if err != nil {
		return Answer{}, nil, err
	}
	report, err := strconv.ParseInt(texts[1], 10, 64)
	if err != nil {
		return Answer{}, nil, err
	}
	return Answer{batch: number, report: report, Cursor: texts[2], Markers: parseMarkers(strings.Split(texts[3], ","))}, texts[4:], nil
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
