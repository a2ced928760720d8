package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/flake"
	"github.com/shardctl/shardctl/cmd/internal/plan"
	"github.com/shardctl/shardctl/cmd/internal/report"
)

// Timings are the flags that say where durations are kept from run to run.
type Timings struct {
	where, name string
	from        []string
	// fileOnly: the command has no Redis.
	fileOnly bool

	// expected is how long the run was predicted to take, with so many workers; 0: nobody knows.
	expected time.Duration
	workers  int
	// divided are the files of the list that were replaced by their tests.
	divided map[string][]string
}

// Where durations are kept, but for a file.
const (
	timingsLocal = "local"
	timingsRedis = "redis"
	timingsOff   = "off"
)

// Register declares the flags.
func (t *Timings) Register(flags *pflag.FlagSet) {
	flags.StringVar(&t.where, "timings", timingsLocal, "where durations of tests are kept from run to run: a `FILE`, redis, local (the user's cache folder) or off")
	flags.StringVar(&t.name, "timings-name", "", "`NAME` that they are kept under in Redis and in the cache folder (default: the repository, or the folder)")
	flags.StringArrayVar(&t.from, "timings-from", nil, "JUnit `FILE` of any tool with durations of tests that have none yet; repeatable")
}

// RegisterFile declares the flags of commands without a Redis.
func (t *Timings) RegisterFile(flags *pflag.FlagSet) {
	t.Register(flags)
	t.fileOnly = true
	flags.Lookup("timings").Usage = "where durations of tests were kept: a `FILE`, local (the user's cache folder) or off"
}

// Fill fills in durations from --timings FILE and --timings-from, and nothing else: machines that split a list have to know the
// same. So a FILE that is not there is an error: with it another job would split in another way, and some tests would run nowhere.
func (t *Timings) Fill(tests []batch.Test) error {
	switch t.where {
	case timingsRedis:
		return cli.Usagef("--timings redis: what is there may change between two jobs that split the list; give all jobs the same file")
	case timingsLocal, timingsOff:
	default:
		known, err := t.load(context.Background(), nil)
		if errors.Is(err, fs.ErrNotExist) {
			return cli.Usagef("--timings %s is not there. A job that has it would split in another way than one that has not, and some tests would run in no job: before the first run, hand an empty file to all jobs", t.where)
		}
		if err != nil {
			return cli.Usagef("--timings: %w", err)
		}
		known.Estimate(tests)
	}
	return t.FillFrom(tests)
}

// FillFrom fills in the durations of --timings-from alone.
func (t *Timings) FillFrom(tests []batch.Test) error {
	for _, file := range t.from {
		if err := importJUnit(file, tests); err != nil {
			return cli.Usagef("--timings-from: %w", err)
		}
	}
	return nil
}

// commonField is that for what is not of one test, beside those of the tests: no test has an empty name.
const commonField = ""

// common is what the field holds.
type common struct {
	plan.Costs
	Days plan.Days `json:"days"`
}

// Estimate fills in how long tests are expected to take, puts them in the order of the queue, and returns what starting the
// runner costs, as far as that is known. Durations that cannot be read are told and done without: they only make a run
// faster.
//
// What was predicted for so many workers is compared with what happens; 0: it is not known how many will come.
func (t *Timings) Estimate(ctx context.Context, rdb redis.UniversalClient, tests []batch.Test, workers int, lookupEnv func(string) (string, bool), log *slog.Logger) plan.Costs {
	known := t.expect(ctx, rdb, tests, lookupEnv, log)
	t.order(tests, workers, known)
	return known.Costs
}

// EstimateDivided is Estimate of a list of which the slow files are replaced by their tests before, as d says.
func (t *Timings) EstimateDivided(ctx context.Context, rdb redis.UniversalClient, d Division, tests []batch.Test, workers int, lookupEnv func(string) (string, bool), log *slog.Logger) (
	[]batch.Test, plan.Costs, error,
) {
	known := t.expect(ctx, rdb, tests, lookupEnv, log)
	tests, err := t.divide(ctx, rdb, d, tests, workers, known, log)
	if err != nil {
		return nil, plan.Costs{}, err
	}
	known.Estimate(tests)
	t.order(tests, workers, known)
	return tests, known.Costs, nil
}

// expect fills in how long tests are expected to take, and returns what is recorded.
func (t *Timings) expect(ctx context.Context, rdb redis.UniversalClient, tests []batch.Test, lookupEnv func(string) (string, bool), log *slog.Logger) plan.Timings {
	t.resolve(lookupEnv)
	known, err := t.load(ctx, rdb)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if t.fileOnly { // others write the file at their end
			log.Warn("the file of --timings is not there yet: going on without recorded durations", "timings", t.where)
		}
	case err != nil:
		log.Warn("the recorded durations of tests cannot be read; tests run in the order of the list", "timings", t.where, "error", err)
	}
	known.Estimate(tests)
	for _, file := range t.from {
		if err := importJUnit(file, tests); err != nil {
			log.Warn("--timings-from: no durations from there", "error", err)
		}
	}
	return known
}

// order puts tests into the order of the queue, and predicts how long they take.
func (t *Timings) order(tests []batch.Test, workers int, known plan.Timings) {
	plan.Order(tests)
	if tasks, unknown := plan.Tasks(tests); workers > 0 && len(tests) > 0 && unknown <= len(tests)/20 {
		wall := plan.Simulate(tasks, known.Costs.Fleet(workers)).Wall
		t.expected, t.workers = time.Duration(wall*float64(time.Second)), workers
	}
}

