package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shardctl/shardctl/batch"
)

// goPackageUnit is the name of the one unit of a package that has test files but no test to list (only a TestMain, or
// benchmarks), or whose files cannot be read: running it compiles the package and runs its binary without any test, which
// is what `go test` does with it and where it may fail.
const goPackageUnit = "[package]"

// goListed is what `go list -json` says of a package; see `go help list`.
type goListed struct {
	Dir          string
	ImportPath   string
	TestGoFiles  []string
	XTestGoFiles []string
	Error        *struct{ Err string }
}

// List returns the tests of the packages that patterns match ("./...", "fmt"; see `go help packages`; none: the package in
// the folder), in the order of the packages and of the source. Nothing is compiled: the test files are parsed with the
// rules of cmd/go/internal/load, which generates the main function of test binaries.
//
// A package without test files has no unit. A package that cannot be listed has the unit "[package]", so that it fails as
// it fails under `go test`. A pattern that matches nothing is an error, and so is a package that does not exist.
func (g *Go) List(ctx context.Context, patterns []string) ([]batch.Test, error) {
	packages, err := g.packages(ctx, patterns)
	if err != nil {
		return nil, err
	}
	replace, err := readOverlay(g.dir, g.args.overlay)
	if err != nil {
		return nil, err
	}
	var tests []batch.Test
	seen := map[string]bool{}
	for _, p := range packages {
		if seen[p.ImportPath] {
			continue
		}
		seen[p.ImportPath] = true
		for _, name := range p.units(replace) {
			tests = append(tests, batch.Test{ID: goID(p.ImportPath, name)})
		}
	}
	return tests, nil
}

// packages runs `go list`.
func (g *Go) packages(ctx context.Context, patterns []string) ([]goListed, error) {
	for _, p := range patterns {
		if strings.HasSuffix(p, ".go") {
			return nil, fmt.Errorf("go: %q is a file; name its package instead, such as ./%s", p, filepath.ToSlash(filepath.Dir(p)))
		}
	}
	args := append([]string{"list", "-e", "-json=Dir,ImportPath,TestGoFiles,XTestGoFiles,Error"}, g.args.list...)
	var stdout, stderr bytes.Buffer
	ended, err := g.command(append(append(args, "--"), patterns...), &stdout, &stderr).run(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	if ended.Code != 0 {
		return nil, fmt.Errorf("go list: %s\n%s", ended, bytes.TrimSpace(stderr.Bytes()))
	}
	for line := range strings.Lines(stderr.String()) {
		if strings.Contains(line, "matched no packages") {
			return nil, fmt.Errorf("%s; check the pattern and the folder (%s) that it is relative to",
				strings.TrimPrefix(strings.TrimSpace(line), "go: warning: "), g.dir)
		}
	}
	var packages []goListed
	for decoder := json.NewDecoder(&stdout); ; {
		var p goListed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: its output is not understood: %w", err)
		}
		if p.Error != nil && p.Dir == "" {
			return nil, fmt.Errorf("go list: package %s: %s", p.ImportPath, p.Error.Err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		return nil, fmt.Errorf("go list: no packages in %s match %q; name some, such as ./...", g.dir, patterns)
	}
	return packages, nil
}

// units returns the names of the package's units.
func (p goListed) units(replace map[string]string) []string {
	if p.Error != nil {
		return []string{goPackageUnit}
	}
	if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
		return nil
	}
	var found goTestFuncs
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		file := filepath.Join(p.Dir, name)
		if replaced, ok := replace[file]; ok {
			file = replaced
		}
		if err := found.parse(file); err != nil {
			return []string{goPackageUnit} // go test says why, in its own words
		}
	}
	var names []string
	for _, name := range slices.Concat(found.tests, found.fuzz, found.examples) {
		// The same name in p and p_test is two functions that one -test.run pattern selects: one unit.
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{goPackageUnit}
	}
	return names
}

// goTestFuncs are the functions that a test binary runs, in the order in which it runs them.
type goTestFuncs struct{ tests, fuzz, examples []string }

// parse adds the functions of one test file. It follows testFuncs.load of cmd/go/internal/load/test.go. A function with a
// wrong signature is an error there, and here.
func (t *goTestFuncs) parse(filename string) error {
	file, err := parser.ParseFile(token.NewFileSet(), filename, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Recv != nil {
			continue
		}
		name, param := fn.Name.Name, ""
		switch {
		case name == "TestMain" && takesOnly(fn, "T"):
			t.tests = append(t.tests, name)
			continue
		case name == "TestMain":
			param = "M"
		case hasTestPrefix(name, "Test"):
			t.tests, param = append(t.tests, name), "T"
		case hasTestPrefix(name, "Benchmark"):
			param = "B"
		case hasTestPrefix(name, "Fuzz"):
			t.fuzz, param = append(t.fuzz, name), "F"
		default:
			continue
		}
		if !takesOnly(fn, param) || fn.Type.TypeParams.NumFields() > 0 {
			return fmt.Errorf("%s: wrong signature for %s", filename, name)
		}
	}
	examples := doc.Examples(file)
	slices.SortFunc(examples, func(a, b *doc.Example) int { return a.Order - b.Order })
	for _, e := range examples {
		if e.Output != "" || e.EmptyOutput {
			t.examples = append(t.examples, "Example"+e.Name)
		}
	}
	return nil
}

// takesOnly reports whether fn's one parameter is a *param or *something.param, and fn returns nothing.
func takesOnly(fn *ast.FuncDecl, param string) bool {
	if fn.Type.Results.NumFields() > 0 || len(fn.Type.Params.List) != 1 || len(fn.Type.Params.List[0].Names) > 1 {
		return false
	}
	pointer, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	switch to := pointer.X.(type) {
	case *ast.Ident:
		return to.Name == param
	case *ast.SelectorExpr:
		return to.Sel.Name == param
	}
	return false
}

// hasTestPrefix reports whether name is prefix, or goes on after it with anything but a lower-case letter.
func hasTestPrefix(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && (rest == "" || !unicode.IsLower(first))
}

// readOverlay reads the file of build flag -overlay (`go help build`) and returns which file stands for which, by absolute
// path. Its paths are relative to dir, where go runs. A file that is "" there is deleted, and `go list` does not name it.
func readOverlay(dir, name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	within := func(path string) string {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		return filepath.Clean(path)
	}
	text, err := os.ReadFile(within(name))
	if err != nil {
		return nil, fmt.Errorf("go: flag -overlay: %w", err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &overlay); err != nil {
		return nil, fmt.Errorf("go: flag -overlay: %s: %w", name, err)
	}
	replace := make(map[string]string, len(overlay.Replace))
	for file, by := range overlay.Replace {
		replace[within(file)] = within(by)
	}
	return replace, nil
}
