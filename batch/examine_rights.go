package batch

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// probes are arguments for each command that Rights grants; K is a key. They need only be enough for the server to look whether the
// user may send the command.
var probes = map[string]string{
	"del": "K", "expire": "K 1",
	"hdel": "K f", "hexists": "K f", "hget": "K f", "hgetall": "K", "hincrby": "K f 1", "hkeys": "K", "hlen": "K", "hmget": "K f",
	"hscan": "K 0", "hset": "K f v", "hsetnx": "K f v", "hvals": "K",
	"lindex": "K 0", "llen": "K", "lpop": "K", "lpush": "K v", "lrange": "K 0 0", "lrem": "K 0 v", "rpush": "K v",
	"sadd": "K v", "scard": "K", "sismember": "K v", "smembers": "K", "srem": "K v",
	"time": "", "xadd": "K * f v", "xlen": "K", "xrange": "K - +", "xread": "STREAMS K 0", "xrevrange": "K + -",
	"eval": "return 1 K", "evalsha": "0 1 K",
	"ping": "", "scan": "0", "select": "0", "client|setname": "name",
}

// unprobed are the commands without a probe: those that make the transaction of the probes, and what another check tries.
var unprobed = []string{"multi", "exec", "client|list"}

// rights tries all commands in a transaction that is not executed, after one with none of them: if MULTI itself is refused, what
// follows it is no transaction.
func (e examination) rights(ctx context.Context) (Level, string, error) {
	const whole = " (shardctl doctor --acl prints the whole user)"
	refused, fate := e.try(ctx, nil)
	if fate == nil {
		refused, fate = e.try(ctx, slices.DeleteFunc(commands(), func(name string) bool { return slices.Contains(unprobed, name) }))
	}
	var missing []string
	keys := false
	for name, err := range refused {
		if keyRefused(err) {
			keys = true
		} else {
			missing = append(missing, "+"+name)
		}
	}
	slices.Sort(missing)
	switch {
	case fate != nil && strings.Contains(fate.Error(), "NOPERM"):
		return Failing, "the user lacks rights: grant +multi +exec, then see what else is missing" + whole, fate
	case fate != nil:
		return Doubtful, "the user's rights could not be tried: " + fate.Error(), fate
	case keys:
		advice := "; with a user for one run give its --run-id"
		if e.pattern != AllRuns {
			advice = ""
		}
		return Failing, strings.Join(append([]string{"the user lacks rights: grant ~" + e.pattern}, missing...), " ") + whole + advice, nil
	case len(missing) == 1 && missing[0] == "+scan":
		return Doubtful, "SCAN is refused: no run can be cleaned, nor brought back when Redis lost data; grant +scan", nil
	case len(missing) > 0:
		return Failing, "the user lacks rights: grant " + strings.Join(missing, " ") + whole, nil
	}
	return Fine, "the user may do all that a run needs", nil
}

// try queues commands in a transaction that the server refuses to execute. It returns which were refused for lack of rights, and an
// error if it could not be tried.
func (e examination) try(ctx context.Context, commands []string) (refused map[string]error, err error) {
	pipe := e.rdb.TxPipeline()
	fate := pipe.Ping(ctx)
	sent := map[string]*redis.Cmd{}
	for _, name := range commands {
		var words []any
		for _, word := range append(strings.Split(name, "|"), strings.Fields(probes[name])...) {
			if word == "K" {
				word = e.queue.keys.Run()
			}
			words = append(words, word)
		}
		sent[name] = pipe.Do(ctx, words...)
	}
	pipe.Do(ctx, "no-such-command") // for this nothing of all that is executed
	_, _ = pipe.Exec(ctx)
	switch err := fate.Err(); {
	case err == nil:
		return nil, errors.New("the server executed a transaction with a command that it does not know")
	case !strings.HasPrefix(err.Error(), "EXECABORT"), strings.Contains(err.Error(), "NOPERM"):
		return nil, err
	}
	refused = map[string]error{}
	for name, cmd := range sent {
		if err := cmd.Err(); err != nil && strings.HasPrefix(err.Error(), "NOPERM") {
			refused[name] = err
		}
	}
	return refused, nil
}

// keyRefused tells whether it was for the key that a command was refused, and not for the command.
func keyRefused(err error) bool { return strings.Contains(err.Error(), "access") }
