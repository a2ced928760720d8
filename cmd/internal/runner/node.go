package runner

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// nodeDepends is whether the project in dir names a package of npm among its own dependencies; it returns the file that does.
func nodeDepends(dir, pkg string) string {
	const name = "package.json"
	text, err := fs.ReadFile(os.DirFS(dir), name)
	var p struct{ Dependencies, DevDependencies map[string]any }
	if err != nil || json.Unmarshal(text, &p) != nil {
		return ""
	}
	if p.Dependencies[pkg] == nil && p.DevDependencies[pkg] == nil {
		return ""
	}
	return name
}

// nodeCommand returns the words that start a program of an npm package: the one that is installed in dir or, in a monorepo,
// in a folder above it.
func nodeCommand(dir, program, pkg string) ([]string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for above, root := dir, false; !root; above, abs = filepath.Join(above, ".."), filepath.Dir(abs) {
		path := filepath.Join(above, "node_modules", ".bin", program)
		if _, err := os.Stat(path); err == nil {
			return []string{path}, nil
		}
		if exists(above, ".pnp.cjs", ".pnp.js") != "" { // Yarn without node_modules
			return []string{"yarn", "run", program}, nil
		}
		root = abs == filepath.Dir(abs)
	}
	if _, err := exec.LookPath(program); err == nil {
		return []string{program}, nil
	}
	return nil, fmt.Errorf("it is not installed here: npm install --save-dev %s; or say how it is started: --runner-command \"npx %s\"", pkg, program)
}

// nodeID is the unit of a test file: its path from the current folder, with slashes.
func nodeID(path string) string {
	if relative, err := filepath.Rel(nodePath("."), path); err == nil {
		return filepath.ToSlash(relative)
	}
	return path
}

// nodePath is the absolute path of a unit. Node's runners know the current folder without symbolic links.
func nodePath(id string) string {
	dir, err := filepath.Abs(".")
	if err != nil {
		return id
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return filepath.Join(dir, filepath.FromSlash(id))
}

// nodeFiles are the units as arguments: none of them looks like an option.
func nodeFiles(ids []string) []string {
	files := slices.Clone(ids)
	for i, file := range files {
		if strings.HasPrefix(file, "-") {
			files[i] = "./" + file
		}
	}
	return files
}
