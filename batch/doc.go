// Package batch is the protocol of a run: what Redis holds of it, and every step that changes that. Nobody else in this
// program names a key or runs a script.
//
// A controller opens a run, enqueues its list of tests and seals it. Workers join, claim batches, report what happens to
// the tests and settle the batches. Any number of controllers reaps workers that are presumed dead, and asks whether
// the run is finished. There is no other coordinator: each step is one Lua script, which Redis runs as a whole, and what it
// needs, leaves and answers stands at the head of its file in lua/.
//
// # Life of a test
//
//	queued ──claim──> held ──report──> passed | failed | skipped            (final, written once)
//	  ^                │  └─ failed, retries left ─> requeued
//	  │ handback       │
//	  └────────────────┼─ not executed, crashed, timed out, worker lost ─> requeued ──claim alone──> held
//	                   └─ budget spent ─> crashed | timeout | lost          (final, error)
//
// Between any two scripts each test is in exactly one place: the queue, the requeue, the set of one worker, the results.
//
// # The rules, and why
//
// Emptiness is never evidence of completion. A Redis that was flushed has empty queues too. A run is done when its list is
// sealed, every test of the list has a result and nobody has a batch open; [Queue.Finish] decides that. Whatever is missing is
// the error [Gone]: every script checks first that the run is the one that the caller knows (its epoch, else
// [OtherEpoch]) and that the sealed list is whole.
//
// A finish counts only from the worker that holds the test, under the batch that it holds it by. Everybody else is late: a
// worker that was presumed dead and was not, a report that took the long way. What fails late charges nothing, for the test
// runs again or has run. What passes late is a pass: it becomes the result if there is none yet, and takes the test out
// of wherever it waits or runs.
//
// The guilty pay, and not those beside them. Starts are announced, pauses withdraw them; a worker that dies costs only the
// tests that it was running, their batch-mates go to the requeue uncharged. There a test runs alone, in a fresh
// process, so that the next crash has one suspect; and only when the queue is empty, so that a test that kills workers
// cannot kill them before the rest has run. A worker that never finished a test may be a broken machine, and
// accuses nobody while one lives that has. Crashes, losses and failures have budgets of their own, because one for
// all convicts the innocent; the budget of claims ends whatever the others do not.
//
// No clock decides. A worker's beat is a counter, and [Queue.Reap] names the count that its caller saw for a whole lease: if it has
// moved since, nothing happens. Keys expire a day after the last sign of life, which is garbage collection and nothing else.
//
// # A lost reply
//
// Every request may be sent again, by the client library, by the caller, or by a network that delivers it late; that
// changes nothing but the count of a beat. A worker numbers its batches and its reports. A claim under the number of the
// batch that it holds answers that batch again, and under a lower number it is refused ([Stale]); a claim that found nothing
// leaves its number unused. A report number that was seen is not looked at. A settle or a beat speaks of one batch by its
// number, and does nothing to another: a beat that was sent before the answer to a claim arrived would otherwise
// give back what that answer brings. A worker's id is never used again, so that what was meant for a worker
// cannot hit its successor of the same name.
//
// # Lost data
//
// Servers lose data: they are killed and start empty, are flushed, evict keys, fail over to a replica that is behind. Each
// run has a birth and an epoch. Whoever finds the run damaged (its hash, its markers, its list or its gates are not whole)
// opens it again under a new epoch, of the same birth ([Queue.Reopen]); all requests under the old epoch are refused from then on,
// and those who sent them join anew. Who leads is put back by whoever saw it last ([Election]). Results come back from those who know
// them: controllers ([Queue.Restore]) and workers (reports under [NoBatch]). A run of another birth is another run ([Replaced]). When a list, a set or the results are gone and
// the rest is whole, the lengths do not add up ([IsUneven]), and [Queue.Audit] brings every test back to one place. A worker whose
// numbers are higher than Redis's knows that writes were lost ([Rewound]), hands back and joins anew.
//
// # Gates
//
// A test may stand behind a gate, a command that decides on each worker whether it may run there. Such tests wait in lists of
// their own, so that a batch never mixes gates, and a refusal sends back what no other test has to wait for. The answer is in the worker's
// record: it stands until the worker gives another, and leaves with it. A worker claims what its gates let pass first, and is
// offered ONE test of a gate that it never asked, or whose no is some time ago; the claim names the gates that refuse it now,
// so that no test bounces. When all that is left stands behind gates that every live worker refuses ([IsStuck]), somebody
// decides to give it up; until then whoever comes and qualifies takes it.
//
// # Waiting
//
// Every answer to a worker says where the run's wake stream stood. [Queue.Wait] from there returns as soon as somebody
// should look again, and misses nothing that happened in between.
//
// # What is not here
//
// This package does not decide when a worker is dead, or how long to wait for anything: that is package recovery. It
// does not know how tests are run, ordered or shown.
package batch
