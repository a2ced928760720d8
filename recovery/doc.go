// Package recovery is the controller of a run: it follows the journal, notices workers that died and has their tests run
// again, posts the done marker when the run is complete, and stops a run that cannot go on.
//
// Any number of controllers may supervise one run. Each of their requests is checked by Redis and may be repeated, so that
// nothing depends on who leads.
//
// # When a worker is dead
//
// A worker's beat is a counter. It is dead when this process has seen the same count for the whole lease, on its own
// monotonic clock; neither Redis's clock nor a TTL decides. After a gap in what the controller could see, as after an
// outage of Redis, every worker gets a whole lease again: the workers could not reach Redis either. Whoever knows better,
// because the worker was its own child, calls Reap at once.
package recovery
