package batch

import "slices"

// What the protocol sends to Redis, in the words of ACL rules. AUTH and HELLO are not among it: everybody may send them.
var (
	// callsOfScripts need the rights of whoever runs the script.
	callsOfScripts = []string{
		"del", "expire",
		"hdel", "hexists", "hget", "hincrby", "hkeys", "hlen", "hmget", "hset", "hsetnx", "hvals",
		"lindex", "llen", "lpop", "lpush", "lrange", "lrem", "rpush",
		"sadd", "scard", "sismember", "smembers", "srem",
		"time", "xadd", "xrange", "xrevrange",
	}
	// requests are what this package sends itself. SCAN knows no rights to keys: it shows the names of all that there are.
	requests = []string{
		"evalsha", "eval", "xread",
		"multi", "exec", "hgetall", "smembers", "hlen", "llen", "scard", // State
		"hscan", "hmget",
		"scan", "del", // Clean; Reopen
		"xlen", "xrevrange", // ReadKeys, Recent
		// Optional: see Queue.Clients. It shows everybody's connections.
		"client|list",
	}
	// handshake is what a connection begins with: SELECT if its database is not 0, and CLIENT SETNAME for Clients.
	handshake = []string{"ping", "select", "client|setname"}
)

// Rights returns the ACL rules of a user who may do all that a run needs, with the keys that match one of the patterns and with no
// others: Keys.Pattern or AllRuns, and, for durations in Redis, TimingsKey or TimingsPattern.
func Rights(patterns ...string) []string {
	rules := []string{"resetkeys"}
	for _, pattern := range patterns {
		rules = append(rules, "~"+pattern)
	}
	rules = append(rules, "resetchannels", "-@all")
	for _, name := range commands() {
		rules = append(rules, "+"+name)
	}
	return rules
}

// commands are all that the protocol sends, sorted.
func commands() []string {
	all := slices.Concat(callsOfScripts, requests, handshake)
	slices.Sort(all)
	return slices.Compact(all)
}
