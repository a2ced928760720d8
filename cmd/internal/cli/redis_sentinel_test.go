package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func TestSentinelOptions(t *testing.T) {
	type seen struct {
		Master, User, Password, SentinelUser, SentinelPassword string
		Sentinels                                              []string
		DB                                                     int
		TLS                                                    bool
	}
	for _, test := range []struct {
		url  string
		want seen
	}{
		{"redis+sentinel://one/mymaster", seen{Master: "mymaster", Sentinels: []string{"one:26379"}}},
		{"REDIS+Sentinel://one,two:2/m/", seen{Master: "m", Sentinels: []string{"one:26379", "two:2"}}},
		{
			"rediss+sentinel://anna:p%40ss,w%2Frd@one:1,[::1]:2,[::2],four/my%20master/3?sentinel_username=bob&sentinel_password=%40%2F%3F%23%26%25%2B&read_timeout=3s",
			seen{
				Master: "my master", User: "anna", Password: "p@ss,w/rd", SentinelUser: "bob", SentinelPassword: "@/?#&%+", DB: 3, TLS: true,
				Sentinels: []string{"one:1", "[::1]:2", "[::2]:26379", "four:26379"},
			},
		},
	} {
		u, err := readURL(test.url)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		o, err := sentinelOptions(u)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		if diff := cmp.Diff(test.want, seen{
			Master: o.MasterName, User: o.Username, Password: o.Password, SentinelUser: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
			Sentinels: o.SentinelAddrs, DB: o.DB, TLS: o.TLSConfig != nil,
		}); diff != "" {
			t.Errorf("%s: %s", test.url, diff)
		}
		if o.TLSConfig != nil && o.TLSConfig.ServerName != "" {
			t.Errorf("%s: every server must be called %s", test.url, o.TLSConfig.ServerName)
		}
	}
}

// A client of sentinels keeps what the others have: its name, and no commands of the library's own.
func TestSentinelClient(t *testing.T) {
	rdb, err := newClient("redis+sentinel://anna:secret@one,two/m/1")
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	plain, err := newClient("redis://anna:secret@one/1")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	of := func(o *redis.Options) []any {
		name, _, _ := strings.Cut(o.ClientName, "-")
		return []any{name, o.Username, o.Password, o.DB, o.ContextTimeoutEnabled, o.DisableIdentity, string(o.MaintNotificationsConfig.Mode)}
	}
	if diff := cmp.Diff(of(plain.(*redis.Client).Options()), of(rdb.(*redis.Client).Options())); diff != "" {
		t.Error(diff)
	}
}

func TestReasons(t *testing.T) {
	err := Usagef("all sentinels: %s", "WRONGPASS no\nWRONGPASS no\ndial tcp: refused")
	if got, want := reasons(err), "all sentinels: WRONGPASS no; dial tcp: refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
