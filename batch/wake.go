package batch

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Wait returns when the run's wake stream has moved beyond a cursor, with the new cursor and the markers as of then; or,
// after most (at least a millisecond), with the cursor that it was given and no markers. A wake-up between the request
// that gave the cursor and this call is not missed.
func (q *Queue) Wait(ctx context.Context, cursor string, most time.Duration) (Answer, error) {
	streams, err := q.follow(ctx, &redis.XReadArgs{
		Streams: []string{q.keys.Wake(), cursor}, Count: 1, Block: max(most, time.Millisecond),
	})
	if errors.Is(err, redis.Nil) {
		return Answer{Cursor: cursor}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	last := streams[0].Messages[len(streams[0].Messages)-1]
	markers, _ := last.Values["markers"].(string)
	return Answer{Cursor: last.ID, Markers: parseMarkers(strings.Split(markers, ","))}, nil
}
