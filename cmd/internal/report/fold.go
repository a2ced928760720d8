package report

import (
	"fmt"
	"io"
	"time"
)

// Folds is how the log of a CI system shows parts of a text folded. The zero value shows everything.
type Folds string

const (
	// GitHubFolds: ::group:: and ::endgroup::, always folded at first.
	// https://docs.github.com/actions/reference/workflow-commands-for-github-actions#grouping-log-lines
	GitHubFolds Folds = "github"
	// GitLabFolds: section_start and section_end. https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
	GitLabFolds Folds = "gitlab"
	// BuildkiteFolds: --- and +++. A section ends where the next begins.
	// https://buildkite.com/docs/pipelines/configure/managing-log-output#grouping-log-output
	BuildkiteFolds Folds = "buildkite"
)

// FoldsOf returns those of the CI system in which the process runs, as its environment says.
func FoldsOf(lookupEnv func(string) (string, bool)) Folds {
	for _, system := range []struct {
		variable string
		folds    Folds
	}{{"GITHUB_ACTIONS", GitHubFolds}, {"GITLAB_CI", GitLabFolds}, {"BUILDKITE", BuildkiteFolds}} {
		if value, _ := lookupEnv(system.variable); value == "true" {
			return system.folds
		}
	}
	return ""
}

// sections writes the parts of a text, each with a title. One that is folded is good to know, another one is what the reader came for.
type sections struct {
	w     io.Writer
	folds Folds
	// at is told to GitLab, which shows how long a section took: no time.
	at time.Time
	// n counts the sections; folded is whether the present one is.
	n      int
	folded bool
}

// begin begins a section. The title is ours.
func (s *sections) begin(title string, folded bool) {
	s.n++
	s.folded = folded
	switch {
	case s.folds == GitHubFolds && folded:
		fmt.Fprintf(s.w, "::group::%s\n", title)
	case s.folds == GitLabFolds:
		collapsed := ""
		if folded {
			collapsed = "[collapsed=true]"
		}
		fmt.Fprintf(s.w, "\x1b[0Ksection_start:%d:shardctl_%d%s\r\x1b[0K%s\n", s.at.Unix(), s.n, collapsed, title)
	case s.folds == BuildkiteFolds && folded:
		fmt.Fprintf(s.w, "--- %s\n", title)
	case s.folds == BuildkiteFolds:
		fmt.Fprintf(s.w, "+++ %s\n", title)
	default:
		fmt.Fprintf(s.w, "%s\n", title)
	}
}

// end ends the section.
func (s *sections) end() {
	switch {
	case s.folds == GitHubFolds && s.folded:
		fmt.Fprintf(s.w, "::endgroup::\n")
	case s.folds == GitLabFolds:
		fmt.Fprintf(s.w, "\x1b[0Ksection_end:%d:shardctl_%d\r\x1b[0K\n", s.at.Unix(), s.n)
	default:
		fmt.Fprintf(s.w, "\n")
	}
}