// compare tells how far a prediction was off, unless it was of less than anybody waits for.
func (t *Timings) compare(h *report.History, log *slog.Logger) {
	if t == nil || t.expected < time.Second || len(h.Workers()) != t.workers {
		return
	}
	took := h.Ended().Sub(h.Opened())
	log.Info(fmt.Sprintf("the run took %v, %v were predicted from the recorded durations (%+.0f%%)",
		took.Round(10*time.Millisecond), t.expected.Round(10*time.Millisecond), 100*(took.Seconds()/t.expected.Seconds()-1)))
}

// resolve fills in the name.
func (t *Timings) resolve(lookupEnv func(string) (string, bool)) {
	if t.name != "" {
		return
	}
	for _, variable := range []string{"GITHUB_REPOSITORY", "CI_PROJECT_PATH", "BUILDKITE_PIPELINE_SLUG", "CIRCLE_PROJECT_REPONAME", "BUILD_REPOSITORY_NAME", "SEMAPHORE_PROJECT_NAME", "JOB_NAME"} {
		if value, ok := lookupEnv(variable); ok && value != "" {
			t.name = value
			break
		}
	}
	if folder, err := os.Getwd(); t.name == "" && err == nil {
		t.name = filepath.Base(folder)
		if t.where == timingsLocal {
			t.name = folder // two folders of one name are two projects here
		}
	}
}

// file is where durations are kept on disk.
func (t *Timings) file() (string, error) {
	if t.where == "" {
		return "", errors.New("the name of the file is empty")
	}
	if t.where != timingsLocal {
		return t.where, nil
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\\:", r) {
			return '-'
		}
		return r
	}, t.name)
	return filepath.Join(folder, "shardctl", "timings", strings.TrimLeft(name, "-")+".json"), nil
}

// load returns what is recorded. A FILE that is not there is fs.ErrNotExist, and no durations.
func (t *Timings) load(ctx context.Context, rdb redis.UniversalClient) (plan.Timings, error) {
	none, _ := plan.ParseTimings(nil)
	switch t.where {
	case timingsOff:
		return none, nil
	case timingsRedis:
		if rdb == nil {
			return none, errors.New("this command has no Redis")
		}
		fields, err := batch.Timings(ctx, rdb, t.name, nil)
		if err != nil {
			return none, err
		}
		return parseFields(fields), nil
	}
	file, err := t.file()
	if err != nil {
		return none, err
	}
	text, err := os.ReadFile(file)
	if t.where == timingsLocal && errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	known, err := plan.ParseTimings(text)
	if err != nil {
		return none, fmt.Errorf("%s: %w", file, err)
	}
	return known, nil
}

// parseFields reads the records in Redis. What is none counts as not there, and is written over.
func parseFields(fields map[string]string) plan.Timings {
	known, _ := plan.ParseTimings(nil)
	for id, text := range fields {
		var r plan.Record
		switch {
		case id == commonField:
			var c common
			_ = json.Unmarshal([]byte(text), &c)
			known.Costs, known.Days = c.Costs, c.Days
		case json.Unmarshal([]byte(text), &r) == nil:
			known.Tests[id] = r
		}
	}
	return known
}

// record takes what a run measured into what is kept. Nothing is lost of a run if it fails, so that is only told.
//
// The verdict then knows what was known of its tests before.
func (t *Timings) record(ctx context.Context, rdb redis.UniversalClient, v *report.Verdict, lookupEnv func(string) (string, bool), log *slog.Logger) {
	if t == nil || t.where == timingsOff {
		return
	}
	t.resolve(lookupEnv)
	m := v.History.Measured()
	t.addWhole(m, v.Tests)
	m.Results = v.Flakes()
	if len(m.Seconds)+len(m.Results) == 0 {
		return
	}
	v.Past = map[string]flake.History{}
	learn := func(known *plan.Timings) {
		for id := range m.Results {
			v.Past[id] = known.Tests[id].History
		}
		known.Learn(m)
	}
	var err error
	if t.where == timingsRedis {
		err = t.recordRedis(ctx, rdb, m, learn)
	} else {
		err = t.recordFile(learn)
	}
	if err != nil {
		log.Warn("the durations of the tests cannot be recorded for the next run", "timings", t.where, "error", err)
	}
}

// recordRedis merges test by test. The first run of a day also removes what is to be forgotten: for that it has to look at all records.
func (t *Timings) recordRedis(ctx context.Context, rdb redis.UniversalClient, m plan.Measured, learn func(*plan.Timings)) error {
	ids := []string{commonField}
	for id := range m.Seconds {
		ids = append(ids, id)
	}
	for id := range m.Results {
		if _, ok := m.Seconds[id]; !ok {
			ids = append(ids, id)
		}
	}
	fields, err := batch.Timings(ctx, rdb, t.name, ids)
	if err != nil {
		return err
	}
	known := parseFields(fields)
	before := known.Days
	learn(&known)
	values := map[string]string{}
	add := func(id string, value any) error {
		text, err := json.Marshal(value)
		values[id] = string(text)
		return err
	}
	err = add(commonField, common{known.Costs, known.Days})
	for id, r := range known.Tests {
		err = errors.Join(err, add(id, r))
	}
	if err != nil {
		return err
	}
	if err := batch.SetTimings(ctx, rdb, t.name, values); err != nil || known.Days == before {
		return err
	}
	all, err := t.load(ctx, rdb)
	if err != nil {
		return err
	}
	return batch.DropTimings(ctx, rdb, t.name, all.Forget())
}

// recordFile merges into the file, while no other run of this machine does.
func (t *Timings) recordFile(learn func(*plan.Timings)) error {
	file, err := t.file()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	lock, err := os.Open(filepath.Dir(file)) // a lock on the folder leaves no file behind
	if err != nil {
		return err
	}
	defer lock.Close() // and so unlocks
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	known, err := t.load(context.Background(), nil)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	learn(&known)
	known.Forget()
	return cli.WriteTo(nil, file, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(known)
	})
}
