package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/redis/go-redis/v9"
)

// sentinelSuffix makes a scheme one of sentinels, who know which Redis is the master now.
const sentinelSuffix = "+sentinel"

func isSentinel(scheme string) bool {
	return scheme == "redis"+sentinelSuffix || scheme == "rediss"+sentinelSuffix
}

// sentinelPort is where a sentinel listens, unless somebody says otherwise.
const sentinelPort = "26379"

// notForSentinels are options that redis.ParseFailoverURL has for what our URLs say elsewhere, and those that send commands to
// replicas.
var notForSentinels = []string{
	"master_name", "addr", "username", "password", "db", "route_by_latency", "route_randomly", "replica_only",
}

// sentinelOptions reads the URL of sentinels:
//
//	redis+sentinel://[user:password@]host[:port][,host[:port]…]/master-name[/db][?option=value&…]
//
// User and password are Redis's own. Those of the sentinels are the options sentinel_username and sentinel_password, the others
// are those of redis.ParseFailoverURL. With rediss+sentinel all connections are encrypted.
func sentinelOptions(u *url.URL) (*redis.FailoverOptions, error) {
	// go-redis has no such scheme, and its URL means the sentinels where it says user and password.
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil { // it quotes
		return nil, errors.New("its options cannot be read; in a password write % as %25, & as %26, ; as %3B, + as %2B")
	}
	for _, name := range notForSentinels {
		if query.Has(name) {
			return nil, fmt.Errorf("unexpected option: %s", name)
		}
	}
	master, db, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if master == "" {
		return nil, errors.New("it does not name the master")
	}
	query.Set("master_name", master)
	query.Set("username", u.User.Username())
	if password, ok := u.User.Password(); ok {
		query.Set("password", password)
	}
	secret := query.Has("sentinel_password")
	user := url.UserPassword(query.Get("sentinel_username"), query.Get("sentinel_password"))
	query.Del("sentinel_username")
	query.Del("sentinel_password")
	hosts, ok := hostsOf(u, sentinelPort)
	if !ok {
		return nil, errors.New("it does not name the sentinels")
	}
	query["addr"] = hosts[1:]
	translated := url.URL{
		Scheme: strings.TrimSuffix(u.Scheme, sentinelSuffix), User: user, Host: hosts[0], Path: "/" + db, RawQuery: query.Encode(),
	}
	options, err := redis.ParseFailoverURL(translated.String())
	var unreadable *url.Error
	switch {
	case errors.As(err, &unreadable): // it quotes all of the URL
		return nil, errors.New("it names a sentinel that is no host:port")
	case err != nil && secret: // what it quotes may be the rest of a password with a & in it
		return nil, errors.New("an option is unknown or has a bad value; in a password write & as %26")
	case err != nil:
		return nil, err
	}
	if options.TLSConfig != nil {
		options.TLSConfig.ServerName = "" // each server by its own name, and not all by the first one's
	}
	if options.DialerRetries == 0 {
		// A request is tried again, asks sentinels each time, and that is tried again, too. Five times, as is usual, at the bottom of
		// that makes half a minute.
		options.DialerRetries = 1
	}
	return options, nil
}
