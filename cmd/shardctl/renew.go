package main

import (
	"context"
	"errors"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// renew brings back a run whose data Redis lost; see recovery.Controller. Who does not know the list can only find what another
// controller made of it.
func (s *supervision) renew(ctx context.Context, damaged bool, known [][]batch.Event) (recovery.Queue, error) {
	q, err := s.q, error(nil)
	switch {
	case damaged && s.tests == nil:
		q, err = s.q.Reattach(ctx)
	case damaged:
		if q, err = s.q.Reopen(ctx); errors.Is(err, batch.Ended) {
			q, err = s.q.Reattach(ctx) // another controller has brought it to its end
			s.q = q
			return q, err
		}
	}
	if err != nil {
		return nil, err
	}
	s.log.Warn("Redis lost data of this run: bringing it back", "run", q.RunID(), "results known", len(known))
	if s.tests != nil {
		if _, err := q.Enqueue(ctx, s.tests); err != nil {
			return nil, err
		}
	}
	if _, err := q.Restore(ctx, known); err != nil {
		return nil, err
	}
	if s.tests != nil {
		if err := q.Seal(ctx, len(s.tests)); err != nil {
			return nil, err
		}
	}
	s.q = q
	return q, nil
}
