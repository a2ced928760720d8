package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	const full = `# what needs what
gates:
  gpu:
    command: nvidia-smi -L # lists them
    tests: ["*::TestCUDA*", "/(?i)gpu/"]
  007:
    command: |
      test -S /var/run/docker.sock &&
        docker info
  "a.b-c_d": {command: "exit 0", tests: []}
`
	const want = "gpu: nvidia-smi -L [*::TestCUDA* /(?i)gpu/]\n" +
		"007: test -S /var/run/docker.sock &&\n  docker info []\n" +
		"a.b-c_d: exit 0 []\n"
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"\n# nothing\n", ""},
		{"---\n", ""},
		{"null", ""},
		{"gates:\n", ""},
		{"gates: {}\n...\n", ""},
		{full, want},
		{"\uFEFF---\n" + full, want},
		{strings.ReplaceAll(full, "\n", "\r\n"), want},
	} {
		c, err := parseConfig([]byte(tt.text))
		var got strings.Builder
		for _, g := range c.Gates {
			fmt.Fprintf(&got, "%s: %s %v\n", g.Name, g.Command, g.Tests)
		}
		if err != nil || got.String() != tt.want {
			t.Errorf("%q: %v\n%s", tt.text, err, &got)
		}
	}
}

func TestConfigOfQuarantine(t *testing.T) {
	for text, want := range map[string]string{
		"quarantine:\n":  "",
		"quarantine: []": "",
		`
quarantine:
  - {test: "*::TestFlaky*", owner: anna, reason: "waits for #17", until: 2026-12-31}
  - until: "2027-01-01" # in quotes too
    reason: |
      two
      lines
    owner: team@example.com
    test: /^b/
`: "3: *::TestFlaky*, anna, waits for #17, 2026-12-31\n4: /^b/, team@example.com, two\nlines, 2027-01-01\n",
	} {
		c, err := parseConfig([]byte(text))
		var got strings.Builder
		for _, q := range c.Quarantine {
			fmt.Fprintf(&got, "%d: %s, %s, %s, %s\n", q.Line, q.Tests, q.Owner, q.Reason, q.Until.Format("2006-01-02"))
		}
		if err != nil || got.String() != want {
			t.Errorf("%q: %v\n%s", text, err, &got)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	const entry = "quarantine:\n- test: a::T\n  owner: anna\n  reason: c\n  until: 2026-12-31\n"
	const gpu = "gates:\n  gpu:\n    command: x\n"
	for _, tt := range []struct{ text, want string }{
		{"gate: {}", `1: unknown key "gate"; known here: gates, quarantine, and the settings that ` + "`shardctl init`" + ` writes; did you mean gates?`},
		{"# c\n\n1: x", `3: unknown key "1"; known here: gates, quarantine, and the settings that ` + "`shardctl init`" + ` writes`},
		{gpu + "    test: [x]", `4: unknown key "test"; known here: command, tests; did you mean tests?`},
		{"<<: {gates: {}}", `1: unknown key "<<"; known here: gates, quarantine, and the settings that ` + "`shardctl init`" + ` writes`},
		{gpu + "  gpu:\n    command: y", `4: mapping key "gpu" already defined at [2:3]`},
		{gpu + "    command: y", `4: mapping key "command" already defined at [3:5]`},
		{gpu + "gates:", `4: mapping key "gates" already defined at [1:1]`},
		{"- gates", `1: the file must be made of lines "key: value"`},
		{"gates: [gpu]", `1: gates must be made of lines "key: value"`},
		{"gates:\n  gpu: nvidia-smi", `2: gate gpu must be made of lines "key: value"`},
		{"gates:\n  gpu:\n", "2: gate gpu has no command"},
		{"gates:\n  gpu:\n    tests: [x]\n", "2: gate gpu has no command"},
		{"gates:\n  gpu:\n    command: ' '\n", "2: gate gpu has no command"},
		{"gates:\n  gpu:\n    command: true\n", "3: the command of gate gpu must be text (in quotes, if YAML takes it for something else)"},
		{"gates:\n  gpu:\n    command: [nvidia-smi, -L]\n", "3: the command of gate gpu must be text (in quotes, if YAML takes it for something else)"},
		{gpu + "    tests: '*'", "4: the tests of gate gpu must be a list of patterns"},
		{gpu + "    tests:", "4: the tests of gate gpu must be a list of patterns"},
		{gpu + "    tests: [x,\n      5]", "5: a pattern of gate gpu must be text (in quotes, if YAML takes it for something else)"},
		{gpu + "    tests: [*::TestCUDA*]", `4: a pattern of gate gpu: text that begins with "*" needs quotes`},
		{gpu + "    tests:\n    - ''", `5: gate gpu: the pattern is empty; "*" matches every test`},
		{gpu + "    tests:\n    - a\n    - /(/", "6: gate gpu: the pattern \"/(/\": error parsing regexp: missing closing ): `(`"},
		{"gates:\n  a b: {command: x}", `2: "a b" cannot be the name of a gate: up to 64 letters, digits, dots, dashes and underscores are allowed`},
		{"gates:\n  " + strings.Repeat("x", 65) + ": {command: x}", `2: "` + strings.Repeat("x", 65) + `" cannot be the name of a gate: up to 64 letters, digits, dots, dashes and underscores are allowed`},
		{"gates:\n\tgpu:\n", "2: found character '\t' that cannot start any token"},
		{"quarantine: x", `1: quarantine must be a list of entries, each of which begins with "- test:"`},
		{"quarantine:\n- x", `2: an entry of quarantine must be made of lines "key: value"`},
		{"quarantine:\n- test: a\n  owner: b\n  reason: c", "2: an entry of quarantine has no until"},
		{"quarantine:\n- until: 2026-12-31", "2: an entry of quarantine has no test"},
		{entry + "  why: x", `6: unknown key "why"; known here: test, owner, reason, until`},
		{strings.Replace(entry, "anna", "' '", 1), "3: the owner of an entry of quarantine is blank"},
		{strings.Replace(entry, "anna", "7", 1), "3: the owner of an entry of quarantine must be text (in quotes, if YAML takes it for something else)"},
		{strings.Replace(entry, "2026-12-31", "31.12.2026", 1), `5: the until of an entry of quarantine is "31.12.2026": write the last day as 2006-01-02`},
		{strings.Replace(entry, "2026-12-31", "2026-02-30", 1), `5: the until of an entry of quarantine is "2026-02-30": write the last day as 2006-01-02`},
		{strings.Replace(entry, "a::T", "/(/", 1), "2: an entry of quarantine: the pattern \"/(/\": error parsing regexp: missing closing ): `(`"},
		{strings.Replace(entry, "a::T", "*::T", 1), `2: the test of an entry of quarantine: text that begins with "*" needs quotes`},
		{"gates: {", "1: could not find flow mapping end token '}'"},
	} {
		if _, err := parseConfig([]byte(tt.text)); err == nil || err.Error() != ".shard.yml:"+tt.want || Status(err) != StatusUsage {
			t.Errorf("%q: %v\nwant %s", tt.text, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		gpu + "---\n" + gpu: `.shard.yml: it has 2 documents; only one is allowed: remove what follows the second "---"`,
		"gates: \xff":       ".shard.yml: it is not UTF-8",
	} {
		if _, err := parseConfig([]byte(text)); err == nil || err.Error() != want || Status(err) != StatusUsage {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestLoadConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	if c, err := LoadConfig(); err != nil || c.Gates != nil {
		t.Errorf("no file: %+v, %v", c, err)
	}
	if err := os.WriteFile(".shard.yml", []byte("gates: {gpu: {command: x}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadConfig(); err != nil || len(c.Gates) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir(".shard.yml", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(); Status(err) != StatusUsage || !strings.Contains(err.Error(), ".shard.yml") {
		t.Errorf("a folder: %v", err)
	}
}

// Whatever the file holds, it is configured or refused in words.
func FuzzConfig(f *testing.F) {
	f.Add("gates:\n  gpu:\n    command: |\n      nvidia-smi -L\n    tests: [\"*\", '/x/', *a]\n")
	f.Add("? [a]\n: &a !!map {<<: *a, b: ~}\n---\n%YAML 1.2\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseConfig([]byte(text))
		if err != nil && Status(err) != StatusUsage {
			t.Error(err)
		}
		for _, g := range c.Gates {
			if err == nil && (!gateName.MatchString(g.Name) || g.Command == "") {
				t.Errorf("%+v", g)
			}
		}
	})
}
