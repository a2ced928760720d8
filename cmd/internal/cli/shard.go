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
	flags        *pflag.FlagSet
}

// maxShards keeps a slip of the keyboard from taking all memory.
const maxShards = 10_000

// Register declares the flags.
func (s *Shard) Register(flags *pflag.FlagSet) {
	s.flags = flags
	flags.StringVar(&s.shard, "shard", "", "which shard this is, from 1, as `2/8` (default: from the CI's own variables)")
	flags.IntVar(&s.index, "shard-index", -1, "which shard this is, from 0; with --shard-total")
	flags.Lookup("shard-index").DefValue = "0" // none to tell
	flags.IntVar(&s.total, "shard-total", 0, "how many shards there are")
}

// Shorten lets --index and --total stand for --shard-index and --shard-total, on command lines only. shardworker cannot have that: its
// --index is another.
func (s *Shard) Shorten(flags *pflag.FlagSet) {
	for _, name := range []string{"index", "total"} {
		flags.Lookup("shard-" + name).Usage += " (also --" + name + ")"
	}
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "index" || name == "total" {
			name = "shard-" + name
		}
		return pflag.NormalizedName(name)
	})
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

// Resolve returns the shard's number, from 0, and how many there are: what the flags say, or else the variables of the CI. Variables of
// two systems that name two shards are an error: one of them would leave tests to nobody.
func (s *Shard) Resolve(lookupEnv func(string) (string, bool)) (index, total int, err error) {
	numbered := s.flags.Changed("shard-index") || s.flags.Changed("shard-total")
	switch {
	case s.flags.Changed("shard") && numbered:
		return 0, 0, Usagef("--shard and --shard-index exclude each other")
	case s.flags.Changed("shard"):
		number, of, _ := strings.Cut(s.shard, "/")
		index, total, ok := parseShard(number, of, 1)
		if !ok {
			return 0, 0, Usagef("--shard %q: write it as 2/8, the second of eight (at most %d)", s.shard, maxShards)
		}
		return index, total, nil
	case numbered && !(s.flags.Changed("shard-index") && s.flags.Changed("shard-total")):
		return 0, 0, Usagef("--shard-index and --shard-total belong together: --shard-index 1 --shard-total 8 is the second of eight")
	case numbered:
		if s.index < 0 || s.index >= s.total || s.total > maxShards {
			return 0, 0, Usagef("--shard-index %d of --shard-total %d: the first is 0, the last one less than the total, which is at most %d", s.index, s.total, maxShards)
		}
		return s.index, s.total, nil
	}
	told := ""
	for _, v := range shardVariables {
		number, _ := lookupEnv(v.index)
		of, _ := lookupEnv(v.total)
		if number == "" && of == "1" { // GitLab numbers no job that is alone
			number = strconv.Itoa(v.first)
		}
		if number == "" || of == "" {
			continue
		}
		says := v.index + "=" + number + " of " + v.total + "=" + of
		i, n, ok := parseShard(number, of, v.first)
		if !ok {
			return 0, 0, Usagef("%s is no shard, as the first is %d: give --shard 2/8", says, v.first)
		}
		if told != "" && (i != index || n != total) {
			return 0, 0, Usagef("%s and %s name two shards: give --shard 2/8", told, says)
		}
		told, index, total = says, i, n
	}
	if told == "" {
		return 0, 0, Usagef("which shard? Give --shard 2/8, or --shard-index 1 --shard-total 8; the environment does not tell")
	}
	return index, total, nil
}

// parseShard returns the number from 0 of a shard that is numbered from first on; false: there is no such shard.
func parseShard(number, of string, first int) (index, total int, ok bool) {
	index, err := strconv.Atoi(number)
	total, totalErr := strconv.Atoi(of)
	index -= first
	return index, total, err == nil && totalErr == nil && 0 <= index && index < total && total <= maxShards
}
