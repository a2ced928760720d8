package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/shardctl/shardctl/batch"
)

// Sign returns the proof, for batch.Gate.MAC, that somebody who knows secret gave this command to the run that has this id
// and birth: an HMAC-SHA256 in hexadecimal digits. Without a secret it is empty, which proves nothing.
func Sign(secret, runID, birth, command string) string {
	if secret == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(secret))
	for _, part := range []string{"shardctl gate 1", runID, birth, command} {
		fmt.Fprintf(mac, "%d:%s", len(part), part) // the length keeps "a", "bc" apart from "ab", "c"
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// command returns what to run for g, or why nothing may run.
func (k *Keeper) command(g batch.Gate) (command, refusal string) {
	if g.Name != "" {
		command, known := k.o.Commands[g.Name]
		if !known {
			refusal = fmt.Sprintf("this worker's .shard.yml has no gate %.64q: add it there, or start the worker in the folder (--dir) whose .shard.yml has it", g.Name)
		}
		return command, refusal
	}
	const (
		foreign = "its command came through Redis, "
		others  = "give the gate a name in .shard.yml, or trust everybody who can write to this Redis with --allow-gate-text"
	)
	switch {
	case k.o.AllowText, k.o.Given[g.Command]:
		return g.Command, ""
	case k.o.Secret == "":
		return "", foreign + "and this worker has no SHARD_SECRET to check who sent it: set it here and where tests are enqueued, " + others
	case g.MAC == "":
		return "", foreign + "without a proof of who sent it: set SHARD_SECRET where tests are enqueued too, " + others
	case !hmac.Equal([]byte(g.MAC), []byte(Sign(k.o.Secret, k.o.RunID, k.o.Birth, g.Command))):
		return "", foreign + "and its proof does not verify: SHARD_SECRET differs from the one where tests are enqueued, or somebody changed the " +
			"command; set the same one, " + others
	}
	return g.Command, ""
}
