package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Scripts are the scripts by name, for the simulation and for raw requests.
func Scripts() map[string]*redis.Script {
	return map[string]*redis.Script{
		"open": openScript, "enqueue": enqueueScript, "seal": sealScript, "join": joinScript, "claim": claimScript,
		"report": reportScript, "settle": settleScript, "beat": beatScript, "leave": leaveScript, "reap": reapScript,
		"gate": gateScript, "restore": restoreScript, "audit": auditScript, "finish": finishScript, "abort": abortScript,
	}
}

// DeclaredKeys are what every script is given as KEYS, before the sets of workers.
func DeclaredKeys(k Keys) []string { return k.fixed() }

// Mutation returns a function that replaces old, which must be once in lua/<part>.lua, in all scripts with this part. It
// is for a process of its own: there is no way back.
func Mutation(part, old, replacement string) (apply func(), err error) {
	text, err := sources.ReadFile("lua/" + part + ".lua")
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(text), old); n != 1 {
		return nil, fmt.Errorf("lua/%s.lua has %q %d times, not once", part, old, n)
	}
	mutated := strings.Replace(string(text), old, replacement, 1)
	scripts := append(slices.Collect(maps.Values(Scripts())), quarantineScript, leadScript, resignScript)
	scripts = slices.DeleteFunc(scripts, func(s *redis.Script) bool { return !strings.Contains(sourceOf(s), string(text)) })
	if len(scripts) == 0 {
		return nil, fmt.Errorf("no script that is known here has lua/%s.lua", part)
	}
	return func() {
		for _, s := range scripts {
			*s = *redis.NewScript(strings.Replace(sourceOf(s), string(text), mutated, 1))
		}
	}, nil
}

// sourceOf asks a script for its text, which it gives only to a server.
func sourceOf(s *redis.Script) string {
	var server scriptServer
	s.Load(context.Background(), &server)
	return server.source
}

type scriptServer struct {
	redis.Scripter // no other method is called
	source         string
}

func (s *scriptServer) ScriptLoad(ctx context.Context, source string) *redis.StringCmd {
	s.source = source
	refused := redis.NewStringCmd(ctx)
	refused.SetErr(errors.New("it only looks")) // or the script would take its hash from here
	return refused
}

// Older compares versions, number by number.
func Older(version, than string) bool { return older(version, than) }
