package cli

import (
	"fmt"
	"net"
	"strings"
)

// RedisCLI returns how a person starts redis-cli on the Redis at a URL, and what has to be said of it, empty for nothing. Passwords are in
// neither: redis-cli takes one from REDISCLI_AUTH.
func RedisCLI(rawURL string) (command, note string) {
	command = "redis-cli"
	u, ok := parseURL(rawURL)
	if !ok {
		return command, ""
	}
	add := func(format string, args ...any) { command += " " + fmt.Sprintf(format, args...) }
	var notes []string
	database := strings.Trim(u.Path, "/")
	switch {
	case u.Scheme == "unix":
		add("-s %s", quoteWord(u.Path))
		database = u.Query().Get("db")
	case isSentinel(u.Scheme):
		first, _, _ := strings.Cut(u.Host, ",")
		host, port, err := net.SplitHostPort(first)
		if err != nil {
			host, port = first, sentinelPort
		}
		var master string
		master, database, _ = strings.Cut(database, "/")
		add("-h HOST -p PORT")
		notes = append(notes, fmt.Sprintf("`redis-cli -h %s -p %s SENTINEL GET-MASTER-ADDR-BY-NAME %s` tells HOST and PORT",
			quoteWord(host), quoteWord(port), quoteWord(master)))
	default:
		first, _, several := strings.Cut(u.Host, ",")
		if several {
			add("-c")
		}
		host, port, err := net.SplitHostPort(first)
		if err != nil {
			host, port = strings.Trim(first, "[]"), redisPort
		}
		add("-h %s -p %s", quoteWord(host), quoteWord(port))
	}
	if strings.HasPrefix(u.Scheme, "rediss") {
		add("--tls")
	}
	if database != "" && database != "0" {
		add("-n %s", quoteWord(database))
	}
	if password, ok := u.User.Password(); ok && password != "" {
		if user := u.User.Username(); user != "" {
			add("--user %s", quoteWord(user))
		}
		notes = append(notes, "export REDISCLI_AUTH=<the password> first")
	}
	return command, strings.Join(notes, "; ")
}

// quoteWord makes one word for a shell of a text.
func quoteWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:/-", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
