package batchtest

import (
	"crypto/sha1"
	"encoding/hex"
	"regexp"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
)

// scriptName finds the name of a protocol script: the contract at its head begins with it.
var scriptName = regexp.MustCompile(`(?m)^-- ([a-z]+): `)

// Before starts the embedded server for tests that do harm between two requests of somebody. interfere is called before each
// execution of a protocol script, with its name and how often that was executed, this time included. What is executed while
// interfere runs is not counted.
func Before(t testing.TB, interfere func(script string, nth int)) *redis.Client {
	s := miniredis.NewMiniRedis()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	var (
		mu    sync.Mutex
		names = map[string]string{} // by digest
		count = map[string]int{}
		busy  bool
	)
	// begin says which script is about to be executed, and the how manieth time; 0: nobody wants to know.
	begin := func(command string, args []string) (name string, nth int) {
		mu.Lock()
		defer mu.Unlock()
		switch command {
		case "EVAL":
			if match := scriptName.FindStringSubmatch(args[0]); match != nil {
				name = match[1]
			}
			digest := sha1.Sum([]byte(args[0]))
			names[hex.EncodeToString(digest[:])] = name
		case "EVALSHA":
			name = names[args[0]] // one that is not known yet comes again as EVAL
		}
		if name == "" || busy {
			return "", 0
		}
		count[name]++
		busy = true
		return name, count[name]
	}
	s.Server().SetPreHook(func(_ *server.Peer, command string, args ...string) bool {
		if name, nth := begin(command, args); nth > 0 {
			interfere(name, nth)
			mu.Lock()
			busy = false
			mu.Unlock()
		}
		return false
	})
	return client(t, s.Addr())
}
