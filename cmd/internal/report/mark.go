package report

import (
	"time"

	"github.com/shardctl/shardctl/batch"
)

// Mark is something that happened to the run as a whole.
type Mark struct {
	Time time.Time
	// Type is batch.Opened (again, after Redis lost data), Sealed, Audited or Aborted.
	Type batch.EventType
	// Text is the reason of an abort.
	Text string
}

// mark notes what a person looks for on a time line. That a run begins needs no mark.
func (h *History) mark(e batch.Event) {
	switch e.Type {
	case batch.Opened:
		if h.entries == 1 {
			return
		}
	case batch.Sealed, batch.Audited, batch.Aborted:
	default:
		return
	}
	h.marks = append(h.marks, Mark{Time: e.Time, Type: e.Type, Text: e.Text})
}
