// Package worker is the loop of one worker: it joins a run, claims batches, has a runner.Runner run them, reports what
// happens as it happens, settles what was not executed, waits while there is nothing to claim, and leaves when the run is
// over.
//
//	join ──> claim ──> run + report ──> settle ──┐        stop, done, aborted ──> leave
//	  ^        ^ └─ nothing: wait for a wake-up  │
//	  │        └─────────────────────────────────┘
//	  └── presumed dead, or Redis lost data: the runner is stopped; what it finished is told after joining anew
//
// Everything that ended here is noted on local disk before it is reported (outcomes.go), so that it can be told again when Redis
// lost it, by this process or, after SIGKILL, by the next of its name on this machine.
//
// Two contexts: the caller's says stop (no further claim, the runner is ended); the requests that clean up afterwards run
// under another, which ends some seconds later whatever Redis does.
package worker
