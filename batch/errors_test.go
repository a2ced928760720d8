package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// answer is an error reply of Redis.
type answer string

func (e answer) Error() string { return string(e) }
func (answer) RedisError()     {}

func TestTransient(t *testing.T) {
	for _, err := range []error{
		io.EOF, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded, redis.ErrPoolTimeout,
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, &net.DNSError{Name: "redis"},
		answer("LOADING Redis is loading the dataset in memory"), answer("READONLY You can't write against a read only replica."),
		answer("MASTERDOWN Link with MASTER is down"), answer("CLUSTERDOWN The cluster is down"), answer("TRYAGAIN Multiple keys"),
		answer("BUSY Redis is busy running a script."), answer("OOM command not allowed"), answer("NOREPLICAS Not enough good replicas"),
		answer("MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk."),
		answer("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"),
		answer("ERR max number of clients reached"),
	} {
		if !batch.Transient(err) || !batch.Transient(fmt.Errorf("wrapped: %w", err)) {
			t.Errorf("%v may pass by itself", err)
		}
	}
	for _, err := range []error{
		nil, context.Canceled, redis.ErrClosed, &batch.Error{Code: batch.Gone}, &batch.Error{Code: batch.OtherSchema},
		answer("WRONGPASS invalid username-password pair"), answer("NOAUTH Authentication required."),
		answer("NOPERM this user has no permissions"), answer("WRONGTYPE Operation against a key"), answer("ERR unknown command"),
	} {
		if batch.Transient(err) || err != nil && batch.Transient(fmt.Errorf("wrapped: %w", err)) {
			t.Errorf("%v does not pass by itself", err)
		}
	}
}

// What a real server really answers when it is full, has become a replica, wants a password, or is gone. A script that is
// refused half-way would leave half a state: it must not have changed anything.
func TestTransientOfRealServer(t *testing.T) {
	for _, c := range []struct {
		name          string
		cause, repair func(r *run) error
		transient     bool
	}{
		{"full",
			func(r *run) error { return r.rdb.ConfigSet(r.ctx, "maxmemory", "1").Err() },
			func(r *run) error { return r.rdb.ConfigSet(r.ctx, "maxmemory", "0").Err() }, true},
		{"replica",
			func(r *run) error { return r.rdb.ReplicaOf(r.ctx, "127.0.0.1", "1").Err() },
			func(r *run) error { return r.rdb.ReplicaOf(r.ctx, "no", "one").Err() }, true},
		{"too few replicas",
			func(r *run) error { return r.rdb.ConfigSet(r.ctx, "min-replicas-to-write", "1").Err() },
			func(r *run) error { return r.rdb.ConfigSet(r.ctx, "min-replicas-to-write", "0").Err() }, true},
		{"no rights",
			func(r *run) error {
				return r.rdb.Do(r.ctx, "ACL", "SETUSER", "default", "-evalsha", "-eval").Err()
			},
			func(r *run) error { return r.rdb.Do(r.ctx, "ACL", "SETUSER", "default", "+@all").Err() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRun(t, batchtest.Real(t), ids("a b c d"))
			w := r.join("w")
			w.claim(2)
			r.look()
			r.must(c.cause(r))
			for name, request := range map[string]func() error{
				"report": func() error {
					_, err := w.Report(r.ctx, 1, []batch.Event{start("a")})
					return err
				},
				"beat":  func() error { _, err := w.Beat(r.ctx, 1, nil); return err },
				"join":  func() error { _, _, err := r.q.Join(r.ctx, "other", ""); return err },
				"abort": func() error { _, err := r.q.Abort(r.ctx, batch.Abortion{Why: "", Who: ""}); return err },
			} {
				if err := request(); err == nil || batch.Transient(err) != c.transient || errors.As(err, new(*batch.Error)) {
					t.Errorf("%s: got error %v, transient %v", name, err, batch.Transient(err))
				}
			}
			r.must(c.repair(r))
			r.same()
		})
	}
	t.Run("gone", func(t *testing.T) {
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
		defer rdb.Close()
		_, err := batch.Attach(t.Context(), rdb, "run")
		if !batch.Transient(err) {
			t.Errorf("%v may pass by itself", err)
		}
	})
}
