package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/gate"
)

// Where are the flags that say which run on which Redis.
type Where struct{ RedisURL, RunID string }

// Register declares the flags.
func (w *Where) Register(flags *pflag.FlagSet) {
	flags.StringVar(&w.RedisURL, "redis-url", "", "`URL` of the Redis of the run: redis://, rediss:// (TLS) or unix:// (also taken from REDIS_URL)")
	flags.StringVar(&w.RunID, "run-id", "", "`ID` of the run, the same in all its jobs and new for each run (default: from the CI's own variables)")
}

// Resolve fills in what the environment says, and checks it. With embedded, no URL means a server in this process.
func (w *Where) Resolve(embedded bool, lookupEnv func(string) (string, bool)) error {
	_ = os.Unsetenv(EnvName("redis-url")) // it may hold a password, which tests have no business to print
	if w.RedisURL == "" {
		w.RedisURL, _ = lookupEnv("REDIS_URL")
	}
	if w.RunID == "" {
		w.RunID = DefaultRunID(lookupEnv)
	}
	if w.RedisURL == "" && embedded && w.RunID == "" {
		w.RunID = "local-" + strings.ToLower(rand.Text()[:8])
	}
	switch {
	case w.RedisURL == "" && !embedded:
		return Usagef("no Redis: give --redis-url redis://host:6379, or set SHARD_REDIS_URL")
	case w.RunID == "":
		return Usagef("no run id: give --run-id, the same in all jobs of this run and new for each run")
	}
	if _, err := batch.NewKeys(w.RunID); err != nil {
		return Usagef("--run-id: %w", err)
	}
	return nil
}

// Connect opens the connection that Resolve decided on: to the URL, with a patience as Streams has it, or to a server in this
// process. The function closes it.
func (w *Where) Connect(ctx context.Context, log *slog.Logger, patience time.Duration) (*redis.Client, func(), error) {
	if w.RedisURL == "" {
		return Embedded()
	}
	rdb, err := Connect(ctx, w.RedisURL, log, patience)
	if err != nil {
		return nil, nil, err
	}
	return rdb, func() { _ = rdb.Close() }, nil
}

// Project are the flags that say whose tests these are.
type Project struct{ Dir, Runner string }

// Register declares the flags.
func (p *Project) Register(flags *pflag.FlagSet) {
	flags.StringVar(&p.Runner, "runner", "", "`NAME` of the preset for the project's test runner: go; what follows -- are its flags. Without it the command after -- runs the tests")
	flags.StringVarP(&p.Dir, "dir", "C", "", "`FOLDER` of the project: change to it first, as make -C does; other paths are relative to it")
}

// Enter changes to the project's folder.
func (p *Project) Enter() error {
	if p.Dir == "" {
		return nil
	}
	if err := os.Chdir(p.Dir); err != nil {
		return Usagef("--dir: %w", err)
	}
	return nil
}

// How are the flags of a worker, which `shardctl run` has for its local workers.
type How struct {
	Project
	Artifacts                 string
	BatchSize                 int
	TestTimeout, BatchTimeout time.Duration
	StopTimeout               time.Duration
	MaxConsecutiveFailures    int
	Gates                     gate.Settings
	// config is that of the project, once Apply has read it.
	config Config
}

// Register declares the flags.
func (h *How) Register(flags *pflag.FlagSet) {
	h.Project.Register(flags)
	flags.IntVar(&h.BatchSize, "batch-size", 0, "most tests that a worker takes at once (default: a share of what is left)")
	flags.DurationVar(&h.TestTimeout, "test-timeout", 10*time.Minute, "longest that one test may run (with a command after --: one batch); 0: no limit")
	flags.DurationVar(&h.BatchTimeout, "batch-timeout", 0, "longest that a batch may run; 0: no limit")
	flags.DurationVar(&h.StopTimeout, "stop-timeout", 30*time.Second, "how long running tests may go on after a stop (GitHub Actions allows 7s); 0: not at all")
	flags.IntVar(&h.MaxConsecutiveFailures, "max-consecutive-failures", 0, "leave, so that other workers run the rest, when so many tests in a row ended badly on this one; 0: stay")
	flags.StringVar(&h.Artifacts, "artifacts", "", "`FOLDER` that keeps what the command after -- puts into {artifacts}, in a subfolder for each batch")
	d := gate.DefaultSettings()
	flags.DurationVar(&h.Gates.Timeout, "gate-timeout", d.Timeout, "how long a gate may take to answer")
	flags.DurationVar(&h.Gates.RequeueDelay, "gate-requeue-delay", d.RequeueDelay, "how soon a gate is asked again that gave no answer in time, or could not be started")
	flags.IntVar(&h.Gates.CacheSize, "gate-cache-size", d.CacheSize, "how many gates that let a worker pass it remembers")
	flags.IntVar(&h.Gates.MaxNotQualified, "gate-max-not-qualified", d.MaxNotQualified, "leave after so many refusals in a row, if nothing is left that this worker may run; 0: stay")
	flags.BoolVar(&h.Gates.AllowText, "allow-gate-text", false, "run gates whose command came through Redis, whoever put it there (better: gates in .shard.yml, or SHARD_SECRET)")
}

// GateOptions returns how a worker of a run asks gates; after Apply. given are commands that need no proof, see gate.Options.
func (h *How) GateOptions(q *batch.Queue, given map[string]bool, secret string, log *slog.Logger) gate.Options {
	return gate.Options{
		Settings: h.Gates, Commands: gate.Commands(h.config.Gates), Given: given, Secret: secret,
		RunID: q.RunID(), Birth: q.Birth(), Log: log,
	}
}

// Apply checks the flags, changes to the project's folder and reads its configuration.
func (h *How) Apply() error {
	if err := errors.Join(
		AtLeast("batch-size", h.BatchSize, 0),
		AtLeast("test-timeout", h.TestTimeout, 0),
		AtLeast("batch-timeout", h.BatchTimeout, 0),
		AtLeast("stop-timeout", h.StopTimeout, 0),
		AtLeast("max-consecutive-failures", h.MaxConsecutiveFailures, 0),
		AtLeast("gate-timeout", h.Gates.Timeout, time.Millisecond),
		AtLeast("gate-requeue-delay", h.Gates.RequeueDelay, time.Millisecond),
		AtLeast("gate-cache-size", h.Gates.CacheSize, 1),
		AtLeast("gate-max-not-qualified", h.Gates.MaxNotQualified, 0),
	); err != nil {
		return err
	}
	if err := h.Enter(); err != nil {
		return err
	}
	var err error
	h.config, err = LoadConfig()
	return err
}
