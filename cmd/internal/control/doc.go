// Package control is the controller's side of the commands: the flags that say which tests there are and when a run has to end,
// the way from a list to an open run, and attending the run to its verdict. `shardctl run`, `enqueue` and `wait` are made of
// it, and so is the leader of `shardworker --elect`.
package control
