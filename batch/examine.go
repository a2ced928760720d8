package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Level is how bad a Finding is.
type Level string

const (
	// Fine: nothing is to be done.
	Fine Level = "ok"
	// Doubtful: runs work, but something is slower or less safe than it might be, or could not be found out.
	Doubtful Level = "warn"
	// Failing: runs do not work.
	Failing Level = "fail"
)

// Finding is what Examine found out about one thing.
type Finding struct {
	Level Level
	// Subject is the thing in a word, Text what is to be said about it, in a line; if it is not Fine, also what to change.
	Subject, Text string
}

// LeastVersion is the oldest Redis that serves runs.
const LeastVersion = "6.2"

const (
	// slow is a time for a request and its answer that a run feels: some requests go with each batch.
	slow = 50 * time.Millisecond
	// headroom is what a large run needs: 64 MiB of output, and its list and journal.
	headroom = 128 << 20
	mebibyte = 1 << 20
)

// Examine finds out whether a Redis can serve a run, or, without a run id, any run. It writes nothing. The error is that of NewKeys, or
// Redis did not answer; then it returns what it found before.
func Examine(ctx context.Context, rdb redis.UniversalClient, runID string) ([]Finding, error) {
	pattern := AllRuns
	keys, err := NewKeys("doctor")
	if runID != "" {
		keys, err = NewKeys(runID)
		pattern = keys.Pattern()
	}
	if err != nil {
		return nil, err
	}
	if rdb, err = keys.node(ctx, rdb); err != nil { // of a Cluster the server that the run would lie on
		return nil, err
	}
	e := examination{rdb: rdb, pattern: pattern}
	e.queue = &Queue{rdb: rdb, runID: runID, keys: Keys{queue: keys.queue + "_doctor"}, epoch: "none"}
	var errHello, errInfo error
	e.hello, errHello = readHello(ctx, rdb)
	e.info, errInfo = readInfo(ctx, rdb, "")
	for _, err := range []error{errHello, errInfo} {
		if unanswered(err) {
			return nil, err
		}
	}
	checks := []check{{"version", e.version}, {"role", e.role}, {"latency", e.latency}}
	if e.info == nil {
		checks = append(checks, check{"memory", e.untold})
	} else {
		checks = append(checks, check{"eviction", e.eviction}, check{"memory", e.memory}, check{"persistence", e.persistence})
	}
	checks = append(checks, check{"clients", e.clients}, check{"scripts", e.scripts}, check{"rights", e.rights})
	var findings []Finding
	for _, c := range checks {
		level, text, err := c.find(ctx)
		if unanswered(err) {
			return findings, err
		}
		findings = append(findings, Finding{Level: level, Subject: c.subject, Text: text})
	}
	return findings, nil
}

// unanswered tells whether the server did not answer; a refusal is an answer.
func unanswered(err error) bool {
	var reply redis.Error
	return !errors.As(err, &reply) && (Transient(err) || errors.Is(err, context.Canceled))
}

// check finds out about one thing. Its error only says whether the server answered.
type check struct {
	subject string
	find    func(context.Context) (Level, string, error)
}

// examination is what the checks of Examine go by.
type examination struct {
	rdb     redis.UniversalClient
	pattern string
	// queue has keys that match the pattern and are no run's.
	queue *Queue
	// hello and info are what the server tells of itself; nil where it does not.
	hello, info serverInfo
}

func (e examination) version(context.Context) (Level, string, error) {
	version := e.hello["version"]
	if version == "" {
		version = e.info["redis_version"]
	}
	switch {
	case version == "":
		return Doubtful, "Redis does not tell its version: see that it is " + LeastVersion + " or newer", nil
	case older(version, LeastVersion):
		return Failing, fmt.Sprintf("Redis %s is too old: use %s or newer", version, LeastVersion), nil
	}
	return Fine, "Redis " + version, nil
}

// older compares versions, number by number.
func older(version, than string) bool {
	numbers := func(s string) (n []int) {
		for part := range strings.SplitSeq(s, ".") {
			i, _ := strconv.Atoi(part)
			n = append(n, i)
		}
		return n
	}
	return slices.Compare(numbers(version), numbers(than)) < 0
}

func (e examination) role(context.Context) (Level, string, error) {
	switch role := e.hello["role"]; role {
	case "":
		return Doubtful, "Redis does not tell whether it is the master: see that it is, replicas take no writes", nil
	case "master":
		return Fine, "it is the master", nil
	default:
		return Failing, fmt.Sprintf("it is a %s, which takes no writes: give the address of the master, or that of sentinels (redis+sentinel://)", role), nil
	}
}

func (e examination) latency(ctx context.Context) (Level, string, error) {
	const pings = 21
	var took []time.Duration
	for range pings {
		began := time.Now()
		if err := e.rdb.Ping(ctx).Err(); err != nil {
			return Failing, err.Error(), err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	median := took[pings/2].Round(10 * time.Microsecond)
	text := fmt.Sprintf("a PING takes %v (the median of %d)", median, pings)
	if median >= slow {
		return Doubtful, text + ": each batch takes some such times, so use a Redis near to the workers, or larger batches (--batch-size)", nil
	}
	return Fine, text, nil
}

func (e examination) clients(ctx context.Context) (Level, string, error) {
	const slower = ": a killed worker is noticed when its lease is over, not within seconds"
	clients, err := e.queue.Clients(ctx)
	switch {
	case err != nil:
		return Doubtful, "CLIENT LIST is refused" + slower + "; grant +client|list", err
	case len(clients.Own) == 0:
		return Doubtful, "CLIENT LIST does not show this connection" + slower + "; a proxy or the provider hides it", nil
	}
	return Fine, "CLIENT LIST tells who is connected", nil
}

func (e examination) scripts(ctx context.Context) (Level, string, error) {
	err := e.queue.run(ctx, auditScript, nil).Err()
	if errors.Is(err, Gone) { // as it should say, of a run that is not there
		return Fine, "Lua scripts run", nil
	}
	if err == nil {
		return Failing, "Lua scripts do not do what they should", nil
	}
	return Failing, fmt.Sprintf("Lua scripts do not run: %v", err), err
}
