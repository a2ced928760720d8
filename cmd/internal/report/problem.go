package report

import (
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Problem is a problem of the run with whoever told it first. Worker is empty and Time zero for one that Judge found.
type Problem struct {
	batch.Problem
	Worker string
	Time   time.Time
}

// problems are those of a run, each once. The zero value is empty.
type problems struct {
	list []Problem
	seen map[[2]string]bool
}

// add returns whether p is new: problems of one scope and message are one.
func (ps *problems) add(p Problem) bool {
	key := [2]string{p.Scope, p.Message}
	if ps.seen[key] {
		return false
	}
	if ps.seen == nil {
		ps.seen = map[[2]string]bool{}
	}
	ps.seen[key] = true
	ps.list = append(ps.list, p)
	return true
}
