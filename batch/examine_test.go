package batch_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/batch/batchtest"
)

// examined are the findings by subject. The server must be empty before and after.
func examined(t *testing.T, rdb, admin redis.UniversalClient, runID string) map[string]batch.Finding {
	t.Helper()
	all, err := batch.Examine(t.Context(), rdb, runID)
	if err != nil {
		t.Fatal(err)
	}
	findings := map[string]batch.Finding{}
	for _, f := range all {
		findings[f.Subject] = f
	}
	if left := admin.Keys(t.Context(), "*").Val(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	return findings
}

// found expects a finding.
func found(t *testing.T, findings map[string]batch.Finding, subject string, level batch.Level, texts ...string) {
	t.Helper()
	f := findings[subject]
	if f.Level != level {
		t.Errorf("%s is %q, want %q: %s", subject, f.Level, level, f.Text)
	}
	for _, text := range texts {
		if !strings.Contains(f.Text, text) {
			t.Errorf("%s: no %q in %q", subject, text, f.Text)
		}
	}
}

func TestExamineServer(t *testing.T) {
	ctx := t.Context()
	admin := redis.NewClient(&redis.Options{Addr: batchtest.StartReal(t).Addr, ClientName: "shardctl-test"})
	defer admin.Close()
	set := func(name, value string) {
		t.Helper()
		if err := admin.ConfigSet(ctx, name, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for subject, f := range examined(t, admin, admin, "") {
		if f.Level != batch.Fine {
			t.Errorf("%s of a server as it should be: %+v", subject, f)
		}
	}

	set("maxmemory-policy", "volatile-ttl")
	findings := examined(t, admin, admin, "r")
	found(t, findings, "eviction", batch.Doubtful, "volatile-ttl", "as soon as", "set it to noeviction")
	if warning := batch.EvictionWarning(ctx, admin); warning != "" {
		t.Errorf("nothing can be evicted without maxmemory: %s", warning)
	}
	set("maxmemory", "100mb")
	findings = examined(t, admin, admin, "r")
	found(t, findings, "eviction", batch.Doubtful, "volatile-ttl", "100 MiB", "set it to noeviction")
	found(t, findings, "memory", batch.Doubtful, "of 100 MiB", "make it larger")
	if warning := batch.EvictionWarning(ctx, admin); warning != findings["eviction"].Text {
		t.Errorf("the warning: %q", warning)
	}
	set("maxmemory-policy", "noeviction")
	if warning := batch.EvictionWarning(ctx, admin); warning != "" {
		t.Errorf("nothing is evicted: %s", warning)
	}
	set("maxmemory", "1")
	findings = examined(t, admin, admin, "")
	found(t, findings, "memory", batch.Failing, "no write is accepted")
	found(t, findings, "rights", batch.Doubtful, "OOM")
	set("maxmemory", "10gb")
	found(t, examined(t, admin, admin, ""), "memory", batch.Fine, "10240 MiB")

	set("appendonly", "yes")
	found(t, examined(t, admin, admin, ""), "persistence", batch.Fine, "is on")
	if err := admin.Do(ctx, "replicaof", "127.0.0.1", "1").Err(); err != nil {
		t.Fatal(err)
	}
	found(t, examined(t, admin, admin, ""), "role", batch.Failing, "replica", "redis+sentinel://")

	nameless := redis.NewClient(&redis.Options{Addr: admin.Options().Addr})
	defer nameless.Close()
	found(t, examined(t, nameless, admin, ""), "clients", batch.Doubtful, "does not show this connection")
}

// Examine names each right that is missing, and passes the user that Rights describes.
func TestExamineRights(t *testing.T) {
	g := newGuarded(t, batch.AllRuns)
	guest := g.guest()
	whole := examined(t, guest, g.admin, "")
	found(t, whole, "rights", batch.Fine)
	found(t, whole, "clients", batch.Fine)
	found(t, whole, "scripts", batch.Fine)
	found(t, whole, "memory", batch.Doubtful, "INFO is refused")
	found(t, whole, "version", batch.Fine, "Redis ")
	if warning := batch.EvictionWarning(t.Context(), guest); warning != "" {
		t.Errorf("a server that does not tell: %s", warning)
	}
	for _, rule := range batch.Rights(batch.AllRuns) {
		name, ok := strings.CutPrefix(rule, "+")
		if !ok || name == "ping" || name == "client|setname" || name == "select" { // without these there is no connection
			continue
		}
		g.change("-" + name)
		findings := examined(t, guest, g.admin, "")
		g.change("+" + name)
		switch name {
		case "client|list":
			found(t, findings, "clients", batch.Doubtful, rule)
		case "scan":
			found(t, findings, "rights", batch.Doubtful, rule)
		default:
			found(t, findings, "rights", batch.Failing, rule)
		}
	}
	g.change("-eval", "-evalsha")
	found(t, examined(t, guest, g.admin, ""), "scripts", batch.Failing, "do not run")
}

func TestExamineKeys(t *testing.T) {
	keys, err := batch.NewKeys("r")
	if err != nil {
		t.Fatal(err)
	}
	g := newGuarded(t, keys.Pattern())
	found(t, examined(t, g.guest(), g.admin, "r"), "rights", batch.Fine)
	found(t, examined(t, g.guest(), g.admin, "other"), "rights", batch.Failing, "grant ~{shard:other}*")
	found(t, examined(t, g.guest(), g.admin, ""), "rights", batch.Failing, "grant "+"~"+batch.AllRuns, "--run-id")
	if _, err := batch.Examine(t.Context(), g.admin, "a b"); err == nil {
		t.Error("an id that cannot be")
	}
}

func TestOlder(t *testing.T) {
	for version, want := range map[string]bool{
		"5.0.14": true, "6.0.20": true, "6.1": true, "6.2": false, "6.2.0": false, "6.10.1": false, "7.0.15": false, "10.0": false, "255.255.255": false,
		"8.0-rc1": false, "": true,
	} {
		if got := batch.Older(version, batch.LeastVersion); got != want {
			t.Errorf("%q is older than %s: %v", version, batch.LeastVersion, got)
		}
	}
}

func TestExamineWithoutServer(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	defer rdb.Close()
	if findings, err := batch.Examine(t.Context(), rdb, ""); !batch.Transient(err) || len(findings) > 0 {
		t.Errorf("%v, %v", findings, err)
	}
}
