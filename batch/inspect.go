package batch

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// KeyKind says what the keys of one name, or of one form of name, are.
type KeyKind struct {
	// Name of the key. Where there is one for each worker or gate, anyID stands for which.
	Name string
	// Type as Redis's TYPE has it: list, set, hash or stream.
	Type string
	// Holds says what is in it, for people.
	Holds string
	// request is the command that shows some of it, with keyWord for the name.
	request string
}

const (
	anyID   = "<id>"
	keyWord = "KEY"
)

// What shows a key of a type: of what may be long the beginning, of a stream the end.
const (
	showList   = "LRANGE KEY 0 9"
	showSet    = "SMEMBERS KEY"
	showHash   = "HGETALL KEY"
	showLong   = "HSCAN KEY 0 COUNT 10"
	showStream = "XREVRANGE KEY + - COUNT 5"
)

// Kinds are all that Redis may hold of a run, those of one form before those that also fit a wider one.
func (k Keys) Kinds() []KeyKind {
	return []KeyKind{
		{k.Queue(), "list", "tests that wait for any worker, longest first", showList},
		{k.Requeue(), "list", "tests that wait to run alone, after what they were in did not end well", showList},
		{k.GateRequeue(anyID), "list", "tests behind one gate that wait to run alone", showList},
		{k.GateQueue(anyID), "list", "tests that wait behind one gate", showList},
		{k.Gates(), "hash", "the gates, by their hash", showHash},
		{k.Worker(anyID), "set", "tests that this worker holds now", showSet},
		{k.Workers(), "hash", "the workers that joined and have not left: beat, batch, running tests", showHash},
		{k.Control(), "set", "markers: sealed (the list is complete), and done or aborted", showSet},
		{k.Run(), "hash", "the run's own facts: birth, epoch, manifest, total, options", showHash},
		{k.Tests(), "hash", "every test of the list, and its spec", showLong},
		{k.Expected(), "hash", "how many microseconds a test is expected to take, where that is known", showLong},
		{k.Tries(), "hash", "what became of a test's claims, and who ran it last", showLong},
		{k.Results(), "hash", "the final status of each test that has one", showLong},
		{k.Events(), "stream", "the journal: all that happened, and the source of every report", showStream},
		{k.Wake(), "stream", "one entry, which moves when waiting workers should look again", showStream},
		{k.Leader(), "hash", "who leads the workers that were started with --elect", showHash},
	}
}

// Kind returns what the key of a name is, if it is one of this run's.
func (k Keys) Kind(name string) (KeyKind, bool) {
	for _, kind := range k.Kinds() {
		before, after, form := strings.Cut(kind.Name, anyID)
		if name == kind.Name || form && len(name) > len(before+after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			return kind, true
		}
	}
	return KeyKind{}, false
}

// Show returns the words after redis-cli that show what a key of this kind holds, quoted for a shell. The characters that a run
// id and a worker's id may have need no more than quotes.
func (k KeyKind) Show(name string) string {
	return strings.ReplaceAll(k.request, keyWord, "'"+name+"'")
}

// StoredKey is one key of a run, as Redis holds it.
type StoredKey struct {
	Name string
	Kind KeyKind
	// Size is how many elements it has.
	Size int
	// Err is why its size is not known: it is of another type than it should be, or the user may not look.
	Err error
}

// ReadKeys finds the keys of a run by SCAN, and returns them in the order of Keys.Kinds, then of their names. It changes nothing.
func ReadKeys(ctx context.Context, rdb redis.UniversalClient, runID string) ([]StoredKey, error) {
	keys, err := NewKeys(runID)
	if err != nil {
		return nil, err
	}
	names, err := keys.find(ctx, rdb, keys.Pattern())
	if err != nil {
		return nil, err
	}
	kinds := keys.Kinds()
	found := make([]StoredKey, len(names))
	for i, name := range names {
		kind, _ := keys.Kind(name)
		found[i] = StoredKey{Name: name, Kind: kind}
	}
	slices.SortFunc(found, func(a, b StoredKey) int {
		if place := slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind); place != 0 {
			return place
		}
		return strings.Compare(a.Name, b.Name)
	})
	for chunk := range slices.Chunk(found, 500) {
		if err := readSizes(ctx, rdb, chunk); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func readSizes(ctx context.Context, rdb redis.UniversalClient, keys []StoredKey) error {
	pipe := rdb.Pipeline()
	sizes := make([]*redis.IntCmd, len(keys))
	for i, key := range keys {
		switch key.Kind.Type {
		case "list":
			sizes[i] = pipe.LLen(ctx, key.Name)
		case "set":
			sizes[i] = pipe.SCard(ctx, key.Name)
		case "hash":
			sizes[i] = pipe.HLen(ctx, key.Name)
		case "stream":
			sizes[i] = pipe.XLen(ctx, key.Name)
		}
	}
	if pipe.Len() == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	var reply redis.Error
	if err != nil && !errors.As(err, &reply) {
		return err
	}
	for i, size := range sizes {
		if size == nil {
			keys[i].Err = errors.New("no version of this program that this one knows has such a key")
			continue
		}
		keys[i].Size, keys[i].Err = int(size.Val()), size.Err()
	}
	return nil
}

// find returns the names that fit a pattern within the keys of this run, sorted, each once: SCAN may tell one twice.
func (k Keys) find(ctx context.Context, rdb redis.UniversalClient, pattern string) ([]string, error) {
	node, err := k.node(ctx, rdb)
	if err != nil {
		return nil, err
	}
	return scanNames(ctx, node, pattern)
}

func scanNames(ctx context.Context, node redis.Cmdable, pattern string) ([]string, error) {
	var names []string
	iter := node.Scan(ctx, 0, pattern, 1000).Iterator()
	for iter.Next(ctx) {
		names = append(names, iter.Val())
	}
	slices.Sort(names)
	return slices.Compact(names), iter.Err()
}

// node is the server that holds all keys of the run: SCAN and CLIENT LIST are answered by one server of a Cluster for itself.
func (k Keys) node(ctx context.Context, rdb redis.UniversalClient) (redis.UniversalClient, error) {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, k.Queue())
	}
	return rdb, nil
}

// Runs returns the ids of the runs that Redis holds, sorted.
func Runs(ctx context.Context, rdb redis.UniversalClient) ([]string, error) {
	var ids []string
	collect := func(ctx context.Context, node redis.Cmdable) error {
		prefix, suffix, _ := strings.Cut(Keys{queue: AllRuns}.Run(), "*")
		names, err := scanNames(ctx, node, AllRuns+suffix)
		for _, name := range names {
			if id := strings.TrimSuffix(strings.TrimPrefix(name, prefix), "}"+suffix); validRunID.MatchString(id) {
				ids = append(ids, id)
			}
		}
		return err
	}
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		if err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return collect(ctx, node) }); err != nil {
			return nil, err
		}
	} else if err := collect(ctx, rdb); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	return ids, nil
}

// Recent returns the last entries of the journal, in order: at most most of them.
func (q *Queue) Recent(ctx context.Context, most int) ([]Event, error) {
	entries, err := q.rdb.XRevRangeN(ctx, q.keys.Events(), "+", "-", int64(most)).Result()
	if err != nil {
		return nil, err
	}
	slices.Reverse(entries)
	events := make([]Event, len(entries))
	for i, entry := range entries {
		if events[i], err = parseEvent(entry); err != nil {
			return nil, err
		}
	}
	return events, nil
}
