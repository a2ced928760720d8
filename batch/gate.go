package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	// MaxGates is how many different gates a run may have: every script looks at all of their lists.
	MaxGates = 256
	// maxGateBytes is the longest name or command of a gate.
	maxGateBytes = 16 << 10
)

// Gate decides whether a worker may run a test: a command that ends with status 0 on those that may. The zero value lets
// everybody run it.
type Gate struct {
	// Name is that of a gate which each worker finds in its own configuration; or
	Name string `json:"name,omitempty"`
	// Command is the shell text itself, as whoever enqueued the test gave it.
	Command string `json:"command,omitempty"`
	// MAC proves to workers that share a secret where Command comes from. It does not tell gates apart.
	MAC string `json:"mac,omitempty"`
}

// None reports whether there is no gate.
func (g Gate) None() bool { return g.Name == "" && g.Command == "" }

// Hash tells gates apart, in 16 hexadecimal digits: it names the lists of the tests behind the gate.
func (g Gate) Hash() string {
	kind, text := "name", g.Name
	if g.Name == "" {
		kind, text = "command", g.Command
	}
	sum := sha256.Sum256([]byte(kind + "\x00" + text))
	return hex.EncodeToString(sum[:8])
}

// String names the gate for people: its name, or the command.
func (g Gate) String() string {
	if g.Name != "" {
		return g.Name
	}
	return g.Command
}

// check says why a gate cannot be one.
func (g Gate) check() error {
	text := g.String()
	switch {
	case g.Name != "" && g.Command != "":
		return fmt.Errorf("gate %.40q has both a name and a command", g.Name)
	case len(text) > maxGateBytes:
		return fmt.Errorf("gate %.40q… has %d bytes, more than the %d that are allowed", text, len(text), maxGateBytes)
	case !utf8.ValidString(text):
		return fmt.Errorf("gate %.200q is not valid UTF-8", text)
	case strings.ContainsRune(text, 0):
		return errors.New("a gate contains NUL")
	}
	return nil
}

// knownGates are the hashes of the gates whose lists a Queue declares to scripts. It may be used concurrently.
type knownGates struct {
	mu     sync.Mutex
	hashes []string
}

func (k *knownGates) add(hash string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Contains(k.hashes, hash) {
		k.hashes = append(k.hashes, hash)
	}
}

func (k *knownGates) keys(of Keys) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var keys []string
	for _, hash := range k.hashes {
		keys = append(keys, of.GateQueue(hash), of.GateRequeue(hash))
	}
	return keys
}

// CheckGates returns an error that says why tests cannot be enqueued together: a gate has both a name and a command, is longer
// than 16 KiB, not UTF-8 or holds a NUL, or there are more than MaxGates.
func CheckGates(tests []Test) error {
	gates := map[string]bool{}
	for _, t := range tests {
		if err := t.Gate.check(); err != nil {
			return fmt.Errorf("test %.200q: %w", t.ID, err)
		}
		if !t.Gate.None() {
			gates[t.Gate.Hash()] = true
		}
	}
	if len(gates) > MaxGates {
		return fmt.Errorf("the tests have %d different gates, %d are allowed: let tests share gates", len(gates), MaxGates)
	}
	return nil
}

// gatesOf returns the hash and the spec of each gate of the tests, as enqueue.lua takes them, and makes them known.
func (q *Queue) gatesOf(tests []Test) ([]any, error) {
	var args []any
	seen := map[string]bool{}
	for _, t := range tests {
		hash := t.Gate.Hash()
		if t.Gate.None() || seen[hash] {
			continue
		}
		seen[hash] = true
		spec, err := json.Marshal(t.Gate)
		if err != nil {
			return nil, err
		}
		q.gates.add(hash)
		args = append(args, hash, string(spec))
	}
	return args, nil
}

// GateState is how one gate of a run stands.
type GateState struct {
	Gate
	// Queued and Requeued are how many tests wait behind it.
	Queued, Requeued int
	// Passed are the live workers that qualify, Refused those whose last word was no, Gone those that left because they
	// qualify for nothing that was left, this gate included. Other workers were not asked yet.
	Passed, Refused, Gone []string
}
