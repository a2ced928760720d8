// Package quarantine decides which tests may fail without failing their run, by what a project's .shard.yml says of them. A test in
// quarantine runs as any other, and everything that it does is reported. It is nobody's hiding place: each entry names who looks
// after it, why it is there, and the day on which it ends, after which the test is as any other again.
//
//	.shard.yml ──Entry──> Rules ──batch.Quarantine──> the list that is enqueued ──> journal ──> verdict
//
// Whoever enqueues a test decides, by the calendar of that moment: so all verdicts of a run agree, also one that is told on another
// day, on a machine without the file.
package quarantine
