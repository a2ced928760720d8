package runner

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// output runs a command that only asks, such as one that lists tests, and returns what it printed to stdout, to stderr, and
// how it ended. The error is context.Cause(ctx) if ctx ended, or says why it could not be started.
func output(ctx context.Context, p process) (stdout, stderr string, ended exit, err error) {
	var out, errs bytes.Buffer
	p.Stdout, p.Stderr, p.Grace = &out, &errs, DefaultGrace
	ended, err = p.run(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), errs.String(), ended, err
}

// answer is what a command that must succeed printed to stdout. Its error holds the end of what the command said.
func answer(ctx context.Context, words ...string) (string, error) {
	stdout, stderr, ended, err := output(ctx, process{Path: words[0], Args: words[1:]})
	if err == nil && ended.Code != 0 {
		err = fmt.Errorf("%s: %s\n%s", strings.Join(words, " "), ended, lastLines(stderr+"\n"+stdout))
	}
	return stdout, err
}
