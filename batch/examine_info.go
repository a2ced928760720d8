package batch

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// serverInfo is what a server tells of itself, by name.
type serverInfo map[string]string

// readHello reads what HELLO tells, as it does everybody.
func readHello(ctx context.Context, rdb redis.UniversalClient) (serverInfo, error) {
	cmd := redis.NewMapStringInterfaceCmd(ctx, "hello")
	if err := rdb.Process(ctx, cmd); err != nil {
		return nil, err
	}
	told := serverInfo{}
	for name, value := range cmd.Val() {
		told[name] = fmt.Sprint(value)
	}
	return told, nil
}

// readInfo reads a section of INFO, or the usual ones. Not everybody may, and it is no part of Rights.
func readInfo(ctx context.Context, rdb redis.UniversalClient, section string) (serverInfo, error) {
	var sections []string
	if section != "" {
		sections = append(sections, section)
	}
	text, err := rdb.Info(ctx, sections...).Result()
	if err != nil {
		return nil, err
	}
	told := serverInfo{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			told[name] = value
		}
	}
	return told, nil
}

func (i serverInfo) number(name string) int64 {
	n, _ := strconv.ParseInt(i[name], 10, 64)
	return n
}

// noEviction is the maxmemory-policy that a run needs.
const noEviction = "noeviction"

// eviction judges what a server does when its memory is full: a run loses keys if it makes room. What it loses is noticed, and tests run
// again for it.
func (i serverInfo) eviction() (Level, string) {
	const change = "set it to noeviction (CONFIG SET maxmemory-policy noeviction, or in the provider's settings)"
	policy, limit := i["maxmemory_policy"], i.number("maxmemory")
	switch {
	case policy == noEviction || policy == "": // a server that knows no policies drops nothing
		return Fine, "maxmemory-policy is noeviction"
	case limit == 0:
		return Doubtful, "maxmemory-policy is " + policy + ", which drops data of runs as soon as there is a maxmemory: " + change
	}
	return Doubtful, fmt.Sprintf("maxmemory-policy is %s: when its %d MiB are full Redis drops data of runs; %s", policy, limit/mebibyte, change)
}

// EvictionWarning returns what is to be said when a run is opened on a server that may drop data to make room, in a line; else, and where
// the server does not tell, nothing.
func EvictionWarning(ctx context.Context, rdb redis.UniversalClient) string {
	told, err := readInfo(ctx, rdb, "memory")
	if err != nil || told.number("maxmemory") == 0 {
		return ""
	}
	if level, text := told.eviction(); level != Fine {
		return text
	}
	return ""
}

func (e examination) untold(context.Context) (Level, string, error) {
	return Doubtful, "INFO is refused to this user: see that maxmemory-policy is noeviction, and that 128 MiB are free", nil
}

func (e examination) eviction(context.Context) (Level, string, error) {
	level, text := e.info.eviction()
	return level, text, nil
}

func (e examination) memory(context.Context) (Level, string, error) {
	used, limit := e.info.number("used_memory"), e.info.number("maxmemory")
	text := fmt.Sprintf("%d MiB of %d MiB (maxmemory) are used", used/mebibyte, limit/mebibyte)
	switch {
	case limit == 0:
		return Fine, fmt.Sprintf("%d MiB are used, there is no maxmemory", used/mebibyte), nil
	case used >= limit && e.info["maxmemory_policy"] == noEviction:
		return Failing, text + ", so that no write is accepted: make it larger, or remove data", nil
	case limit-used < headroom:
		return Doubtful, text + ": a large run takes 128 MiB; make it larger, or remove data", nil
	}
	return Fine, text, nil
}

func (e examination) persistence(context.Context) (Level, string, error) {
	switch {
	case e.info["rdb_last_bgsave_status"] == "err" || e.info["aof_last_write_status"] == "err":
		return Doubtful, "Redis could not write its data to disk, and may refuse writes for that (MISCONF): see its log and its disk", nil
	case e.info["aof_enabled"] == "1":
		return Fine, "the append-only file is on: a restart keeps runs", nil
	}
	return Fine, "the append-only file is off: after a restart the controller brings a run back, if it holds the list", nil
}
