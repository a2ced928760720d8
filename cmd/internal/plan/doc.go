// Package plan knows how long tests take and what follows from it: in which order they wait, how they are split without a queue,
// and how long a run will take with so many workers. Its functions are pure; where durations are kept, cmd/internal/control says.
//
// share.go is the rule by which workers claim, as batch/lua/share.lua has it; Simulate runs it.
package plan
