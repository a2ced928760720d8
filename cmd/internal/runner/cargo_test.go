package runner

import (
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCargoStream(t *testing.T) {
	const begin, passed, failed, ignored = "\nrunning 1 test\n", "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s\n",
		"test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s\n", "test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out\n"
	for name, c := range map[string]struct {
		id, missing, text string
		e                 exit
		want              []string
	}{
		"passed":                {text: begin + failed + "no line end" + passed, want: []string{"start p::m::a", "finish p::m::a passed | a passed", "end"}},
		"ignored":               {text: begin + "test m::a ... ignored, why\n" + ignored, want: []string{"start p::m::a", `finish p::m::a skipped "why" | a skipped "why"`, "end"}},
		"panic":                 {text: begin + "test m::a ... printed thread 'm::a' (12) panicked at src/a b.rs:5:9:\nleft == right\nthread 'x' panicked at y.rs:1:1:\nother\n" + failed, e: exit{Code: 101}, want: []string{"start p::m::a", `finish p::m::a failed "left == right" src/a b.rs:5 | a failed "left == right" src/a b.rs:5`, "end"}},
		"old panic":             {text: begin + "thread 'm::a' panicked at 'it's no', src/a.rs:5:9\n" + failed, e: exit{Code: 101}, want: []string{"start p::m::a", `finish p::m::a failed "it's no" src/a.rs:5 | a failed "it's no" src/a.rs:5`, "end"}},
		"no panic":              {text: begin + "note: test did not panic as expected at src/a.rs:5:9\n" + failed, e: exit{Code: 101}, want: []string{"start p::m::a", `finish p::m::a failed "test did not panic as expected" src/a.rs:5 | a failed "test did not panic as expected" src/a.rs:5`, "end"}},
		"exits with 0":          {text: begin, want: []string{"start p::m::a"}},
		"pretends and exits":    {text: begin + passed, e: exit{Code: 3}, want: []string{"start p::m::a"}},
		"is killed":             {text: begin, e: exit{Code: -1, Signal: syscall.SIGKILL}, want: []string{"start p::m::a"}},
		"is not there":          {text: "\nrunning 0 tests\n" + strings.Replace(passed, "1 passed", "0 passed", 1), want: []string{"end"}},
		"no such target":        {missing: "no target", want: []string{"start p::m::a", `finish p::m::a failed "no target" | a failed "no target"`, "end"}},
		"a harness of its own":  {id: "p/test/t", text: "hello\n", want: []string{"start p/test/t", "finish p/test/t passed | p/test/t passed", "end"}},
		"which says nothing":    {id: "p/test/t", want: []string{"start p/test/t", "finish p/test/t passed | p/test/t passed", "end"}},
		"a harness that failed": {id: "p/test/t", text: "boom\n", e: exit{Code: 2}, want: []string{"start p/test/t", `finish p/test/t failed "exit status 2: boom" | p/test/t failed "exit status 2: boom"`, "end"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.id == "" {
				c.id = "p::m::a"
			}
			s := &cargoStream{id: c.id, missing: c.missing}
			s.target, s.name = cargoID(c.id)
			checkTold(t, append(heard(s, c.text), sayMessages(s.end(c.e, c.text))...), c.want...)
		})
	}
}

func TestCargoListed(t *testing.T) {
	names, ok := cargoListed("m::a: test\nm::b: benchmark\nc: d: test\n\n2 tests, 1 benchmark\n")
	if diff := cmp.Diff([]string{"::m::a", "::c: d"}, names); diff != "" || !ok {
		t.Errorf("%v, -want +got\n%s", ok, diff)
	}
	if names, ok := cargoListed("0 tests, 0 benchmarks\n"); !ok || names != nil {
		t.Errorf("no tests: %v %v", names, ok)
	}
	if _, ok := cargoListed("usage: x\n"); ok {
		t.Error("a harness of its own is taken for libtest")
	}
}

func TestReadCargoBuild(t *testing.T) {
	text := `{"reason":"build-script-executed","linked_paths":["native=/t/out"]}
a build script's line
{"reason":"compiler-artifact","package_id":"path+file:///w/p#0.1.0","manifest_path":"/w/p/Cargo.toml","target":{"name":"p","kind":["lib"]},"profile":{"test":true},"executable":"/t/debug/deps/p-1"}
{"reason":"compiler-artifact","package_id":"path+file:///w/p#q@0.2.0","manifest_path":"/w/q/Cargo.toml","target":{"name":"i","kind":["test"]},"profile":{"test":true},"executable":"/t/debug/deps/i-1"}
{"reason":"compiler-artifact","package_id":"p 0.1.0 (path+file:///w/p)","manifest_path":"/w/p/Cargo.toml","target":{"name":"p","kind":["bin"]},"profile":{"test":false},"executable":"/t/debug/p"}
`
	built, err := readCargoBuild(text, "/rust")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"p", "q/test/i"}, built.targets()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if b, ok := built.find("q/test/i"); !ok || b.folder != "/w/q" || b.path != "/t/debug/deps/i-1" || !strings.Contains(strings.Join(b.env, " "), "PATH=/t/out:/t/debug/deps:/t/debug:/rust/lib") {
		t.Errorf("%+v", b)
	}
	if _, err := readCargoBuild("", ""); err == nil {
		t.Error("nothing built is no error")
	}
	if name, version := cargoPackage("p 0.1.0 (path+file:///w/p)"); name != "p" || version != "0.1.0" {
		t.Errorf("%s %s", name, version)
	}
}
