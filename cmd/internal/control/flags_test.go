package control_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/cmd/internal/control"
)

func TestBudgets(t *testing.T) {
	options := func(args ...string) (batch.Options, error) {
		var b control.Budgets
		must(t, parse(b.Register, args...))
		return b.Options()
	}
	if o, err := options(); err != nil || o != batch.DefaultOptions() {
		t.Errorf("without flags: %+v, %v", o, err)
	}
	want := batch.DefaultOptions()
	want.Retries, want.MaxRetriesTotal, want.MaxCrashes, want.MaxLosses, want.ExpectWorkers, want.Lease = 7, 20, 4, 5, 3, time.Minute
	want.MaxClaims = 17 // no budget is cut off
	got, err := options("--retries", "7", "--max-retries-total", "20", "--max-crashes", "4", "--max-losses", "5", "--expect-workers", "3", "--lease", "1m")
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
	// All mistakes are named at once.
	_, err = options("--retries", "-1", "--max-retries-total", "-1", "--max-crashes", "0", "--max-losses", "0", "--expect-workers", "-1", "--lease", "999ms")
	refused(t, err, "--retries", "--max-retries-total", "--max-crashes", "--max-losses", "--expect-workers", "--lease")
}

func TestLimits(t *testing.T) {
	validate := func(args ...string) error {
		var l control.Limits
		must(t, parse(l.Register, args...))
		return l.Validate()
	}
	must(t, validate())
	must(t, validate("--run-timeout", "0", "--worker-timeout", "0", "--gate-grace", "0", "--max-failures", "0", "--fail-fast"))
	refused(t, validate("--run-timeout", "-1s", "--worker-timeout", "-1s", "--gate-grace", "-1s", "--max-failures", "-1"),
		"--run-timeout", "--worker-timeout", "--gate-grace", "--max-failures")
}

func TestOutput(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	for name, test := range map[string]struct {
		flags []string
		says  []string // nothing: they are fine
	}{
		"none":                  {},
		"standard output":       {flags: []string{"--junit", "-"}},
		"a file":                {flags: []string{"--junit", filepath.Join(dir, "new", "junit.xml"), "--progress", "none"}},
		"a progress of its own": {[]string{"--progress", "fancy"}, []string{`--progress "fancy"`, "auto, bar, plain, none"}},
		"annotations":           {[]string{"--annotations", "yes"}, []string{`--annotations "yes"`, "auto, on, off"}},
		"a profile":             {[]string{"--junit-profile", "lax"}, []string{"--junit-profile", `"lax"`, "default or strict"}},
		"a summary":             {[]string{"--summary", dir}, []string{"--summary", "is a folder"}},
		"a folder":              {[]string{"--junit", dir}, []string{"--junit", "is a folder"}},
		"below a file":          {[]string{"--junit", filepath.Join(dir, "file", "junit.xml")}, []string{"--junit", "not a directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			var o control.Output
			must(t, parse(o.Register, test.flags...))
			err := o.Validate()
			if test.says == nil {
				must(t, err)
				return
			}
			refused(t, err, test.says...)
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "new", "*")); len(left) > 0 {
		t.Errorf("the look whether a report can be written left %q", left)
	}
}
