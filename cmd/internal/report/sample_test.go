package report

import (
	"os"
	"slices"
	"testing"

	"github.com/shardctl/shardctl/batch"
)

func sortByTime(events []batch.Event) {
	slices.SortStableFunc(events, func(a, b batch.Event) int { return a.Time.Compare(b.Time) })
}

func TestSample(t *testing.T) {
	for file, j := range map[string]journal{"/tmp/h8/small.html": large(400, 6), "/tmp/h8/large.html": large(100000, 64), "/tmp/h8/crash.html": readJournal(t, "testdata/04-crash.journal"),
		"/tmp/h8/inj.html": readJournal(t, "testdata/14-injection.journal")} {
		f, _ := os.Create(file)
		v := Judge(j.history(), j.ending)
		if err := WriteHTML(f, v, HTMLOptions{Reproduce: func(id string) string { return "go test -run '^" + id + "$'" }, Tool: "shardctl v0.9.0"}); err != nil {
			t.Fatal(err)
		}
		f.Close()
		t.Log(v.Sentence())
	}
}
