package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The unit of the JUnit platform (JUnit 5, JUnit 4 by its vintage engine, …) is a class, its tests are the cases. Nothing is
// compiled but the plugin: the class path, which must have the launcher in it, is said with the option -cp or the variable
// CLASSPATH; all other options are the virtual machine's. Patterns are classes or packages; without any, the folders of the
// class path are searched for classes whose names begin or end with Test, or end with Tests.
var junitPlatform = preset{
	name:      "junit",
	recognise: func(string) string { return "" }, // the class path must be said
	units:     []string{unitClass},
	failing:   []int{0}, // by our plugin
	command: func(string) ([]string, error) {
		for _, command := range []string{"java", "javac"} {
			if _, err := exec.LookPath(command); err != nil {
				return nil, fmt.Errorf("%s is not in PATH; install a JDK, 11 or later (Debian: apt install default-jdk-headless)", command)
			}
		}
		return []string{"java"}, nil
	},
	start: func(t *Tool, in invocation) (toolProcess, error) {
		classes, options := t.javaClassPath()
		main, err := t.junitMain(classes)
		if err != nil {
			return toolProcess{}, err
		}
		args := []string{"run", in.file}
		if in.mode == listing {
			args = []string{"list"}
			for _, entry := range filepath.SplitList(classes) {
				if info, err := os.Stat(entry); err == nil && info.IsDir() {
					args = append(args, entry)
				}
			}
			if len(in.patterns) > 0 {
				args = slices.Concat(args, []string{"="}, in.patterns)
			}
		}
		words := slices.Concat(t.words[1:], options, []string{"-cp", main + string(filepath.ListSeparator) + classes, "ShardJUnit"}, args)
		return toolProcess{process: process{Path: t.words[0], Args: words}, side: protocolLine}, nil
	},
	reproduce: func(t *Tool, id string) []string {
		classes, options := t.javaClassPath()
		return slices.Concat(t.words, options, []string{"-cp", classes, "org.junit.platform.console.ConsoleLauncher", "--select-class", id})
	},
}

// javaClassPath is the class path, and the options without it.
func (t *Tool) javaClassPath() (classes string, options []string) {
	classes = os.Getenv("CLASSPATH")
	for i := 0; i < len(t.o.Args); i++ {
		name, value, joined := strings.Cut(t.o.Args[i], "=")
		switch {
		case name != "-cp" && name != "-classpath" && name != "--class-path":
			options = append(options, t.o.Args[i])
		case joined:
			classes = value
		case i+1 < len(t.o.Args):
			i++
			classes = t.o.Args[i]
		}
	}
	return classes, options
}

// junitMain compiles the plugin, once, and returns the folder that it is in.
func (t *Tool) junitMain(classes string) (string, error) {
	return remember(t, func() (string, error) {
		if classes == "" {
			return "", errors.New("--runner junit: say where the compiled tests and JUnit are: -- -cp target/test-classes:target/classes:junit-platform-console-standalone.jar")
		}
		folder := filepath.Join(t.folder, "junit-classes")
		_, said, ended, err := output(context.Background(), process{Path: "javac", Args: []string{
			"-encoding", "UTF-8", "-nowarn", "-cp", classes, "-d", folder, t.plugin("junit/ShardJUnit.java")}})
		if err == nil && ended.Code != 0 {
			err = fmt.Errorf("JUnit's launcher (junit-platform-launcher or junit-platform-console-standalone) seems not to be in the class path %s: javac: %s", classes, firstLine(said))
		}
		return folder, err
	})
}

// protocolLine is a toolProcess.side for a plugin that writes the protocol there.
func protocolLine(line []byte) []message {
	m, err := parseMessage(line)
	if err != nil {
		m = problemOf("", "its plugin does not keep to the protocol: "+err.Error())
	}
	return []message{m}
}
