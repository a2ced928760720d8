// Package report turns the journal of a run into what people and machines read: live progress, the verdict
// with its exit status, JUnit XML, a page for a browser, a trace, and a file of the journal itself, of which all the others can be made again.
//
//	journal ──Add──> History ────Judge (with what Redis holds at the end)──> Verdict ──┬──> WriteVerdict, WriteSummary
//	   │                                                                               ├──> JUnit
//	   ├──Event──> Plain                                                               └──> Timeline ──> WriteHTML, WriteTrace
//	   └──EventsWriter──> events file ──ReadEvents──> Recording ──> Verdict
//
// The journal tells what happened, Redis what the result is. A test is green only where both agree: Redis holds the result,
// and the journal the attempt that earned it. Whatever is doubtful is red, since the worst that this package can do is to
// call a run green that was not:
//
//   - A result without an attempt in the journal is a problem of the run, not a pass.
//   - A failure is redeemed by an attempt that passed and by nothing else, least of all by one that was skipped.
//   - A list, a journal or a set of results that is not whole makes the run incomplete.
//
// Text that comes from tests, workers and runners is hostile until shown otherwise: it never begins a line and loses its
// control characters, so that it can neither move a terminal's cursor nor give commands to a CI system.
package report
