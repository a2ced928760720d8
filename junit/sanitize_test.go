package junit_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shardctl/shardctl/junit"
)

func TestSanitize(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"clean":                     {"plain\ttext,\r\nümläut 😀 \ufffd", "plain\ttext,\r\nümläut 😀 \ufffd"},
		"colour":                    {"\x1b[1;31mred\x1b[0m", "red"},
		"8-bit colour":              {"\u009b31mred\u009bm", "red"},
		"private parameters":        {"\x1b[?25lx\x1b[?25h\x1b[>c\x1b[ q", "x"},
		"title, ended by BEL":       {"\x1b]0;title\ax", "x"},
		"link, ended by ST":         {"\x1b]8;;http://e\x1b\\link\x1b]8;;\x1b\\", "link"},
		"two and three bytes":       {"\x1bM\x1b7\x1b(Bx", "x"},
		"cut off":                   {"x\x1b[31", "x\ufffd[31"},
		"escape alone":              {"x\x1b", "x\ufffd"},
		"title without end":         {"\x1b]0;title\nAssertionError", "\ufffd]0;title\nAssertionError"},
		"title without end at all":  {"\x1b]0;title", "\ufffd]0;title"},
		"not a sequence":            {"\x1b[\x01m\x1b\n", "\ufffd[\ufffdm\ufffd\n"},
		"sequence inside of one":    {"\x1b\x1b[31m[32m", "\ufffd[32m"},
		"control characters":        {"a\x00b\x08c\x7fd\u0085e", "a\ufffdb\ufffdc\ufffdd\ufffde"},
		"non-characters":            {"\ufffe\uffff", "\ufffd\ufffd"},
		"each byte that is invalid": {"a\xff\xfeb\xc3", "a\ufffd\ufffdb\ufffd"},
		"surrogate":                 {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
	} {
		if got := junit.Sanitize(test.in); got != test.want {
			t.Errorf("%s: Sanitize(%q) = %q, want %q", name, test.in, got, test.want)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("\x1b[31mred\x1b[0m \x9b \u009b1m \xff\x00")
	f.Add("\x1b]0;t\a\x1b]8;;x\x1b\\ \x1b\x1b[31m[32m")
	f.Fuzz(func(t *testing.T, s string) {
		got := junit.Sanitize(s)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\x1b\u009b\x7f") {
			t.Errorf("Sanitize(%q) = %q", s, got)
		}
		if again := junit.Sanitize(got); again != got {
			t.Errorf("sanitised twice: %q, then %q", got, again)
		}
		var text string
		if err := xml.Unmarshal([]byte("<a><![CDATA["+strings.ReplaceAll(got, "]]>", "")+"]]></a>"), &text); err != nil {
			t.Errorf("Sanitize(%q) = %q: %v", s, got, err)
		}
	})
}
