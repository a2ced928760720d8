package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
	"github.com/shardctl/shardctl/cmd/internal/gate"
	"github.com/shardctl/shardctl/cmd/internal/runner"
	"github.com/shardctl/shardctl/cmd/internal/worker"
	"github.com/shardctl/shardctl/recovery"
)

// leastSamples is how many samples a percentile is made of, at least.
const leastSamples = 60

// BenchmarkWake says how long somebody waits who has nothing to do but wait, from the moment when a runner tells what he
// waits for. Nothing here may wait for a timer: the shortest that there is takes tens of milliseconds.
//
//	last-result-to-exit  from the last finish of a run to the return of the last of three workers, beside a controller
//	requeue-to-claim     from a crash on a worker that stays busy to the runner of an idle one, which gets that test alone
func BenchmarkWake(b *testing.B) {
	for _, server := range []struct {
		name  string
		start func(testing.TB) *redis.Client
	}{{"embedded", batchtest.Embedded}, {"real", batchtest.Real}} {
		b.Run("server="+server.name, func(b *testing.B) {
			options := server.start(b).Options()
			b.Run("last-result-to-exit", func(b *testing.B) { sample(b, options, lastResultToExit) })
			b.Run("requeue-to-claim", func(b *testing.B) { sample(b, options, requeueToClaim) })
		})
	}
}

// sample reports the percentiles of what measure returns.
func sample(b *testing.B, server *redis.Options, measure func(*benchRun) time.Duration) {
	var took []float64 // milliseconds
	one := func() {
		r := newBenchRun(b, server)
		defer r.close()
		took = append(took, measure(r).Seconds()*1000)
	}
	for b.Loop() {
		one()
	}
	for len(took) < leastSamples {
		one()
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took[len(took)/2], "p50-ms")
	b.ReportMetric(took[len(took)*99/100], "p99-ms")
}

// benchRun is one run. Everybody in it has connections of his own, as processes have.
type benchRun struct {
	*testing.B
	server  *redis.Options
	id      string
	clients []*redis.Client
	workers sync.WaitGroup
}

var benchRuns atomic.Int64

func newBenchRun(b *testing.B, server *redis.Options) *benchRun {
	return &benchRun{B: b, server: server, id: fmt.Sprintf("bench%d", benchRuns.Add(1))}
}

// connect returns the run on new connections. The first who does it opens the run. Hooks see what comes after that.
func (r *benchRun) connect(hooks ...redis.Hook) *batch.Queue {
	options := *r.server
	rdb := redis.NewClient(&options)
	r.clients = append(r.clients, rdb)
	q, err := batch.Open(r.Context(), rdb, r.id, "list", batch.DefaultOptions())
	r.must(err)
	for _, hook := range hooks {
		rdb.AddHook(hook)
	}
	return q
}

// fill makes the run's list.
func (r *benchRun) fill(q *batch.Queue, tests int) {
	list := make([]batch.Test, tests)
	for i := range list {
		list[i].ID = fmt.Sprintf("t%04d", i)
	}
	_, err := q.Enqueue(r.Context(), list)
	r.must(err)
	r.must(q.Seal(r.Context(), tests))
}

// work starts a worker.
func (r *benchRun) work(ctx context.Context, q *batch.Queue, do scripted) {
	r.workers.Go(func() {
		if err := worker.Run(ctx, ctx, q, do, worker.Options{Name: "w", BatchSize: 10, Log: slog.New(slog.DiscardHandler), Gates: gate.Options{Settings: gate.DefaultSettings()}}); err != nil {
			r.Error(err)
		}
	})
}

// close ends all connections.
func (r *benchRun) close() {
	_, err := batch.Clean(r.Context(), r.clients[0], r.id)
	for _, rdb := range r.clients {
		err = errors.Join(err, rdb.Close())
	}
	r.must(err)
}

func (r *benchRun) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func lastResultToExit(r *benchRun) time.Duration {
	const workers, tests = 3, 100
	q := r.connect()
	r.fill(q, tests)
	ctx, cancel := context.WithCancel(r.Context())
	supervised := make(chan error, 1)
	controller := recovery.Controller{Queue: q, Lease: q.Options().Lease, Observe: func([]batch.Event) {}}
	go func() { _, err := controller.Supervise(ctx); supervised <- err }()
	var mu sync.Mutex
	var last time.Time
	for range workers {
		r.work(ctx, r.connect(), func(_ context.Context, job runner.Job, emit func(...batch.Event)) error {
			for _, id := range job.Batch.IDs() {
				emit(start(id))
				mu.Lock()
				last = time.Now()
				mu.Unlock()
				emit(finish(id, batch.Passed))
			}
			return nil
		})
	}
	r.workers.Wait()
	took := time.Since(last)
	r.must(<-supervised)
	cancel()
	return took
}

func requeueToClaim(r *benchRun) time.Duration {
	q := r.connect()
	r.fill(q, 1)
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	var (
		busy, crash, done = make(chan struct{}), make(chan struct{}), make(chan struct{})
		crashed           time.Time
		claimed           = make(chan time.Time, 1)
	)
	r.work(ctx, q, func(_ context.Context, job runner.Job, emit func(...batch.Event)) error {
		emit(start("t0000"))
		close(busy)
		<-crash
		crashed = time.Now()
		emit(finish("t0000", batch.Crashed))
		<-done
		return nil
	})
	<-busy
	answered := &answers{claim: make(chan struct{})}
	r.work(ctx, r.connect(answered), func(_ context.Context, job runner.Job, emit func(...batch.Event)) error {
		claimed <- time.Now()
		if !job.Batch.Alone {
			r.Error("it does not run alone")
		}
		emit(finish("t0000", batch.Passed))
		return nil
	})
	<-answered.claim
	close(crash)
	took := (<-claimed).Sub(crashed)
	close(done)
	stop()
	r.workers.Wait()
	return took
}

// answers closes claim when the second script of a worker has been answered: the first joins, the second is its first claim.
type answers struct {
	n     atomic.Int64
	claim chan struct{}
}

func (a *answers) DialHook(next redis.DialHook) redis.DialHook { return next }
func (a *answers) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if name := cmd.Name(); err == nil && (name == "eval" || name == "evalsha") && a.n.Add(1) == 2 {
			close(a.claim)
		}
		return err
	}
}
func (a *answers) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
