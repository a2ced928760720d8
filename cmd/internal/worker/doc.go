// Package worker is the loop of one worker: it joins a run, claims batches, has a runner.Runner run them, reports what
// happens as it happens, settles what was not executed, waits while there is nothing to claim, and leaves when the run is
// over.
//
//	join ──> claim ──> run + report ──> settle ──┐        stop, done, aborted ──> leave
//	  ^        ^ └─ nothing: wait for a wake-up  │
//	  │        └─────────────────────────────────┘
//	  └── presumed dead: the runner is stopped; what it finished is reported after joining anew
//
// Two contexts: the caller's says stop (no further claim, the runner is ended); the requests that clean up afterwards run
// under another, which ends some seconds later whatever Redis does.
package worker
