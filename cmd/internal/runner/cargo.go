package runner

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// cargo's unit is TARGET::path::to::test, where TARGET is the package for its library, and package/bin/name, package/test/name
// and so on for others. Each test gets a process of its own, which takes a few milliseconds, as under cargo-nextest: libtest
// says what failed only when all is over, and among what the tests print. Patterns are parts of names; options before a
// second -- are cargo's, those behind it libtest's. A target with a harness of its own is one unit. Doctests are not run.
var cargo = preset{
	name:      "cargo",
	recognise: func(dir string) string { return exists(dir, "Cargo.toml") },
	units:     []string{unitTest},
	hollow:    []string{"--no-run", "--list", "--doc"},
	command: func(string) ([]string, error) {
		if _, err := exec.LookPath("cargo"); err != nil {
			return nil, errors.New("cargo is not in PATH; see https://rustup.rs")
		}
		return []string{"cargo"}, nil
	},
	list: func(ctx context.Context, t *Tool, patterns []string) ([]batch.Test, error) {
		build, err := t.cargoBuild(ctx)
		if err != nil {
			return nil, err
		}
		var tests []batch.Test
		for _, binary := range build.binaries {
			names, err := t.cargoNames(ctx, binary, patterns)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				tests = append(tests, batch.Test{ID: binary.target + name})
			}
		}
		return tests, nil
	},
	ready: func(ctx context.Context, t *Tool) error {
		_, err := t.cargoBuild(ctx)
		return err
	},
	parts: func(ids []string) [][]string { return sizedParts(ids, 1, func(string) int { return 1 }) },
	start: func(t *Tool, in invocation) (toolProcess, error) {
		build, err := t.cargoBuild(context.Background()) // ready did it
		if err != nil {
			return toolProcess{}, err
		}
		target, name := cargoID(in.ids[0])
		stream := &cargoStream{id: in.ids[0], target: target, name: name}
		binary, ok := build.find(target)
		if !ok {
			stream.missing = fmt.Sprintf("cargo test builds no target %s here, but %s", target, strings.Join(build.targets(), ", "))
			return toolProcess{process: process{Path: "true"}, ended: stream.end}, nil
		}
		_, own := t.cargoArgs()
		args := slices.Clone(own)
		if name != "" {
			args = slices.Concat([]string{"--exact", name, "--nocapture", "--test-threads=1", "--test"}, own) // --test: its --bench takes all tests for ignored
		}
		return toolProcess{process: process{Path: binary.path, Args: args, Dir: binary.folder, Env: binary.env},
			stdout: stream.line, both: true, ended: stream.end}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		args, own := t.cargoArgs()
		target, name := cargoID(id)
		words := slices.Concat(t.words, []string{"test"}, args, cargoSelect(target), []string{"--"}, own)
		if name != "" {
			words = append(words, "--exact", name)
		}
		return words
	},
}

// cargoID splits a unit into its target and its name.
func cargoID(id string) (target, name string) {
	target, name, _ = strings.Cut(id, "::")
	return target, name
}

// cargoSelect are cargo's options for one target.
func cargoSelect(target string) []string {
	parts := strings.Split(target, "/")
	if len(parts) == 3 {
		return []string{"--package", parts[0], "--" + parts[1], parts[2]}
	}
	return []string{"--package", parts[0], "--lib"}
}

// cargoArgs are the options for cargo and those for the tests.
func (t *Tool) cargoArgs() (cargo, tests []string) {
	if i := slices.Index(t.o.Args, "--"); i >= 0 {
		return t.o.Args[:i], t.o.Args[i+1:]
	}
	return t.o.Args, nil
}

// cargoNames are the tests of a binary, as they stand in a unit behind the target. One name that is empty stands for a binary
// that does not speak as libtest does: it has a harness of its own, and is a test as a whole.
func (t *Tool) cargoNames(ctx context.Context, b cargoBinary, patterns []string) ([]string, error) {
	_, own := t.cargoArgs()
	words := slices.Concat([]string{b.path, "--list"}, own, patterns)
	stdout, _, ended, err := output(ctx, process{Path: words[0], Args: words[1:], Dir: b.folder, Env: b.env})
	if err != nil {
		return nil, err
	}
	names, ok := cargoListed(stdout)
	if ended.Code != 0 || !ok {
		return []string{""}, nil
	}
	return names, nil
}

// cargoListed reads what libtest prints with --list: "path::name: test" and in the end "2 tests, 0 benchmarks".
func cargoListed(list string) (names []string, ok bool) {
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\r\n")
		if name, is := strings.CutSuffix(line, ": test"); is {
			names = append(names, "::"+name)
		}
		ok = cargoCount.MatchString(line)
	}
	return names, ok
}
