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
//
// Where the server tells who is connected (CLIENT LIST), death is noticed sooner: the kernel closes the connections of a process
// that was killed. A worker whose connections were there and are gone is dead when its beat has stood still for little more
// than one beat, in which a live worker would have connected anew. That does not count when the observer's own connections
// are new as well: then the server was started again, and everybody's are.
//
// # When data is lost
//
// A controller remembers the events of every test that has a result. When Redis lost the run, or a part without which it means
// nothing (batch.Gone), whoever knows the list opens it again under its birth, enqueues it, and brings the results back that it
// knows (Controller.Renew); workers tell theirs when they join anew. When only the places of some tests are lost, an audit
// queues them again, and the controller gives back their results to those that had one. A controller that does not know the
// list waits for one that does, and gives up in the end.
//
// # Who leads
//
// Campaign elects one of several candidates that all know how to list the tests: each term has one leader, which is trusted by
// itself for less than the lease that the others wait for. It only saves work. Two leaders at once enqueue the same tests and
// supervise the same run, which changes nothing. Watch is what an idle worker does in case that nobody leads at all.
//
// When Redis lost who leads, candidates put back the latest that they have seen. So the leader, who knows most of the run, brings
// it back too, and a candidate that never saw the run does not open another in its place. What a process learned while it
// led it still knows when it leads again (Known).
package recovery
