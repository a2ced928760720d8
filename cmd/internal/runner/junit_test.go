package runner

import (
	"slices"
	"testing"
)

func TestJavaClassPath(t *testing.T) {
	t.Setenv("CLASSPATH", "env.jar")
	for _, c := range []struct {
		args    []string
		classes string
		options []string
	}{
		{nil, "env.jar", nil},
		{[]string{"-Xmx1g", "-cp", "a:b", "-Da=b"}, "a:b", []string{"-Xmx1g", "-Da=b"}},
		{[]string{"--class-path=a=b"}, "a=b", nil},
		{[]string{"-classpath", "a", "-ea"}, "a", []string{"-ea"}},
		{[]string{"-cp"}, "env.jar", nil},
	} {
		tool := &Tool{o: Options{Args: c.args}}
		if classes, options := tool.javaClassPath(); classes != c.classes || !slices.Equal(options, c.options) {
			t.Errorf("%q: %q %q", c.args, classes, options)
		}
	}
}

func TestProtocolLine(t *testing.T) {
	checkTold(t, sayMessages(protocolLine([]byte(`{"type":"start","id":"a"}`))), "start a")
	for _, line := range []string{"", "{}x", `{"type":"start"}`, `{"type":"finish","id":"a","status":"fine"}`} {
		if got := protocolLine([]byte(line)); len(got) != 1 || got[0].Type != messageProblem {
			t.Errorf("%q: %v", line, got)
		}
	}
}
