package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// ciSystem says how a CI system's own variables tell one run from all others. docs/runs.md has this table for people.
type ciSystem struct {
	// name begins the run id.
	name string
	// variables that make the id, in order. All of them are there if this is the CI system.
	variables []string
	// mark is one more variable that is there, where those might come from elsewhere.
	mark string
	// attempt counts the re-runs of the same run, from 1; empty: a re-run has other variables, or none tells it.
	attempt string
	// former is the id of the run of which this one is a re-run, in the place of the last variable; empty: there is none.
	former string
}

// ciSystems are those that are known, in the order in which they are looked for.
var ciSystems = []ciSystem{
	{name: "github", variables: []string{"GITHUB_REPOSITORY", "GITHUB_RUN_ID"}, attempt: "GITHUB_RUN_ATTEMPT"},
	{name: "gitlab", variables: []string{"CI_PROJECT_PATH", "CI_PIPELINE_ID"}},
	{name: "circleci", variables: []string{"CIRCLE_PROJECT_USERNAME", "CIRCLE_PROJECT_REPONAME", "CIRCLE_WORKFLOW_ID"}},
	{name: "buildkite", variables: []string{"BUILDKITE_ORGANIZATION_SLUG", "BUILDKITE_PIPELINE_SLUG", "BUILDKITE_BUILD_ID"}, former: "BUILDKITE_REBUILT_FROM_BUILD_ID"},
	{name: "azure", variables: []string{"SYSTEM_TEAMPROJECTID", "BUILD_BUILDID"}, attempt: "SYSTEM_STAGEATTEMPT"},
	{name: "semaphore", variables: []string{"SEMAPHORE_PROJECT_NAME", "SEMAPHORE_PIPELINE_ID"}},
	{name: "jenkins", variables: []string{"JOB_NAME", "BUILD_NUMBER"}, mark: "JENKINS_URL"},
}

// DefaultRunID returns the run id that the CI's own variables give, its attempt included, and "" outside of a known CI.
func DefaultRunID(lookupEnv func(string) (string, bool)) string {
	id, _ := ciRun(lookupEnv)
	return id
}

// FormerRunIDs returns the ids that former attempts of this CI run had, the last one first; none outside of a CI that tells. Whether
// such runs ever were is another question.
func FormerRunIDs(lookupEnv func(string) (string, bool)) []string {
	_, former := ciRun(lookupEnv)
	return former
}

func ciRun(lookupEnv func(string) (string, bool)) (id string, former []string) {
	get := func(name string) string { value, _ := lookupEnv(name); return value }
	for _, ci := range ciSystems {
		parts := []string{ci.name}
		for _, variable := range ci.variables {
			if value := get(variable); value != "" {
				parts = append(parts, value)
			}
		}
		if len(parts) <= len(ci.variables) || ci.mark != "" && get(ci.mark) == "" {
			continue
		}
		if ci.attempt != "" {
			return ci.withAttempt(parts, get(ci.attempt))
		}
		if before := get(ci.former); ci.former != "" && before != "" {
			former = append(former, runID(append(parts[:len(parts)-1:len(parts)-1], before)...))
		}
		return runID(parts...), former
	}
	return "", nil
}

// maxFormer is how many former attempts are looked for. GitHub allows no more re-runs.
const maxFormer = 50

func (ci ciSystem) withAttempt(parts []string, attempt string) (id string, former []string) {
	if attempt == "" {
		attempt = "1"
	}
	n, _ := strconv.Atoi(attempt)
	for i := n - 1; i >= 1 && i >= n-maxFormer; i-- {
		former = append(former, runID(append(parts[:len(parts):len(parts)], strconv.Itoa(i))...))
	}
	return runID(append(parts, attempt)...), former
}

// maxRunID is how long a run id may be; see batch.NewKeys.
const maxRunID = 128

// runID joins parts to what batch.NewKeys takes. Where that needs other characters, or fewer, a digest keeps apart what would be the
// same.
func runID(parts ...string) string {
	wanted := strings.Join(parts, "/")
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:/-", r) {
			return r
		}
		return '-'
	}, wanted)
	if id == wanted && len(id) <= maxRunID {
		return id
	}
	sum := sha256.Sum256([]byte(wanted))
	digest := "/" + hex.EncodeToString(sum[:6])
	return id[:min(len(id), maxRunID-len(digest))] + digest
}
