package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cucumberJS is Cucumber for JavaScript. Its unit is a scenario, or a row of its examples: features/a.feature:12. A file that
// cannot be parsed is a unit, too.
var cucumberJS = preset{
	name:      "cucumber-js",
	recognise: func(dir string) string { return nodeDepends(dir, "@cucumber/cucumber") },
	units:     []string{unitTest},
	failing:   []int{1},
	hollow:    []string{"--dry-run", "-d"},
	command:   func(dir string) ([]string, error) { return nodeCommand(dir, "cucumber-js", "@cucumber/cucumber") },
	start: func(t *Tool, in invocation) (toolProcess, error) {
		// Cucumber's own workers would tell a formatter only in the end, and not be followed.
		args := slices.Concat(t.words[1:], t.o.Args, []string{"--parallel", "0", "--format", `"file://` + t.plugin("cucumber-js/shard_cucumber.cjs") + `"`})
		if cucumberTakesPlugins(t.words[0]) {
			args = append(args, "--plugin", "file://"+t.plugin("cucumber-js/shard_select.cjs"))
		}
		if in.mode == listing {
			args = slices.Concat(args, []string{"--dry-run"}, in.patterns)
		} else {
			args = append(args, cucumberPaths(in.ids)...)
		}
		return toolProcess{process: process{Path: t.words[0], Args: args, Env: []string{"CUCUMBER_PUBLISH_QUIET=true"}}}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		return slices.Concat(t.words, t.o.Args, cucumberPaths([]string{id}))
	},
}

// cucumberTakesPlugins is whether the cucumber-js that program starts has the option --plugin, of 12.4. One whose version does
// not show is a new one.
func cucumberTakesPlugins(program string) bool {
	for _, modules := range []string{filepath.Join(filepath.Dir(program), ".."), "node_modules"} {
		text, err := os.ReadFile(filepath.Join(modules, "@cucumber", "cucumber", "package.json"))
		if err != nil {
			continue
		}
		var found struct{ Version string }
		var major, minor int
		if json.Unmarshal(text, &found) != nil {
			continue
		}
		if n, _ := fmt.Sscanf(found.Version, "%d.%d", &major, &minor); n == 2 {
			return major > 12 || major == 12 && minor >= 4
		}
	}
	return true
}

// cucumberPaths are arguments for units, one for each file, in order: features/a.feature:12:30. Cucumber takes paths for globs.
func cucumberPaths(ids []string) []string {
	var files []string
	arguments := map[string]string{}
	for _, id := range ids {
		file, line := cutLine(id)
		if _, ok := arguments[file]; !ok {
			files = append(files, file)
			arguments[file] = globLiteral.Replace(file)
		}
		if line != "" {
			arguments[file] += ":" + line
		}
	}
	paths := make([]string, len(files))
	for i, file := range files {
		paths[i] = arguments[file]
	}
	return paths
}

var globLiteral = strings.NewReplacer("[", "[[]", "]", "[]]", "*", "[*]", "?", "[?]", "{", "[{]", "}", "[}]", "(", "[(]", ")", "[)]", "!", "[!]", "+", "[+]", "@", "[@]")

// cutLine cuts the line off an id, if it has one.
func cutLine(id string) (file, line string) {
	i := strings.LastIndexByte(id, ':')
	if i < 0 || i == len(id)-1 || strings.Trim(id[i+1:], "0123456789") != "" {
		return id, ""
	}
	return id[:i], id[i+1:]
}
