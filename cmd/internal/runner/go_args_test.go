package runner

import (
	"slices"
	"strings"
	"testing"
)

func TestParseGoArgs(t *testing.T) {
	for _, test := range []struct{ args, list, test, overlay string }{
		{"", "", "", ""},
		{"-race -short", "-race", "-short", ""},
		{"-tags x,y -v --mod=mod -vet off -p 2", "-tags x,y --mod=mod", "-vet off -p 2", ""},
		{"-test.short --test.parallel 3 -test.v=true", "", "-test.short --test.parallel 3", ""},
		{"-update -config a.json -race b", "-race", "", ""},
		{"-update -config a.json -tags q", "-tags q", "-update -config a.json", ""},
		{"-short -args -run x -race", "", "-short -args -run x -race", ""},
		{"-- -run x", "", "-- -run x", ""},
		{"-overlay o.json -count=1 -count 1 -cpu 4", "-overlay o.json", "-count=1 -count 1 -cpu 4", "o.json"},
		{"-cover -covermode atomic -ldflags=-s=1", "", "-cover -covermode atomic -ldflags=-s=1", ""},
	} {
		got, err := parseGoArgs(strings.Fields(test.args))
		if strings.HasSuffix(test.args, " b") {
			if err == nil || !strings.Contains(err.Error(), `"b"`) {
				t.Errorf("%q: error %v, want one about the stray word", test.args, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", test.args, err)
			continue
		}
		if list, other := strings.Join(got.list, " "), strings.Join(got.test, " "); list != test.list || other != test.test || got.overlay != test.overlay {
			t.Errorf("%q: list %q, test %q, overlay %q; want %q, %q, %q", test.args, list, other, got.overlay, test.list, test.test, test.overlay)
		}
	}
}

func TestParseGoArgsRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"-run X":           "--tests",
		"--run=X":          "--tests",
		"-test.run X":      "--tests",
		"-skip X":          "--tests",
		"-list .":          "shardctl list",
		"-fuzz F":          "go test itself",
		"-bench .":         "go test itself",
		"-json":            "--events",
		"-exec x":          "-exec",
		"-c":               "compiled",
		"-o x":             "temporary",
		"-timeout 3s":      "--test-timeout",
		"-failfast":        "--fail-fast",
		"-coverprofile=c":  "covdata",
		"-cpuprofile c":    "several processes",
		"-C x":             "folder",
		"-count 2":         "--retries",
		"-count=0":         "--retries",
		"-cpu 1,2":         "one run for each",
		"-tags":            "needs a value",
		"./...":            `before "--"`,
		"-":                "not a flag",
		"-short ./x -race": `before "--"`,
	} {
		if _, err := parseGoArgs(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", args, err, want)
		}
	}
}

func TestGoBinaryArgs(t *testing.T) {
	got := goBinaryArgs(strings.Fields("-test.paniconexit0 -test.gocoverdir=/w/b001/gocoverdir -test.v=test2json -test.timeout=10m0s "+
		"-test.count=1 -test.short=true -test.gocoverdir=/mine -custom -test.run=X"), "/w/b001")
	want := strings.Fields("-test.short=true -test.gocoverdir=/mine -custom -test.run=X")
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
