package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

// What each CI system sets in a job, as its documentation has it, gives an id that all jobs of one run share, and no other run has.
func TestRunIDsOfCISystems(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env    string
		id     string
		former []string
	}{
		"nowhere":              {"HOME=/root CI=true", "", nil},
		"GitHub":               {"CI=true GITHUB_REPOSITORY=octo/repo GITHUB_RUN_ID=1658821493 GITHUB_RUN_ATTEMPT=1 GITHUB_JOB=test", "github/octo/repo/1658821493/1", nil},
		"GitHub, run again":    {"GITHUB_REPOSITORY=octo/repo GITHUB_RUN_ID=16 GITHUB_RUN_ATTEMPT=3", "github/octo/repo/16/3", []string{"github/octo/repo/16/2", "github/octo/repo/16/1"}},
		"GitHub of long ago":   {"GITHUB_REPOSITORY=octo/repo GITHUB_RUN_ID=16", "github/octo/repo/16/1", nil},
		"half of GitHub":       {"GITHUB_REPOSITORY=octo/repo GITHUB_RUN_ATTEMPT=2", "", nil},
		"GitLab":               {"GITLAB_CI=true CI_PROJECT_PATH=group/sub/project CI_PIPELINE_ID=970 CI_JOB_ID=5 CI_NODE_INDEX=2", "gitlab/group/sub/project/970", nil},
		"CircleCI":             {"CIRCLECI=true CIRCLE_PROJECT_USERNAME=octo CIRCLE_PROJECT_REPONAME=repo CIRCLE_WORKFLOW_ID=0ab1-c2 CIRCLE_NODE_INDEX=1", "circleci/octo/repo/0ab1-c2", nil},
		"Buildkite":            {"BUILDKITE=true BUILDKITE_ORGANIZATION_SLUG=acme BUILDKITE_PIPELINE_SLUG=web BUILDKITE_BUILD_ID=4735ba57 BUILDKITE_RETRY_COUNT=1", "buildkite/acme/web/4735ba57", nil},
		"Buildkite, rebuilt":   {"BUILDKITE_ORGANIZATION_SLUG=acme BUILDKITE_PIPELINE_SLUG=web BUILDKITE_BUILD_ID=5 BUILDKITE_REBUILT_FROM_BUILD_ID=4", "buildkite/acme/web/5", []string{"buildkite/acme/web/4"}},
		"Azure":                {"TF_BUILD=True SYSTEM_TEAMPROJECTID=e073-01 BUILD_BUILDID=77 SYSTEM_STAGEATTEMPT=2 SYSTEM_JOBATTEMPT=1", "azure/e073-01/77/2", []string{"azure/e073-01/77/1"}},
		"Semaphore":            {"SEMAPHORE=true SEMAPHORE_PROJECT_NAME=web SEMAPHORE_PIPELINE_ID=ea3e6bba-d19a", "semaphore/web/ea3e6bba-d19a", nil},
		"Jenkins":              {"JENKINS_URL=http://ci:8080/ JOB_NAME=web/main BUILD_NUMBER=12", "jenkins/web/main/12", nil},
		"Jenkins, odd letters": {"JENKINS_URL=http://ci/ JOB_NAME=web/feature%2Fx BUILD_NUMBER=12", "jenkins/web/feature-2Fx/12/b7f565071676", nil},
	} {
		env := map[string]string{}
		for variable := range strings.FieldsSeq(test.env) {
			key, value, _ := strings.Cut(variable, "=")
			env[key] = value
		}
		lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
		id, former := DefaultRunID(lookup), FormerRunIDs(lookup)
		if id != test.id || !slices.Equal(former, test.former) {
			t.Errorf("%s: got %q after %q, want %q after %q", name, id, former, test.id, test.former)
		}
		for _, id := range append(former, id) {
			if _, err := batch.NewKeys(id); id != "" && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Ids that would be the same but for what they may not have are not.
func TestRunIDsStayApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200)
	seen := map[string]bool{}
	for _, part := range []string{"a b", "a-b", "a%b", "ä", "ö", long + "1", long + "2"} {
		id := runID("ci", part)
		if _, err := batch.NewKeys(id); err != nil || seen[id] {
			t.Errorf("%.20q: %q, error %v, seen before: %v", part, id, err, seen[id])
		}
		seen[id] = true
	}
}

// The table for people names each system and variable.
func TestRunIDTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "runs.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, ci := range ciSystems {
		row := "| `" + ci.name + "/$" + strings.Join(ci.variables, "/$")
		if ci.attempt != "" {
			row += "/$" + ci.attempt
		}
		if !strings.Contains(string(text), row+"` |") || !strings.Contains(string(text), ci.former) {
			t.Errorf("docs/runs.md has no row that begins with %s` |", row)
		}
	}
}
