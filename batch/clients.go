package batch

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// clientName is the name of all connections of a client; empty for none.
func clientName(rdb redis.UniversalClient) string {
	switch c := rdb.(type) {
	case *redis.Client:
		return c.Options().ClientName
	case *redis.ClusterClient:
		return c.Options().ClientName
	}
	return ""
}

// Clients are the connections to a server.
type Clients struct {
	// Own are the ids of the caller's. The server gives each connection an id of its own, until it is started again.
	Own map[string]bool
	// Names of all connections that have one.
	Names map[string]bool
}

// Clients returns who is connected to the server, as CLIENT LIST tells. Not all servers do, nor tell everybody.
func (q *Queue) Clients(ctx context.Context) (Clients, error) {
	node, err := q.keys.node(ctx, q.rdb)
	if err != nil {
		return Clients{}, err
	}
	text, err := node.ClientList(ctx).Result()
	if err != nil {
		return Clients{}, err
	}
	c := Clients{Own: map[string]bool{}, Names: map[string]bool{}}
	own := clientName(node)
	for line := range strings.Lines(text) {
		var id, name string
		for _, field := range strings.Fields(line) {
			if value, ok := strings.CutPrefix(field, "id="); ok {
				id = value
			} else if value, ok := strings.CutPrefix(field, "name="); ok {
				name = value
			}
		}
		if name == "" {
			continue
		}
		c.Names[name] = true
		if name == own {
			c.Own[id] = true
		}
	}
	return c, nil
}
