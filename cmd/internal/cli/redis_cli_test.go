package cli

import "testing"

func TestRedisCLI(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://localhost:6390":          "redis-cli -h localhost -p 6390",
		"redis://localhost/0":             "redis-cli -h localhost -p 6379",
		"redis://[::1]:6380/3":            "redis-cli -h ::1 -p 6380 -n 3",
		"rediss://u:hunter2@h:1":          "redis-cli -h h -p 1 --tls --user u # export REDISCLI_AUTH=<the password> first",
		"redis://:hunter2@h:1":            "redis-cli -h h -p 1 # export REDISCLI_AUTH=<the password> first",
		"redis://hunter2@h:1":             "redis-cli -h h -p 1",
		"unix:///run/my redis.sock?db=2":  "redis-cli -s '/run/my redis.sock' -n 2",
		"unix://u:hunter2@/run/r.sock":    "redis-cli -s /run/r.sock --user u # export REDISCLI_AUTH=<the password> first",
		"redis+sentinel://a:1,b:2/main/4": "redis-cli -h HOST -p PORT -n 4 # `redis-cli -h a -p 1 SENTINEL GET-MASTER-ADDR-BY-NAME main` tells HOST and PORT",
		"rediss+sentinel://a/main":        "redis-cli -h HOST -p PORT --tls # `redis-cli -h a -p 26379 SENTINEL GET-MASTER-ADDR-BY-NAME main` tells HOST and PORT",
		"redis://h:1$(id)":                "redis-cli",
		"nonsense":                        "redis-cli",
	} {
		command, note := RedisCLI(url)
		if note != "" {
			command += " # " + note
		}
		if command != want {
			t.Errorf("%s:\n got %s\nwant %s", url, command, want)
		}
	}
}
