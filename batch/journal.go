package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// JournalStart is the position before the first entry.
const JournalStart = "0-0"

// Events returns the journal's entries after a position, in order: at most most of them. If there are none it waits for
// the first, at most for wait, and returns an empty list when none came. A negative wait does not wait.
func (q *Queue) Events(ctx context.Context, after string, most int, wait time.Duration) ([]Event, error) {
	if wait >= 0 {
		wait = max(wait, time.Millisecond) // 0 would mean for ever
	}
	streams, err := q.follow(ctx, &redis.XReadArgs{
		Streams: []string{q.keys.Events(), after}, Count: int64(most), Block: wait,
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var events []Event
	for _, entry := range streams[0].Messages {
		e, err := parseEvent(entry)
		if err != nil {
			return nil, fmt.Errorf("journal of run %q, entry %s: %w", q.runID, entry.ID, err)
		}
		events = append(events, e)
	}
	return events, nil
}

func parseEvent(entry redis.XMessage) (Event, error) {
	field := func(name string) string { text, _ := entry.Values[name].(string); return text }
	e := Event{
		ID: entry.ID, Type: EventType(field("type")), Test: field("test"), Worker: field("worker"),
		Decision: Decision(field("decision")), Text: field("text"), Gate: field("gate"), Former: field("former"), Tests: lines(field("tests")), Charged: lines(field("charged")),
	}
	millis, _, _ := strings.Cut(entry.ID, "-")
	ms, err := strconv.ParseInt(millis, 10, 64)
	if err != nil {
		return e, err
	}
	e.Time = time.UnixMilli(ms)
	if text := field("batch"); text != "" {
		if e.Batch, err = strconv.Atoi(text); err != nil {
			return e, err
		}
	}
	switch e.Type {
	case Finish:
		err = json.Unmarshal([]byte(field("data")), &e.Outcome)
		e.Outcome.Output = field("output")
	case ProblemFound:
		err = json.Unmarshal([]byte(field("data")), &e.Problem)
	case Quarantined:
		e.Quarantine = Quarantine{Owner: field("owner"), Reason: field("reason"), Until: field("until")}
	case Resulted:
		e.Outcome = Outcome{Status: Status(field("status")), Message: field("text")}
	}
	return e, err
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
