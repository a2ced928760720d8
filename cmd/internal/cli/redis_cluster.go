package cli

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/redis/go-redis/v9"
)

// redisPort is where Redis listens, unless somebody says otherwise.
const redisPort = "6379"

// isCluster tells whether a URL means a Cluster: it names several servers, of which any may answer for all.
func isCluster(u *url.URL) bool { return strings.Contains(u.Host, ",") && !isSentinel(u.Scheme) }

// hostsOf returns the hosts of a URL with their ports, or not ok if one has no name.
func hostsOf(u *url.URL, port string) (hosts []string, ok bool) {
	for one := range strings.SplitSeq(u.Host, ",") {
		host := url.URL{Host: one}
		if host.Hostname() == "" {
			return nil, false
		}
		if own := host.Port(); own != "" {
			hosts = append(hosts, net.JoinHostPort(host.Hostname(), own))
		} else {
			hosts = append(hosts, net.JoinHostPort(host.Hostname(), port))
		}
	}
	return hosts, true
}

// notForClusters are options that redis.ParseClusterURL has for what our URLs say elsewhere, and those that send commands to replicas.
var notForClusters = []string{"addr", "route_by_latency", "route_randomly", "read_only"}

// clusterOptions reads the URL of a Cluster: some of its servers, which tell of the others.
//
//	redis://[user:password@]host[:port],host[:port][,…][?option=value&…]
//
// The options are those of redis.ParseClusterURL. With rediss all connections are encrypted.
func clusterOptions(u *url.URL) (*redis.ClusterOptions, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil { // it quotes
		return nil, errors.New("its options cannot be read")
	}
	for _, name := range notForClusters {
		if query.Has(name) {
			return nil, fmt.Errorf("unexpected option: %s", name)
		}
	}
	if database := strings.Trim(u.Path, "/"); database != "" && database != "0" {
		return nil, fmt.Errorf("a Cluster has no database %q, only 0", database)
	}
	hosts, ok := hostsOf(u, redisPort)
	if !ok {
		return nil, errors.New("it does not name the servers of the Cluster")
	}
	query["addr"] = hosts[1:]
	translated := url.URL{Scheme: u.Scheme, User: u.User, Host: hosts[0], RawQuery: query.Encode()}
	options, err := redis.ParseClusterURL(translated.String())
	var unreadable *url.Error
	switch {
	case errors.As(err, &unreadable): // it quotes all of the URL
		return nil, errors.New("it names a server that is no host:port")
	case err != nil:
		return nil, err
	}
	if options.TLSConfig != nil {
		options.TLSConfig.ServerName = "" // each server by its own name, and not all by the first one's
	}
	return options, nil
}
