// Package junit reads, merges and writes JUnit XML test reports.
//
// There is no standard of JUnit XML. The nearest to one are the schemas of Ant's junit task, of Maven Surefire
// (surefire-test-report.xsd, the home of flakyFailure and rerunFailure) and of Jenkins' xunit plugin (junit-10.xsd), and
// every tool has its own dialect. So reading is wide, writing is narrow, and in between stand plain types that know no XML:
//
//	files of any dialect ──Read──> Report ──┬──Merge──> Report ──Write──> one flat file that every reader takes
//	                                        └──NewIndex──> which cases belong to this unit of work?
//
// # Nothing fails silently
//
// A report decides whether a build is green, so whatever is doubtful is an error or a case that errored:
//
//   - Empty, truncated, malformed or foreign XML is an error of [Read], never "no failures".
//   - A suite that says of itself that it failed (an error element beside its cases, or attributes failures and errors that
//     count more than its cases show) yields a case with the status [Errored].
//   - A failed attempt is redeemed by an attempt that passed and by nothing else, least of all by one that was skipped.
//   - [Merge] takes cases for attempts at the same test only where it can tell them apart; where not, it keeps them all.
//   - [Write] refuses a case without a status.
//
// A report without any case is not an error here. Whoever asked for tests has to see that Totals().Tests is 0.
//
// # What is lost
//
// Properties, assertion counts, ids and the text outside of the elements that are named here are not kept. Neither are the
// times of suites: a suite's time is the sum of its cases' times.
package junit
