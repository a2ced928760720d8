package cli

import (
	"errors"
	"net/url"
	"strings"
)

// expectedURL are the forms of a Redis URL.
const expectedURL = "redis://[user:password@]host:port/db, rediss://… for TLS, unix:///path, or " +
	"redis+sentinel://[user:password@]host:port,host:port,…/master-name/db, rediss+sentinel://…, or for a Cluster " +
	"redis://[user:password@]host:port,host:port,…"

// Redact returns a Redis URL without its passwords, nor what might be one in a URL that is not as it should be.
func Redact(rawURL string) string {
	u, ok := parseURL(rawURL)
	if !ok {
		// A ? may belong to a password before the @, or begin options; one of these may be a password too.
		at := strings.LastIndex(rawURL, "@")
		if at < 0 || strings.Contains(rawURL[:at], "?") {
			return "(not a URL)"
		}
		host := rawURL[at+1:]
		if end := strings.IndexAny(host, "?#"); end >= 0 {
			host = host[:end]
		}
		return "…@" + host
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if _, ok := u.User.Password(); ok {
		shown.User = url.UserPassword(u.User.Username(), "xxxxx")
	} else if u.User != nil { // perhaps a password without its colon
		shown.User = url.User("xxxxx")
	}
	return shown.String()
}

// readURL parses a URL. Parsers quote parts of what they cannot read: that is kept only if no password can be in there.
func readURL(rawURL string) (*url.URL, error) {
	u, ok := parseURL(rawURL)
	switch {
	case ok:
		return u, nil
	case strings.Contains(rawURL, "@"):
		return nil, errors.New("it cannot be read; in a password write % as %25, / as %2F, ? as %3F, # as %23, @ as %40")
	}
	return nil, errors.New("it cannot be read")
}

// parseURL parses a URL; that of sentinels or a Cluster has several hosts. It is not ok if a password may stand elsewhere than
// before the @ of a host, but for the values of options.
func parseURL(rawURL string) (u *url.URL, ok bool) {
	withFirst, more := cutHosts(rawURL)
	u, err := url.Parse(withFirst)
	if err != nil || u.Scheme == "" || u.Opaque != "" || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
		return nil, false
	}
	for _, host := range more {
		if alone, err := url.Parse("redis://" + host); err != nil || alone.Host == "" {
			return nil, false
		}
		u.Host += "," + host
	}
	return u, true
}

// cutHosts takes the hosts but for the first out of a URL: url.Parse knows no lists.
func cutHosts(rawURL string) (withFirst string, more []string) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok || strings.EqualFold(scheme, "unix") {
		return rawURL, nil
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	user := rest[:strings.LastIndex(rest[:end], "@")+1]
	hosts := strings.Split(rest[len(user):end], ",")
	return scheme + "://" + user + hosts[0] + rest[end:], hosts[1:]
}
