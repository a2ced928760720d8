package batch

// Status is how one attempt at a test, one case of it, or the test as a whole ended.
type Status string

const (
	// Passed, Failed and Skipped are what a runner reports of a test that it executed.
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
	// Crashed: the runner's process ended while the test ran, without reporting its end.
	Crashed Status = "crashed"
	// Timeout: the test ran longer than its time limit and its runner was killed.
	Timeout Status = "timeout"
	// Unexecuted: the runner ran with this test alone, ended by itself and reported nothing of it. Only an attempt ends
	// so; a test whose attempts keep ending so becomes Lost.
	Unexecuted Status = "unexecuted"
	// Lost: no attempt ever got to a result: workers vanished with the test or runners never executed it, until a budget was spent.
	Lost Status = "lost"
	// Unroutable: no worker qualified for the test's gate. Only a result is so; there was no attempt.
	Unroutable Status = "unroutable"
)

// Outcome is how one attempt at a test ended.
type Outcome struct {
	Status Status `json:"status"`
	// Seconds that the attempt took, wall clock.
	Seconds float64 `json:"seconds"`
	// Message is one line for a person: the assertion that failed, the signal that killed the process.
	Message string `json:"message,omitempty"`
	// File (relative to the run's directory where the runner knows) and Line (from 1) are where the failure is; empty and 0: unknown.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Output is what the attempt printed. Kept for attempts that did not pass, capped by the runner.
	Output string `json:"-"`
	// Cases are the parts that a report lists one by one, the test itself included where it is a case (a Go test with
	// its subtests). Empty: the test is its only case.
	Cases []Case `json:"cases,omitempty"`
}

// Same tells whether two outcomes seem to be of one attempt, told twice.
func (o Outcome) Same(other Outcome) bool {
	return o.Status == other.Status && o.Seconds == other.Seconds && o.Message == other.Message
}

// Case is one entry of a JUnit report.
type Case struct {
	Classname string  `json:"classname,omitempty"`
	Name      string  `json:"name"`
	Status    Status  `json:"status"`
	Seconds   float64 `json:"seconds"`
	Message   string  `json:"message,omitempty"`
	File      string  `json:"file,omitempty"`
	Line      int     `json:"line,omitempty"`
	// Output is kept for cases that did not pass, capped by the runner.
	Output string `json:"output,omitempty"`
}

// Problem is something that went wrong outside any test: a package that does not compile, a runner that failed after its
// last test. A run with a problem is never green.
type Problem struct {
	// Scope is what the problem is about: a package, a file, a command. Problems of one scope and message are one problem.
	Scope   string `json:"scope"`
	Message string `json:"message"`
	// Details is the compiler's or runner's own text, capped by whoever reports it.
	Details string `json:"details,omitempty"`
}
