package batch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Schema is the version of what Redis holds. A run of another schema is refused.
const Schema = 3

// Streaming is the manifest of a run whose list arrives bit by bit, from any number of producers.
const Streaming = "stream"

// enqueueChunk is how many tests one script call enqueues: some milliseconds of Redis's time.
const enqueueChunk = 1000

// Options are fixed when a run is opened and hold for all who take part.
type Options struct {
	// Retries is how often a failed test runs again, alone, before its failure is final.
	Retries int
	// MaxRetriesTotal bounds the retries of all failed tests together; when they are spent, failures are final. 0: no limit.
	// A run that lost its data counts anew.
	MaxRetriesTotal int
	// MaxCrashes ends a test after that many crashes, time-outs and executions that never happened; MaxLosses after
	// that many workers vanished while they ran it; MaxClaims after that many claims in all. All at least 1.
	MaxCrashes, MaxLosses, MaxClaims int
	// MaxOutput bounds the output of failed tests that the run's journal keeps, in bytes.
	MaxOutput int64
	// Lease is how long a worker's beat may stand still before it is presumed dead.
	Lease time.Duration
	// ExpectWorkers keeps the first workers to arrive from claiming as if there were no others. 0: unknown.
	ExpectWorkers int
	// Startup is what starting a runner is expected to cost a worker that does not know it yet; see Member.Startup.
	Startup time.Duration
}

// DefaultOptions returns the options of a run about which nobody said anything.
func DefaultOptions() Options {
	return Options{MaxCrashes: 2, MaxLosses: 3, MaxClaims: 10, MaxOutput: 64 << 20, Lease: 15 * time.Second}
}

// Queue is one run as Redis holds it. It is safe for concurrent use.
type Queue struct {
	rdb   redis.UniversalClient
	runID string
	keys  Keys
	epoch string
	birth string
	// manifest as the run was opened with.
	manifest string
	options  Options
	gates    knownGates
}

// Open makes the run, or attaches to the live run of this id if it has the same manifest. The manifest is a digest of the
// list, or Streaming. Options count only for a new run; Options returns those that hold.
//
// Errors: Ended if a run of this id is over, Mismatch if it has another manifest, OtherSchema if another version opened it.
func Open(ctx context.Context, rdb redis.UniversalClient, runID, manifest string, o Options) (*Queue, error) {
	q := &Queue{rdb: rdb, runID: runID}
	return q.open(ctx, nil, "", randomHex(16), false, manifest, o)
}

// Reopen makes the run of q anew, under another epoch, with an empty list: because Redis lost its data, or a part of it (err
// is Gone then, and what is left is removed). It attaches to what another controller made of it since, and Ended says that
// this one has brought it to its end.
//
// Errors: Replaced; Mismatch; Ended.
func (q *Queue) Reopen(ctx context.Context) (*Queue, error) {
	sets, err := q.workerSets(ctx)
	if err != nil {
		return nil, err
	}
	return q.open(ctx, sets, q.epoch, q.birth, true, q.manifest, q.options)
}

// workerSets returns the ids of the workers that have a set, also of those that Redis has forgotten.
func (q *Queue) workerSets(ctx context.Context) ([]string, error) {
	ids, err := q.keys.find(ctx, q.rdb, q.keys.Worker("*"))
	for i, name := range ids {
		ids[i] = strings.TrimPrefix(name, q.keys.Worker(""))
	}
	return ids, err
}

func (q *Queue) open(ctx context.Context, workers []string, damaged, birth string, known bool, manifest string, o Options) (*Queue, error) {
	keys, err := NewKeys(q.runID)
	if err != nil {
		return nil, err
	}
	proposal := &Queue{rdb: q.rdb, runID: q.runID, keys: keys, epoch: randomHex(16)}
	if _, err := proposal.run(ctx, openScript, workers, birth, manifest, damaged, flag(known),
		"schema", Schema, "lease", o.Lease.Milliseconds(), "retries", o.Retries, "max_retries_total", o.MaxRetriesTotal, "max_crashes", o.MaxCrashes,
		"max_losses", o.MaxLosses, "max_claims", o.MaxClaims, "max_output", o.MaxOutput, "expect_workers", o.ExpectWorkers,
		"startup_us", o.Startup.Microseconds(),
	).StringSlice(); err != nil {
		return nil, err
	}
	return Attach(ctx, q.rdb, q.runID)
}

// Reattach finds the run of q under whatever epoch it has now. The error is Gone if there is none,
// Replaced if there is another of this id.
func (q *Queue) Reattach(ctx context.Context) (*Queue, error) {
	now, err := Attach(ctx, q.rdb, q.runID)
	if err == nil && now.birth != q.birth {
		return nil, &Error{Code: Replaced, RunID: q.runID, Detail: "another run of this id has begun since"}
	}
	return now, err
}

// ReattachWhole is Reattach for who does not know the list, and so cannot tell by itself whether it is whole: the error is Gone
// too while a part of the run's data is missing, or the list is not closed.
func (q *Queue) ReattachWhole(ctx context.Context) (*Queue, error) {
	now, err := q.Reattach(ctx)
	if err != nil {
		return nil, err
	}
	progress, err := now.Finish(ctx, nil, false) // asked for what it says of the data
	if err == nil && progress == IsUnsealed {
		err = &Error{Code: Gone, RunID: q.runID, Detail: "its list is not closed"}
	}
	if err != nil {
		return nil, err
	}
	return now, nil
}

