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
	"github.com/shardctl/shardctl/cmd/internal/runner"
)

// Where are the flags that say which run on which Redis.
type Where struct{ RedisURL, RunID string }

// Register declares the flags.
func (w *Where) Register(flags *pflag.FlagSet) {
	w.RegisterURL(flags)
	flags.StringVar(&w.RunID, "run-id", "", "`ID` of the run, the same in all its jobs and new for each run (default: from the CI's own variables)")
}

// RegisterURL declares the flag that says which Redis.
func (w *Where) RegisterURL(flags *pflag.FlagSet) {
	flags.StringVar(&w.RedisURL, "redis-url", "", "`URL` of the Redis of the run: redis://, rediss:// (TLS), unix:// or redis+sentinel://; several hosts with commas are a Cluster (also taken from REDIS_URL)")
}

// Resolve fills in what the environment says, and checks it. With embedded, no URL means a server in this process.
func (w *Where) Resolve(embedded bool, lookupEnv func(string) (string, bool)) error {
	if err := w.ResolveURL(lookupEnv); err != nil && !embedded {
		return err
	}
	if w.RunID == "" {
		w.RunID = DefaultRunID(lookupEnv)
	}
	if w.RedisURL == "" && embedded && w.RunID == "" {
		w.RunID = "local-" + strings.ToLower(rand.Text()[:8])
	}
	if w.RunID == "" {
		return Usagef("no run id: give --run-id, the same in all jobs of this run and new for each run")
	}
	if _, err := batch.NewKeys(w.RunID); err != nil {
		return Usagef("--run-id: %w", err)
	}
	return nil
}

// ResolveURL fills in which Redis the environment says, for a command that is about no run. The error says that there is none.
func (w *Where) ResolveURL(lookupEnv func(string) (string, bool)) error {
	// They may hold a password, which tests have no business to print. A REDIS_URL that is not used here is the project's own.
	_ = os.Unsetenv(EnvName("redis-url"))
	if w.RedisURL == "" {
		w.RedisURL, _ = lookupEnv("REDIS_URL")
		_ = os.Unsetenv("REDIS_URL")
	}
	if w.RedisURL == "" {
		return Usagef("no Redis: give --redis-url redis://host:6379, or set SHARD_REDIS_URL")
	}
	return nil
}

// Connect opens the connection that Resolve decided on: to the URL, with a patience as Streams has it, or to a server in this
// process. The function closes it.
func (w *Where) Connect(ctx context.Context, log *slog.Logger, patience time.Duration) (redis.UniversalClient, func(), error) {
	if w.RedisURL == "" {
		return Embedded()
	}
	rdb, err := Connect(ctx, w.RedisURL, log, patience)
	if err != nil {
		return nil, nil, err
	}
	return rdb, func() { _ = rdb.Close() }, nil
}

// Project are the flags that say whose tests these are, and what runs them.
type Project struct {
	Dir, Runner, RunnerCommand, Granularity string
	PassEnv                                 []string
}

// Register declares the flags.
func (p *Project) Register(flags *pflag.FlagSet) {
	flags.StringVar(&p.Runner, "runner", "", "`NAME` of the project's test runner: auto, "+strings.Join(runner.Names(), ", ")+"; what follows -- are its options. Without it the command after -- runs the tests")
	flags.StringVar(&p.RunnerCommand, "runner-command", "", "`WORDS` that start the runner, if not the usual ones: \"bundle exec rspec\", \"poetry run pytest\"")
	flags.StringVar(&p.Granularity, "granularity", "auto", "what a test of the list is: test, class or file, as far as the runner can")
	flags.StringSliceVar(&p.PassEnv, "pass-env", nil, "`NAMES` of variables that tests see although they speak to the CI system: "+strings.Join(private, ", "))
	flags.StringVarP(&p.Dir, "dir", "C", "", "`FOLDER` of the project: change to it first, as make -C does; other paths are relative to it")
}

// Enter changes to the project's folder, with an environment that is clean for tests.
func (p *Project) Enter() error {
	cleanEnvironment(p.PassEnv)
	if p.Dir == "" {
		return nil
	}
	if err := os.Chdir(p.Dir); err != nil {
		return Usagef("--dir: %w", err)
	}
	return nil
}

// RunnerOptions are those of the flags, for what follows --.
func (p *Project) RunnerOptions(args []string, log *slog.Logger) runner.Options {
	return runner.Options{Name: p.Runner, Args: args, Command: p.RunnerCommand, Granularity: p.Granularity,
		Say: func(text string) { log.Info(text) }}
}

// How are the flags of a worker, which `shardctl run` has for its local workers.
type How struct {
	Project
	Artifacts, Persistent     string
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
	flags.StringVar(&h.Persistent, "persistent", "auto", "keep the runner's process from batch to batch: auto (where it is proved safe), on or off")
	flags.Lookup("persistent").NoOptDefVal = "on"
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

// RunnerOptions are those of the flags, for what follows --.
func (h *How) RunnerOptions(args []string, log *slog.Logger) runner.Options {
	o := h.Project.RunnerOptions(args, log)
	o.Artifacts, o.Persistent = h.Artifacts, h.Persistent
	return o
}

// Limits are the time limits of each batch.
func (h *How) Limits() runner.Limits {
	return runner.Limits{Test: h.TestTimeout, Batch: h.BatchTimeout, Grace: runner.DefaultGrace}
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
		OneOf("persistent", h.Persistent, "auto", "on", "off"),
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
