package control

import (
	"context"
	"errors"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// renew brings back a run whose data Redis lost; see recovery.Controller. Who does not know the list can only find what another
// controller made of it.
func (s *Attendance) renew(ctx context.Context, damaged bool, known [][]batch.Event) (recovery.Queue, error) {
	q, err := s.bringBack(ctx, damaged, known)
	if errors.Is(err, batch.Ended) {
		q, err = s.Queue.Reattach(ctx) // another controller has brought it to its end
	}
	if err != nil {
		return nil, err
	}
	s.Queue = q
	return q, nil
}

func (s *Attendance) bringBack(ctx context.Context, damaged bool, known [][]batch.Event) (*batch.Queue, error) {
	q, err := s.Queue, error(nil)
	switch {
	case !damaged && s.Tests == nil:
		return nil, &batch.Error{Code: batch.Gone, RunID: q.RunID(), Detail: "Redis lost the mark that the list is whole, and this process does not know the list"}
	case damaged && s.Tests == nil:
		q, err = s.Queue.ReattachWhole(ctx)
	case damaged:
		q, err = s.Queue.Reopen(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.Log.Warn("Redis lost data of this run: bringing it back", "run", q.RunID(), "results known", len(known))
	if s.Tests != nil {
		if _, err := q.Enqueue(ctx, s.Tests); err != nil {
			return nil, err
		}
	}
	if _, err := q.Restore(ctx, known); err != nil {
		return nil, err
	}
	if s.Tests != nil {
		if err := q.Seal(ctx, len(s.Tests)); err != nil {
			return nil, err
		}
	}
	return q, nil
}
