package gate

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

const (
	// noStands is how long the no of a gate stands that said so itself, or that this worker does not run.
	noStands = time.Minute
	// outputEnds is how many bytes of a gate's output are logged at each end.
	outputEnds = 2 << 10
)

// Options of a Keeper.
type Options struct {
	Settings
	// Commands are the gates of this worker's own .shard.yml by name.
	Commands map[string]string
	// Given are the texts of commands that this very process was given by its user. Nobody may write to it any more.
	Given map[string]bool
	// Secret is SHARD_SECRET, empty for none. It must be gone from the environment of this process, which gates see.
	Secret string
	// RunID and Birth of the run; proofs of another run do not count.
	RunID, Birth string
	// Log gets each new answer, and the output of the gate.
	Log *slog.Logger
}

// Answer tells whether this worker may run the tests behind a gate.
type Answer struct {
	Yes bool
	// Why, for people: one line, without anything that the gate printed.
	Why string
}

// Keeper answers for one worker. It belongs to one goroutine.
type Keeper struct {
	o Options
	// passed holds the hashes of gates that said yes.
	passed *lru.Cache[string, struct{}]
	// last is the last verdict on each gate, by hash: batch.MaxGates at most.
	last   map[string]verdict
	inARow int
}

// verdict is an answer and where it comes from.
type verdict struct {
	Answer
	// until is when a no ends to stand.
	until time.Time
	// output is what the gate printed, broken is that it could not answer: only for the log.
	output string
	broken bool
}

// New makes a Keeper. The error is about Settings.CacheSize.
func New(o Options) (*Keeper, error) {
	passed, err := lru.New[string, struct{}](o.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("the cache of gates: %w", err)
	}
	return &Keeper{o: o, passed: passed, last: make(map[string]verdict)}, nil
}

// Ask returns what g (a gate, not none) says, from memory where an answer stands. Otherwise its command runs in this
// process's folder; env holds variables ("NAME=value") that it sees beside this process's environment. The error is
// context.Cause(ctx), if ctx ended before there was an answer.
func (k *Keeper) Ask(ctx context.Context, g batch.Gate, env []string) (Answer, error) {
	if ctx.Err() != nil {
		return Answer{}, context.Cause(ctx)
	}
	hash := g.Hash()
	last, asked := k.last[hash]
	if _, ok := k.passed.Get(hash); ok {
		k.inARow = 0
		return last.Answer, nil
	}
	if last.stands() {
		return last.Answer, nil
	}
	v, err := k.ask(ctx, g, env)
	if err != nil {
		return Answer{}, err
	}
	if v.Yes {
		k.passed.Add(hash, struct{}{})
		k.inARow = 0
	} else {
		k.inARow++
	}
	if !asked || v.Answer != last.Answer {
		k.log(ctx, g, v)
	}
	v.output = "" // logged; nobody reads it again
	k.last[hash] = v
	return v.Answer, nil
}

func (k *Keeper) ask(ctx context.Context, g batch.Gate, env []string) (verdict, error) {
	command, refusal := k.command(g)
	if refusal != "" {
		return no(refusal, noStands, true), nil
	}
	end, err := runner.Shell{
		Command: command, Env: env, Limit: k.o.Timeout, Flag: "--gate-timeout", Grace: runner.DefaultGrace, Ends: outputEnds,
	}.Run(ctx)
	var v verdict
	switch {
	case err != nil && ctx.Err() != nil:
		return verdict{}, context.Cause(ctx)
	case err != nil:
		v = no(err.Error(), k.o.RequeueDelay, true)
	case end.Late:
		v = no(end.Words, k.o.RequeueDelay, true)
	case end.Status != 0: // a command that the shell does not find will not be there in a moment either
		v = no(end.Words, noStands, end.Status == 126 || end.Status == 127)
	default:
		v.Answer = Answer{Yes: true, Why: end.Words}
	}
	v.output = end.Output
	return v, nil
}

// no makes a verdict that stands from now for a while.
func no(why string, stands time.Duration, broken bool) verdict {
	return verdict{Answer: Answer{Why: why}, until: time.Now().Add(stands), broken: broken}
}

// stands tells whether v is a no that still holds.
func (v verdict) stands() bool { return time.Now().Before(v.until) }

// log tells of a verdict. A machine that does not qualify is no trouble, a gate that cannot answer is.
func (k *Keeper) log(ctx context.Context, g batch.Gate, v verdict) {
	level, answer := slog.LevelInfo, "no, its tests are left to other workers"
	switch {
	case v.Yes:
		answer = "yes, this worker may run its tests"
	case v.broken:
		level = slog.LevelWarn
	}
	var output []any
	if v.output != "" {
		output = []any{"output", v.output}
	}
	k.o.Log.Log(ctx, level, fmt.Sprintf("gate %.200q: %s: %s", g.String(), answer, v.Why), output...)
}

// Refused returns the hashes of the gates whose no stands, sorted: for the next claim.
func (k *Keeper) Refused() []string {
	var hashes []string
	for hash, v := range k.last {
		if v.stands() {
			hashes = append(hashes, hash)
		}
	}
	slices.Sort(hashes)
	return hashes
}

// Forget ends all no's: whoever is to be told of them does not know them any more.
func (k *Keeper) Forget() {
	for hash, v := range k.last {
		v.until = time.Time{}
		k.last[hash] = v
	}
}

// Next returns how long the first no that stands goes on standing, and false if none does.
func (k *Keeper) Next() (time.Duration, bool) {
	next, any := time.Duration(0), false
	for _, v := range k.last {
		if left := time.Until(v.until); left > 0 && (!any || left < next) {
			next, any = left, true
		}
	}
	return next, any
}

// InARow returns how often a gate was asked and said no since one last said yes, or ever. An answer from memory is no new
// no.
func (k *Keeper) InARow() int { return k.inARow }
