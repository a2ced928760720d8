package batch

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

var (
	leadScript   = script("lead")
	resignScript = script("resign")
)

// Leader is who leads the controllers of a run, and its sign of life.
type Leader struct {
	Owner string
	// Term grows by one with every change of the leader, unless Redis loses its data and nobody is left who saw the last: then it
	// begins again at 1.
	Term int64
	// Beat counts the signs of life within the term.
	Beat int64
}

// Election decides who of a run's controllers leads. It needs no run: the first leader opens it. It is safe for concurrent
// use.
//
// It spares work and protects nothing: every request to a Queue is safe with any number of controllers. Two may believe to
// lead when Redis lost what it had answered.
type Election struct {
	rdb redis.UniversalClient
	key string
}

// NewElection returns the election of a run. The error is that of NewKeys.
func NewElection(rdb redis.UniversalClient, runID string) (*Election, error) {
	keys, err := NewKeys(runID)
	if err != nil {
		return nil, err
	}
	return &Election{rdb: rdb, key: keys.Leader()}, nil
}

// Lead makes owner the leader if nobody leads, or if the leader stood still and is exactly what was seen; it is a beat if owner
// leads already, and else changes nothing. It returns who leads now. seen is what Lead returned the last time, zero if it
// never did: if Redis has lost that, it is put back first.
//
// An owner is a name that nobody else ever has in this run, and not empty. Whoever says that the leader stood still must have
// seen it unchanged for a whole lease; Lead cannot check that. It may be repeated: that changes nothing but a beat. Only a
// request that arrives after its owner has resigned, or after the run was cleaned, makes a leader that may not live: the
// others wait for a lease then.
func (e *Election) Lead(ctx context.Context, owner string, seen Leader, stoodStill bool) (Leader, error) {
	if owner == "" {
		return Leader{}, errors.New("nobody cannot lead: the owner is empty")
	}
	held, err := leadScript.Run(ctx, e.rdb, []string{e.key}, owner, seen.Owner, seen.Term, seen.Beat, flag(stoodStill)).StringSlice()
	if err != nil {
		return Leader{}, err
	}
	term, errTerm := strconv.ParseInt(held[1], 10, 64)
	beat, errBeat := strconv.ParseInt(held[2], 10, 64)
	if err := errors.Join(errTerm, errBeat); err != nil {
		return Leader{}, fmt.Errorf("%s is damaged: %w", e.key, err)
	}
	return Leader{Owner: held[0], Term: term, Beat: beat}, nil
}

// Resign ends the lead that owner has in a term, so that the next who asks leads. It changes nothing if owner does not lead,
// or leads in another term.
func (e *Election) Resign(ctx context.Context, owner string, term int64) error {
	return resignScript.Run(ctx, e.rdb, []string{e.key}, owner, term).Err()
}
