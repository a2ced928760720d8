package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// Code says why Redis refused a request. Match it with errors.Is.
type Code string

const (
	// Gone: Redis holds no data of the run, or not all of it. It never means that the run is complete.
	Gone Code = "GONE"
	// Rewound: Redis has older numbers of the worker than it has acknowledged before: it lost writes, as a failover may.
	Rewound Code = "REWOUND"
	// OtherEpoch: the run was opened anew; what the caller knew of it is void.
	OtherEpoch Code = "EPOCH"
	// Ended: the run is done or aborted.
	Ended Code = "ENDED"
	// Replaced: Redis holds another run of this id, begun since.
	Replaced Code = "REPLACED"
	// Mismatch: a live run of this id has another list.
	Mismatch Code = "MISMATCH"
	// ListSealed: a new test came after the list was closed.
	ListSealed Code = "SEALED"
	// Conflict: a test is in the list with another spec.
	Conflict Code = "CONFLICT"
	// TooManyGates: the run would have more than MaxGates different gates.
	TooManyGates Code = "LIMIT"
	// Incomplete: the list holds another number of tests than its sealer knows.
	Incomplete Code = "INCOMPLETE"
	// NotJoined: the worker left or was presumed dead; it must join anew.
	NotJoined Code = "UNKNOWN"
	// Stale: a delayed claim.
	Stale Code = "STALE"
	// Holding: the worker has a batch that is not settled.
	Holding Code = "HOLDING"
	// UnknownSpec: the list holds a test whose spec this version cannot read.
	UnknownSpec Code = "SPEC"
	// OtherSchema: another version of this program opened the run.
	OtherSchema Code = "SCHEMA"

	// retry names workers and gates whose keys a script must declare; it never leaves this package.
	retry Code = "RETRY"
)

func (c Code) Error() string { return string(c) }

// Error is a refusal by the protocol.
type Error struct {
	Code Code
	// RunID of the run that was asked for.
	RunID string
	// Detail depends on Code: how a run ended, the test in question, an explanation.
	Detail string
}

func (e *Error) Error() string {
	switch e.Code {
	case Ended:
		return fmt.Sprintf("run %q is over (%s): choose another run id, or remove it with `shardctl clean`", e.RunID, e.Detail)
	case Mismatch:
		return fmt.Sprintf("run %q is under way with another list of tests, or another runner, flags or system: choose another run id, or abort and clean that run", e.RunID)
	case ListSealed:
		return fmt.Sprintf("the list of run %q is sealed, test %q cannot be added any more", e.RunID, e.Detail)
	case Conflict:
		return fmt.Sprintf("run %q holds test %q already, with other options", e.RunID, e.Detail)
	case TooManyGates:
		return fmt.Sprintf("run %q would have %s different gates, %d are allowed: let tests share gates", e.RunID, e.Detail, MaxGates)
	case Incomplete:
		return fmt.Sprintf("the list of run %q cannot be sealed: Redis holds %s tests, another number than were enqueued; is somebody else enqueueing?", e.RunID, e.Detail)
	}
	return fmt.Sprintf("run %q: %s", e.RunID, e.Detail)
}

// Is lets errors.Is match the code.
func (e *Error) Is(target error) bool { return target == e.Code }

// refusal turns an error reply of a script into an Error, and leaves all other errors as they are.
func (q *Queue) refusal(err error) error {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return err
	}
	code, detail, _ := strings.Cut(reply.Error(), " ")
	switch Code(code) {
	case Gone, OtherEpoch, Ended, Replaced, Mismatch, ListSealed, Conflict, TooManyGates, Incomplete, NotJoined, Stale, Holding, retry:
		return &Error{Code: Code(code), RunID: q.runID, Detail: detail}
	}
	return err
}

// Transient says whether an error of Redis may pass by itself, so that the request should be repeated: the connection
// broke, a deadline passed, the server starts, fails over or is full. Refusals of the protocol, wrong credentials and a
// context that was cancelled are not. (A dial that takes too long is indistinguishable from a context's deadline: whoever
// sets one looks at its own context.)
func Transient(err error) bool {
	var (
		reply      redis.Error
		connection *net.OpError
		name       *net.DNSError
	)
	switch {
	case errors.As(err, &reply):
		return slices.ContainsFunc(transientReplies, func(code string) bool { return strings.HasPrefix(reply.Error(), code) })
	case errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &connection), errors.As(err, &name):
		return true
	}
	return slices.ContainsFunc(brokenConnections, func(broken error) bool { return errors.Is(err, broken) })
}

// transientReplies begin the error replies of a server that starts, fails over, is busy or is full.
var transientReplies = []string{
	"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "OOM", "NOREPLICAS", "UNBLOCKED", "MISCONF",
	"ERR max number of clients",
}

// brokenConnections are what go-redis returns of a connection that broke, beside the errors of package net.
var brokenConnections = []error{
	io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded, context.DeadlineExceeded, redis.ErrPoolTimeout,
	syscall.ECONNRESET, syscall.EPIPE,
}