// Attach finds a run that somebody opened. The error is Gone if there is none, OtherSchema if this version cannot read it.
func Attach(ctx context.Context, rdb redis.UniversalClient, runID string) (*Queue, error) {
	keys, err := NewKeys(runID)
	if err != nil {
		return nil, err
	}
	fields, err := rdb.HGetAll(ctx, keys.Run()).Result()
	if err != nil {
		return nil, err
	}
	if fields["epoch"] == "" {
		return nil, &Error{Code: Gone, RunID: runID, Detail: "Redis holds no run of this id"}
	}
	if fields["schema"] != strconv.Itoa(Schema) {
		return nil, &Error{Code: OtherSchema, RunID: runID, Detail: fmt.Sprintf("it was opened by another version of this program (schema %s, here %d): use one version in all jobs", fields["schema"], Schema)}
	}
	number := func(name string) int { n, _ := strconv.Atoi(fields[name]); return n }
	return &Queue{rdb: rdb, runID: runID, keys: keys, epoch: fields["epoch"], birth: fields["birth"], manifest: fields["manifest"], options: Options{
		Retries:         number("retries"),
		MaxRetriesTotal: number("max_retries_total"),
		MaxCrashes:      number("max_crashes"),
		MaxLosses:       number("max_losses"),
		MaxClaims:       number("max_claims"),
		MaxOutput:       int64(number("max_output")),
		Lease:           time.Duration(number("lease")) * time.Millisecond,
		ExpectWorkers:   number("expect_workers"),
		Startup:         time.Duration(number("startup_us")) * time.Microsecond,
	}}, nil
}

// RunID returns the id of the run.
func (q *Queue) RunID() string { return q.runID }

// Keys returns the names of the run's keys.
func (q *Queue) Keys() Keys { return q.keys }

// Birth is 128 random bits, in hexadecimal digits, that tell this run from others of its id.
func (q *Queue) Birth() string { return q.birth }

// Manifest is what the run was opened with: a digest of its list, or Streaming.
func (q *Queue) Manifest() string { return q.manifest }

// Options returns what holds for the run, whoever opened it.
func (q *Queue) Options() Options { return q.options }

// Enqueue adds tests to the end of the queue, in order and in chunks. Tests that are in the run already are ignored, so
// that a call that failed half-way may be repeated. It returns how many tests the run holds now.
//
// Errors: what CheckID and CheckGates say; Ended; ListSealed; Conflict; TooManyGates.
func (q *Queue) Enqueue(ctx context.Context, tests []Test) (total int, err error) {
	for _, t := range tests {
		if err := CheckID(t.ID); err != nil {
			return 0, err
		}
	}
	if err := CheckGates(tests); err != nil {
		return 0, err
	}
	for first := true; first || len(tests) > 0; first = false {
		chunk := tests[:min(len(tests), enqueueChunk)]
		tests = tests[len(chunk):]
		if err := q.quarantine(ctx, chunk); err != nil {
			return 0, err
		}
		gates, err := q.gatesOf(chunk)
		if err != nil {
			return 0, err
		}
		args := append([]any{MaxGates, len(gates) / 2}, gates...)
		for _, t := range chunk {
			args = append(args, t.ID, encodeSpec(t), t.Microseconds())
		}
		counts, err := q.run(ctx, enqueueScript, nil, args...).Int64Slice()
		if err != nil {
			return 0, err
		}
		total = int(counts[1])
	}
	return total, nil
}

// Seal closes the list, which must hold total tests. The error is Incomplete if it holds another number.
func (q *Queue) Seal(ctx context.Context, total int) error {
	return q.run(ctx, sealScript, nil, total).Err()
}

// Reap removes a worker whose beat still is what the caller saw, and sends its tests to the requeue. It reports whether
// it did, and how many tests the worker held.
func (q *Queue) Reap(ctx context.Context, workerID string, beat int64, why string) (reaped bool, held int, err error) {
	n, err := q.run(ctx, reapScript, []string{workerID}, workerID, beat, why).Int64Slice()
	if err != nil {
		return false, 0, err
	}
	return n[0] == 1, int(n[1]), nil
}

// Progress is what Finish found.
type Progress string

const (
	IsDone     Progress = "done"
	IsAborted  Progress = "aborted"
	IsUnsealed Progress = "unsealed"
	IsBusy     Progress = "busy"
	// IsStuck: all that is left are tests behind gates that every live worker refuses. IsShort: the same, but workers that
	// are expected have not come yet.
	IsStuck Progress = "stuck"
	IsShort Progress = "short"
	// IsUneven: tests are nowhere, or in two places, because Redis lost a key. Audit mends that.
	IsUneven Progress = "uneven"
)

// Finish posts the done marker if the run is complete, and says how the run stands. workers are the ids of the workers
// that the caller knows of. With giveUp, the tests on which a stuck run is stuck become Unroutable.
func (q *Queue) Finish(ctx context.Context, workers []string, giveUp bool) (Progress, error) {
	text, err := q.run(ctx, finishScript, workers, flag(giveUp)).Text()
	return Progress(text), err
}

// Audit brings each test back to one place, and returns how many were nowhere.
func (q *Queue) Audit(ctx context.Context) (int, error) {
	sets, err := q.workerSets(ctx)
	if err != nil {
		return 0, err
	}
	return q.run(ctx, auditScript, sets).Int()
}

// Abortion says why a run is stopped.
type Abortion struct {
	// Why, and Who asked, for people.
	Why, Who string
	// EnoughFailures: because tests failed, which makes the run failed rather than incomplete.
	EnoughFailures bool
}

// Abort stops the run. It returns IsDone if the run was complete before. The first abortion of a run counts.
func (q *Queue) Abort(ctx context.Context, a Abortion) (Progress, error) {
	text, err := q.run(ctx, abortScript, nil, a.Why, a.Who, flag(a.EnoughFailures)).Text()
	return Progress(text), err
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// BeatInterval is how often a worker beats: an eighth of the lease, at most every two seconds.
func BeatInterval(lease time.Duration) time.Duration { return min(lease/8, 2*time.Second) }
