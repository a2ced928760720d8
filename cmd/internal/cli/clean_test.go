package cli

import (
	"os"
	"testing"
)

func TestCleanEnvironment(t *testing.T) {
	for _, name := range []string{"GITHUB_ENV", "GITHUB_STEP_SUMMARY", "SHARD_REDIS_URL", "REDIS_URL", "GITHUB_SHA"} {
		t.Setenv(name, "value of "+name)
	}
	lookup := snapshot(os.Environ())
	p := Project{PassEnv: []string{"GITHUB_ENV"}}
	if err := p.Enter(); err != nil {
		t.Fatal(err)
	}
	w := Where{RedisURL: "redis://other"}
	if err := w.ResolveURL(lookup); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"GITHUB_ENV": true, "GITHUB_STEP_SUMMARY": false, "SHARD_REDIS_URL": false, "REDIS_URL": true, "GITHUB_SHA": true} {
		if _, ok := os.LookupEnv(name); ok != want {
			t.Errorf("tests see %s: %v, want %v", name, ok, want)
		}
		if value, ok := lookup(name); !ok || value != "value of "+name {
			t.Errorf("%s is not known any more", name)
		}
	}
	w = Where{}
	if err := w.ResolveURL(lookup); err != nil || w.RedisURL != "value of REDIS_URL" {
		t.Errorf("%q, %v", w.RedisURL, err)
	}
	if _, ok := os.LookupEnv("REDIS_URL"); ok {
		t.Error("tests see the REDIS_URL of the run")
	}
}
