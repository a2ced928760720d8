package gate

import (
	"strings"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

func TestTrust(t *testing.T) {
	const (
		secret, run, birth, command = "s3cret", "run", "birth", "exit 0"
		byName, allow, set          = ".shard.yml", "--allow-gate-text", "SHARD_SECRET"
	)
	text := func(mac string) batch.Gate { return batch.Gate{Command: command, MAC: mac} }
	good := Sign(secret, run, birth, command)
	with := func(secret string) Options { return Options{Secret: secret} }
	for name, tt := range map[string]struct {
		o    Options
		g    batch.Gate
		want []string // in the refusal; nil: it runs
	}{
		"name":                       {Options{Commands: map[string]string{"gpu": "exit 0"}}, batch.Gate{Name: "gpu"}, nil},
		"unknown name":               {Options{Commands: map[string]string{"gpu": "exit 0"}}, batch.Gate{Name: "cpu"}, []string{`no gate "cpu"`, byName, "--dir"}},
		"unknown name, all trusted":  {Options{Settings: Settings{AllowText: true}, Given: map[string]bool{"cpu": true}}, batch.Gate{Name: "cpu"}, []string{`no gate "cpu"`}},
		"command that is a name":     {Options{Commands: map[string]string{"exit 0": "exit 0"}}, text(""), []string{byName}},
		"allowed":                    {Options{Settings: Settings{AllowText: true}}, text(""), nil},
		"given":                      {Options{Given: map[string]bool{command: true}}, text(""), nil},
		"another was given":          {Options{Given: map[string]bool{"exit 1": true}}, text(""), []string{"no SHARD_SECRET", allow, byName}},
		"no secret":                  {with(""), text(good), []string{"no SHARD_SECRET", allow, byName}},
		"no secret on either side":   {with(""), text(Sign("", run, birth, command)), []string{"no SHARD_SECRET"}},
		"no proof":                   {with(secret), text(""), []string{"without a proof", set, allow, byName}},
		"proof":                      {with(secret), text(good), nil},
		"proof by another secret":    {with(secret), text(Sign("other", run, birth, command)), []string{"does not verify", set, allow, byName}},
		"proof for another run":      {with(secret), text(Sign(secret, "run2", birth, command)), []string{"does not verify"}},
		"proof for another birth":    {with(secret), text(Sign(secret, run, "birth2", command)), []string{"does not verify"}},
		"proof for another command":  {with(secret), text(Sign(secret, run, birth, "exit 1")), []string{"does not verify"}},
		"proof of parts that differ": {with(secret), text(Sign(secret, run+"b", "irth", command)), []string{"does not verify"}},
		"something else for a proof": {with(secret), text("x"), []string{"does not verify"}},
	} {
		t.Run(name, func(t *testing.T) {
			k, log := keeper(t, func(o *Options) {
				tt.o.Settings.CacheSize, tt.o.Timeout, tt.o.Log = 1, o.Timeout, o.Log
				tt.o.RunID, tt.o.Birth = run, birth
				*o = tt.o
			})
			got := ask(t, k, tt.g)
			if got.Yes != (tt.want == nil) {
				t.Errorf("%+v", got)
			}
			for _, part := range tt.want {
				if !strings.Contains(got.Why, part) {
					t.Errorf("%q does not say %q", got.Why, part)
				}
			}
			if len(got.Why) > 500 || strings.Contains(got.Why, "\n") {
				t.Errorf("%q is no short line", got.Why)
			}
			if said := got.Why + log.String(); strings.Contains(said, secret) || strings.Contains(said, good) {
				t.Errorf("a secret is told: %s", said)
			}
			if got.Yes {
				check(t, k, 0)
			} else {
				check(t, k, 1, tt.g)
			}
		})
	}
}

// What another release signed must verify.
func TestSignStays(t *testing.T) {
	const want = "117cc6af7d6e139879e12ff8d017d59457218a544f4724f818e13cf3276f27a4"
	if got := Sign("secret", "run", "birth", "command"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The name of a gate comes from others too.
func TestUnknownNameIsQuoted(t *testing.T) {
	k, log := keeper(t, nil)
	got := ask(t, k, batch.Gate{Name: "a\nb\x1b" + strings.Repeat("x", 10000)})
	if said := got.Why + log.String(); len(said) > 1500 || strings.Contains(got.Why, "\n") || strings.Contains(said, "\x1b") {
		t.Errorf("%q", said)
	}
}
