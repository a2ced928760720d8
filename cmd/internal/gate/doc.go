// Package gate decides which test stands behind which gate, and whether this machine may run it. A gate is a shell command:
// status 0 is a yes, everything else a no.
//
//	enqueuer: Rules ──batch.Gate, Sign──> Redis ──> worker: Keeper.Ask ──> may its command run here? ──> run it ──> remember
//
// Whoever enqueues has Rules, which give a test its gate. A worker has a Keeper, which answers for this machine:
//
//	what happened                       answer  stands for
//	exit status 0                       yes     the run; evicted from the cache, it is asked again
//	another exit status, a signal       no      60 s: a passing cause does not exclude a worker for ever
//	time limit over, could not start    no      Settings.RequeueDelay: it says nothing about the machine
//	unknown name, untrusted command     no      60 s; nothing was run
//
// While a no stands its gate is in Keeper.Refused, and claims leave its tests to others. So a no is never evicted: the next
// claim would offer the test again, to be refused again, and the test would bounce between Redis and this worker.
//
// # Trust
//
// Who can write to Redis could have every worker run any command, were a gate's command simply run. So a gate is best a name,
// which each worker looks up in its own .shard.yml: nothing that travelled is run. The text of a command is run only if
//
//   - this very process was given it by its user: the workers of `shardctl run`; or
//   - it carries the proof of whoever enqueued it, an HMAC by a secret that both sides know and Redis does not (SHARD_SECRET). The
//     proof binds the command to one run and its birth, so that one from another run is worth nothing; or
//   - the user of this worker trusts everybody who can write to this Redis: --allow-gate-text.
package gate
