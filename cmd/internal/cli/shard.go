package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Shard are the flags that say which part of a static split is meant.
type Shard struct {
	shard        string
	index, total int
}

// Register declares the flags.
func (s *Shard) Register(flags *pflag.FlagSet) {
	flags.StringVar(&s.shard, "shard", "", "which shard this is, from 1, as `2/8` (default: from the CI's own variables)")
	flags.IntVar(&s.index, "shard-index", -1, "which shard this is, from 0; with --shard-total")
	flags.IntVar(&s.total, "shard-total", 0, "how many shards there are")
}

// shardVariables are those by which CI systems number parallel jobs.
var shardVariables = []struct {
	index, total string
	first        int
}{
	{"CI_NODE_INDEX", "CI_NODE_TOTAL", 1}, // GitLab
	{"CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0},
	{"BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0},
	{"SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", 1},
	{"SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1}, // Azure Pipelines
	{"BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT", 0},
}

// Resolve returns the shard's number, from 0, and how many there are.
func (s *Shard) Resolve(lookupEnv func(string) (string, bool)) (index, total int, err error) {
	switch {
	case s.shard != "" && (s.index >= 0 || s.total != 0):
		return 0, 0, Usagef("--shard and --shard-index exclude each other")
	case s.shard != "":
		number, of, ok := strings.Cut(s.shard, "/")
		index, err = strconv.Atoi(number)
		total, totalErr := strconv.Atoi(of)
		if !ok || err != nil || totalErr != nil || index < 1 || index > total {
			return 0, 0, Usagef("--shard %q: write it as 2/8, the second of eight", s.shard)
		}
		return index - 1, total, nil
	case s.index >= 0 || s.total != 0:
		if s.index < 0 || s.index >= s.total {
			return 0, 0, Usagef("--shard-index %d of --shard-total %d: the first is 0, the last one less than the total", s.index, s.total)
		}
		return s.index, s.total, nil
	}
	for _, v := range shardVariables {
		index, ok := lookupEnv(v.index)
		total, okTotal := lookupEnv(v.total)
		if !ok || !okTotal || index == "" || total == "" {
			continue
		}
		i, err := strconv.Atoi(index)
		n, totalErr := strconv.Atoi(total)
		if err != nil || totalErr != nil || i < v.first || i-v.first >= n {
			return 0, 0, Usagef("%s=%s of %s=%s is no shard: give --shard 2/8", v.index, index, v.total, total)
		}
		return i - v.first, n, nil
	}
	return 0, 0, Usagef("which shard? Give --shard 2/8, or --shard-index 1 --shard-total 8; the environment does not tell")
}
