package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/shardctl/shardctl/cmd/internal/cli"
	"github.com/shardctl/shardctl/cmd/internal/control"
	"github.com/shardctl/shardctl/junit"
)

func mergeCommand() cli.Command {
	var output, expect, profile string
	return cli.Command{
		Name: "merge", Usage: "[--output FILE] [--junit-profile strict] [--expect tests.txt] REPORT.xml…",
		Short: "merge JUnit files into one",
		Long: `
Merges JUnit reports of any dialect. A case that is in several of them is one case with several attempts, in the order of
the files: one that failed and then passed is flaky. So reports of different systems need suites of different names, or
what passes on one hides what fails on the other. --expect fails if a test of the list has no case in any report.

Exit status: 0 nothing failed, 1 a case failed, 2 a report cannot be read, 3 an expected test is missing, 4 no case at all.`,
		Flags: func(flags *pflag.FlagSet) {
			flags.StringVarP(&output, "output", "o", "-", "`FILE` for the merged report; - is standard output")
			control.RegisterProfile(flags, &profile)
			flags.StringVar(&expect, "expect", "", "`FILE` with the tests that must be there, as for shardctl run --tests")
		},
		Run: func(_ context.Context, streams cli.Streams, args cli.Args) error {
			return merge(streams, append(args.Before, args.After...), output, profile, expect)
		},
	}
}

func merge(streams cli.Streams, files []string, output, profileName, expect string) error {
	if len(files) == 0 {
		return cli.Usagef("which reports? Name one JUnit file at least")
	}
	profile, err := junit.ParseProfile(profileName)
	if err != nil {
		return cli.Usagef("--junit-profile: %w", err)
	}
	reports := make([]junit.Report, len(files))
	for i, file := range files {
		report, err := junit.ReadFile(file)
		if err != nil {
			return cli.Usagef("%w", err)
		}
		reports[i] = report
	}
	merged := junit.Merge(reports...)
	missing, err := missingTests(expect, merged)
	if err != nil {
		return err
	}
	if err := cli.WriteTo(streams.Out, output, func(w io.Writer) error { return profile.Write(w, merged) }); err != nil {
		return err
	}
	totals := merged.Totals()
	fmt.Fprintf(streams.Err, "%d reports, %d cases: %d failed, %d errors, %d skipped, %d flaky\n",
		len(files), totals.Tests, totals.Failures, totals.Errors, totals.Skipped, totals.Flaky)
	for i, id := range missing {
		if i == 20 {
			fmt.Fprintf(streams.Err, "… and %d more\n", len(missing)-i)
			break
		}
		fmt.Fprintf(streams.Err, "missing: %s\n", id)
	}
	switch {
	case len(missing) > 0:
		fmt.Fprintf(streams.Err, "INCOMPLETE: %d expected tests are in no report\n", len(missing))
		return cli.Exit(cli.StatusIncomplete)
	case totals.Tests == 0:
		return &cli.NoTestsError{Where: "the reports have no case"}
	case totals.Failures+totals.Errors > 0:
		return cli.Exit(cli.StatusFailed)
	}
	return nil
}

// missingTests are those of the list that no case of the report matches.
func missingTests(list string, report junit.Report) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	file, err := os.Open(list)
	if err != nil {
		return nil, cli.Usagef("--expect: %w", err)
	}
	defer file.Close()
	tests, err := control.ReadList(file, list)
	if err != nil {
		return nil, err
	}
	if len(tests) == 0 {
		return nil, cli.Usagef("--expect %s: the list is empty", list)
	}
	ids := make([]string, len(tests))
	for i, t := range tests {
		ids[i] = t.ID
	}
	assigned := junit.NewIndex(report).Assign(ids)
	var missing []string
	for _, t := range tests {
		if len(assigned[t.ID]) == 0 {
			missing = append(missing, t.ID)
		}
	}
	return missing, nil
}
