package batch

import (
	"context"
	"embed"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var sources embed.FS

// script assembles one of lua/*.lua from the parts that it needs.
func script(parts ...string) *redis.Script {
	var b strings.Builder
	for _, part := range parts {
		text, err := sources.ReadFile("lua/" + part + ".lua")
		if err != nil {
			panic(err) // embedded at build time
		}
		b.Write(text)
	}
	return redis.NewScript(b.String())
}

var (
	openScript       = script("prelude", "open")
	restoreScript    = script("prelude", "guard", "restore")
	auditScript      = script("prelude", "guard", "audit")
	enqueueScript    = script("prelude", "guard", "enqueue")
	sealScript       = script("prelude", "guard", "seal")
	quarantineScript = script("prelude", "guard", "quarantine")
	joinScript       = script("prelude", "guard", "join")
	claimScript      = script("prelude", "guard", "share", "claim")
	gateScript       = script("prelude", "guard", "gate")
	reportScript     = script("prelude", "guard", "report")
	settleScript     = script("prelude", "guard", "settle")
	beatScript       = script("prelude", "guard", "beat")
	leaveScript      = script("prelude", "guard", "leave")
	reapScript       = script("prelude", "guard", "reap")
	finishScript     = script("prelude", "guard", "finish")
	abortScript      = script("prelude", "guard", "abort")
	ageScript        = script("age")
)

// run executes a script under this queue's epoch, declaring the sets of the named workers and the lists of all gates. Where
// Redis knows of more than the caller it says so, and the script is repeated with those.
func (q *Queue) run(ctx context.Context, s *redis.Script, workers []string, args ...any) *redis.Cmd {
	args = append([]any{q.epoch}, args...)
	for {
		keys := append(q.keys.fixed(), q.gates.keys(q.keys)...)
		for _, id := range workers {
			keys = append(keys, q.keys.Worker(id))
		}
		cmd := s.Run(ctx, q.rdb, keys, args...)
		err := q.refusal(cmd.Err())
		var refused *Error
		if errors.As(err, &refused) && refused.Code == retry {
			for _, missing := range strings.Fields(refused.Detail) {
				if id, ok := strings.CutPrefix(missing, "worker_"); ok {
					workers = append(workers, id)
				} else {
					q.gates.add(strings.TrimPrefix(missing, "gate_"))
				}
			}
			continue
		}
		if err != nil {
			cmd.SetErr(err)
		}
		return cmd
	}
}
