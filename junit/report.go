package junit

import "time"

// Report is the content of one JUnit file, or of several merged ones.
type Report struct {
	Suites []Suite
}

// Suite is a named group of cases: a package, a file, a class, whatever the tool groups by.
type Suite struct {
	Name string
	// Hostname of the machine that ran the suite. Empty: unknown, or several.
	Hostname string
	// Timestamp is when the suite started. Zero: unknown.
	Timestamp time.Time
	Cases     []Case
	// Stdout and Stderr are what the suite printed outside of its cases.
	Stdout, Stderr string
}

// Status is how a case or one attempt at it ended. The zero value is no status; Write refuses it.
type Status string

const (
	Passed Status = "passed"
	// Failed: an assertion of the test did not hold.
	Failed Status = "failed"
	// Errored: something else went wrong, in or around the test.
	Errored Status = "errored"
	// Skipped: the test did not run, on purpose.
	Skipped Status = "skipped"
)

// failing says whether s makes a run red.
func (s Status) failing() bool { return s == Failed || s == Errored }

// Case is one test of a suite and how its last attempt ended.
type Case struct {
	Name, Classname string
	// File is the source file as the tool wrote it: absolute or relative to a folder that only the tool knows. Empty: unknown.
	File string
	// Line in File, as the tool counts (mostly from 1, pytest from 0). 0: unknown.
	Line int
	// Seconds that the last attempt took. 0: unknown.
	Seconds float64
	Status  Status
	// Message says in one line what went wrong, or why the case was skipped. Type is the class of the exception or
	// assertion. Details is the long text, mostly a stack trace. A case that passed has none of them.
	Message, Type, Details string
	// Stdout and Stderr are what the last attempt printed.
	Stdout, Stderr string
	// Reruns are the attempts that failed before the last one, oldest first; all of them are Failed or Errored. A case
	// that passed after them is flaky. A skipped case has none.
	Reruns []Attempt
}

// Attempt is a failed attempt at a case that was run again.
type Attempt struct {
	Status                 Status
	Seconds                float64
	Message, Type, Details string
	// Output is what the attempt printed.
	Output string
}

// Flaky says whether the case passed after it had failed.
func (c Case) Flaky() bool { return c.Status == Passed && len(c.Reruns) > 0 }

// Totals counts cases. Tests is all of them; Flaky ones are those that passed after they had failed.
type Totals struct {
	Tests, Failures, Errors, Skipped, Flaky int
	// Seconds is the sum of the last attempts' times: machine time, not wall time.
	Seconds float64
}

// Totals counts the cases of s.
func (s Suite) Totals() Totals {
	t := Totals{Tests: len(s.Cases)}
	for _, c := range s.Cases {
		t.Seconds += c.Seconds
		switch c.Status {
		case Failed:
			t.Failures++
		case Errored:
			t.Errors++
		case Skipped:
			t.Skipped++
		}
		if c.Flaky() {
			t.Flaky++
		}
	}
	return t
}

// Totals counts the cases of all suites of r.
func (r Report) Totals() Totals {
	var t Totals
	for _, s := range r.Suites {
		u := s.Totals()
		t.Tests += u.Tests
		t.Failures += u.Failures
		t.Errors += u.Errors
		t.Skipped += u.Skipped
		t.Flaky += u.Flaky
		t.Seconds += u.Seconds
	}
	return t
}

// unnamed stands for the name of a suite or case that has none: several readers drop what has no name.
const unnamed = "(unnamed)"

// maxSeconds is about 30 years. A longer test is a broken clock or a broken file.
const maxSeconds = 1e9

// sane returns s, or 0 if s is no duration that a test can have.
func sane(s float64) float64 {
	if s >= 0 && s <= maxSeconds { // false for NaN too
		return s
	}
	return 0
}
