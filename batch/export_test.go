package batch

import "github.com/redis/go-redis/v9"

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
