package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// findFiles returns the files that patterns name: files, globs, or folders, of which it takes all files below whose name
// fits. No pattern: the folder this process is in. Paths are relative to it, with slashes, each once, in the order of the
// patterns and of the names. What is below hidden folders, node_modules, vendor, or a folder that is a repository of its own
// (a submodule) is not the project's. A pattern that names nothing is an error.
func findFiles(patterns []string, fits func(name string) bool) ([]string, error) {
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	var files []string
	for _, pattern := range patterns {
		roots, err := filepath.Glob(pattern)
		if _, statErr := os.Lstat(pattern); statErr == nil {
			roots, err = []string{pattern}, nil // the name has characters that mean something in a glob
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", pattern, err)
		}
		before := len(files)
		for _, root := range roots {
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				switch {
				case err != nil:
					return err
				case d.IsDir() && path != root && foreignFolder(path):
					return fs.SkipDir
				case !d.IsDir() && (path == root || fits(d.Name())):
					files = append(files, filepath.ToSlash(filepath.Clean(path)))
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		if len(files) == before {
			if pattern == "." {
				return nil, errors.New("there is no test file below this folder")
			}
			return nil, fmt.Errorf("%s: there is no test file", pattern)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(files, func(file string) bool {
		defer func() { seen[file] = true }()
		return seen[file]
	}), nil
}

// foreignFolder is whether what is in a folder is not the project's own.
func foreignFolder(path string) bool {
	name := filepath.Base(path)
	if strings.HasPrefix(name, ".") || name == "node_modules" || name == "vendor" {
		return true
	}
	_, err := os.Lstat(filepath.Join(path, ".git"))
	return err == nil
}

// relative returns path relative to the folder this process is in, if it is below it.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if below, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(below) {
		return filepath.ToSlash(below)
	}
	return path
}
