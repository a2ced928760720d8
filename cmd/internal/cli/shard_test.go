package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestShard(t *testing.T) {
	for _, c := range []struct {
		args, env string
		want      string // index and total, or a part of the error
	}{
		{"--shard 2/8", "", "1 8"},
		{"--shard 8/8", "CI_NODE_INDEX=1 CI_NODE_TOTAL=2", "7 8"},
		{"--shard 1/1", "", "0 1"},
		{"--shard 0/8", "", "--shard"},
		{"--shard 9/8", "", "--shard"},
		{"--shard 2", "", "--shard"},
		{"--shard 2/8/3", "", "--shard"},
		{"--shard -1/-1", "", "--shard"},
		{"--shard two/eight", "", "--shard"},
		{"--shard-index 0 --shard-total 3", "", "0 3"},
		{"--shard-index 2 --shard-total 3", "", "2 3"},
		{"--shard-index 3 --shard-total 3", "", "--shard-index"},
		{"--shard-index 1", "", "belong together"},
		{"--shard-total 3", "CI_NODE_INDEX=1 CI_NODE_TOTAL=3", "belong together"},
		{"--shard 1/1000000000", "", "at most"},
		{"--shard=", "CI_NODE_INDEX=1 CI_NODE_TOTAL=2", "--shard"}, // of an empty variable
		{"--shard-index -1 --shard-total 2", "CI_NODE_INDEX=1 CI_NODE_TOTAL=2", "--shard-index -1"},
		{"--shard-index 0 --shard-total 1000000000", "", "at most"},
		{"--index 2 --total 3", "", "2 3"},
		{"--shard-index 2 --total 3", "", "2 3"},
		{"--shard 1/3 --index 0", "", "exclude"},
		{"--shard 1/3 --shard-index 0", "", "exclude"},
		{"--shard 1/3 --shard-total 3", "", "exclude"},
		{"", "CI_NODE_INDEX=2 CI_NODE_TOTAL=2", "1 2"},
		{"", "CIRCLE_NODE_INDEX=0 CIRCLE_NODE_TOTAL=4", "0 4"},
		{"", "BUILDKITE_PARALLEL_JOB=3 BUILDKITE_PARALLEL_JOB_COUNT=4", "3 4"},
		{"", "SEMAPHORE_JOB_INDEX=4 SEMAPHORE_JOB_COUNT=4", "3 4"},
		{"", "SYSTEM_JOBPOSITIONINPHASE=1 SYSTEM_TOTALJOBSINPHASE=5", "0 5"},
		{"", "BITBUCKET_PARALLEL_STEP=0 BITBUCKET_PARALLEL_STEP_COUNT=2", "0 2"},
		{"", "CI_NODE_INDEX=0 CI_NODE_TOTAL=2", "CI_NODE_INDEX=0"},
		{"", "CIRCLE_NODE_INDEX=4 CIRCLE_NODE_TOTAL=4", "CIRCLE_NODE_INDEX=4"},
		{"", "CIRCLE_NODE_INDEX=x CIRCLE_NODE_TOTAL=4", "CIRCLE_NODE_INDEX=x"},
		{"", "CI_NODE_INDEX=1", "which shard"},
		{"", "CI_NODE_TOTAL=1", "0 1"}, // a job of GitLab without parallel
		{"", "CI_NODE_TOTAL=2", "which shard"},
		{"", "CI_NODE_INDEX=1 CI_NODE_TOTAL=2 CIRCLE_NODE_INDEX=0 CIRCLE_NODE_TOTAL=2", "0 2"}, // one for the other
		{"", "CI_NODE_INDEX=1 CI_NODE_TOTAL=2 CIRCLE_NODE_INDEX=1 CIRCLE_NODE_TOTAL=2", "two shards"},
		{"", "CI_NODE_INDEX= CI_NODE_TOTAL= CIRCLE_NODE_INDEX=1 CIRCLE_NODE_TOTAL=2", "1 2"}, // set, and empty
		{"", "", "which shard"},
	} {
		t.Run(strings.ReplaceAll(c.args+" "+c.env, "/", " of "), func(t *testing.T) {
			var s Shard
			flags := pflag.NewFlagSet("", pflag.ContinueOnError)
			s.Register(flags)
			s.Shorten(flags)
			if err := flags.Parse(strings.Fields(c.args)); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{}
			for _, pair := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
			index, total, err := s.Resolve(func(name string) (string, bool) { value, ok := env[name]; return value, ok })
			var usage *UsageError
			switch {
			case err == nil && fmt.Sprint(index, total) != c.want:
				t.Errorf("shard %d of %d, want %s", index, total, c.want)
			case err != nil && (!errors.As(err, &usage) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
