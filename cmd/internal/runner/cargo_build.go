package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// cargoBuilt is what `cargo test --no-run` made.
type cargoBuilt struct{ binaries []cargoBinary }

// cargoBinary is a test binary. cargo runs it in folder, its package's.
type cargoBinary struct {
	target, path, folder string
	env                  []string
}

func (b cargoBuilt) find(target string) (cargoBinary, bool) {
	i := slices.IndexFunc(b.binaries, func(c cargoBinary) bool { return c.target == target })
	if i < 0 {
		return cargoBinary{}, false
	}
	return b.binaries[i], true
}

func (b cargoBuilt) targets() []string {
	var names []string
	for _, c := range b.binaries {
		names = append(names, c.target)
	}
	return names
}

// cargoBuild compiles the tests, once. The error has the compiler's text.
func (t *Tool) cargoBuild(ctx context.Context) (cargoBuilt, error) {
	return remember(t, func() (cargoBuilt, error) {
		args, _ := t.cargoArgs()
		words := slices.Concat(t.words, []string{"test", "--no-run", "--message-format=json-render-diagnostics"}, args)
		stdout, stderr, ended, err := output(ctx, process{Path: words[0], Args: words[1:]})
		switch {
		case err != nil:
			return cargoBuilt{}, err
		case ended.Code != 0:
			return cargoBuilt{}, fmt.Errorf("the tests do not compile: %s: %s\n%s", strings.Join(words, " "), ended, strings.TrimSpace(stderr))
		}
		sysroot, _, _, _ := output(ctx, process{Path: "rustc", Args: []string{"--print", "sysroot"}}) // without it, only tests of procedural macros fail
		return readCargoBuild(stdout, strings.TrimSpace(sysroot))
	})
}

// cargoMessage is a line of cargo's JSON output (doc.rust-lang.org/cargo/reference/external-tools.html).
type cargoMessage struct {
	Reason       string
	PackageID    string   `json:"package_id"`
	ManifestPath string   `json:"manifest_path"`
	LinkedPaths  []string `json:"linked_paths"`
	Executable   string
	Target       struct {
		Name string
		Kind []string
	}
	Profile struct{ Test bool }
}

func readCargoBuild(messages, sysroot string) (cargoBuilt, error) {
	var built cargoBuilt
	var libraries []string
	for line := range strings.Lines(messages) {
		var m cargoMessage
		if json.Unmarshal([]byte(line), &m) != nil {
			continue // what a build script printed
		}
		for _, linked := range m.LinkedPaths {
			libraries = append(libraries, linked[strings.IndexByte(linked, '=')+1:])
		}
		if m.Reason != "compiler-artifact" || m.Executable == "" || !m.Profile.Test || len(m.Target.Kind) == 0 {
			continue
		}
		name, version := cargoPackage(m.PackageID)
		target := name
		switch kind := m.Target.Kind[0]; kind {
		case "bin", "test", "example", "bench":
			target += "/" + kind + "/" + m.Target.Name
		}
		folder := filepath.Dir(m.ManifestPath)
		built.binaries = append(built.binaries, cargoBinary{target: target, path: m.Executable, folder: folder, env: []string{
			"CARGO_MANIFEST_DIR=" + folder, "CARGO_MANIFEST_PATH=" + m.ManifestPath, "CARGO_PKG_NAME=" + name, "CARGO_PKG_VERSION=" + version,
		}})
	}
	if len(built.binaries) == 0 {
		return built, errors.New("cargo test builds no tests here")
	}
	variable := "LD_LIBRARY_PATH"
	if runtime.GOOS == "darwin" {
		variable = "DYLD_FALLBACK_LIBRARY_PATH"
	}
	deps := filepath.Dir(built.binaries[0].path)
	libraries = append(libraries, deps, filepath.Dir(deps))
	if sysroot != "" {
		libraries = append(libraries, filepath.Join(sysroot, "lib"))
	}
	for i := range built.binaries {
		built.binaries[i].env = append(built.binaries[i].env, variable+"="+prependPath(strings.Join(libraries, ":"), variable))
	}
	return built, nil
}

// cargoPackage reads a package id: "path+file:///folder/name#0.1.0", "registry+https://…#name@1.0.0", and before Rust 1.77
// "name 0.1.0 (path+file:///folder)".
func cargoPackage(id string) (name, version string) {
	source, fragment, ok := strings.Cut(id, "#")
	if !ok {
		words := strings.Fields(id)
		if len(words) < 2 {
			return id, ""
		}
		return words[0], words[1]
	}
	if name, version, ok := strings.Cut(fragment, "@"); ok {
		return name, version
	}
	source, _, _ = strings.Cut(source, "?")
	name = path.Base(source)
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	return name, fragment
}

var cargoCount = regexp.MustCompile(`^\d+ tests?, \d+ benchmarks?$`)
