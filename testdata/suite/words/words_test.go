package words

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"unicode/utf8"
)

func TestSlug(t *testing.T) {
	for _, test := range []struct{ name, title, want string }{
		{"one word", "Hello", "hello"},
		{"two words", "Hello World", "hello-world"},
		{"punctuation", "Hello, World!", "hello-world"},
		{"digits", "Top 10 Tests", "top-10-tests"},
		{"spaces around", "  trimmed  ", "trimmed"},
		{"accents", "Crème Brûlée", "crème-brûlée"},
		{"slashes", "a/b/c", "a-b-c"},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Slug(test.title); got != test.want {
				t.Errorf("Slug(%q) = %q, want %q", test.title, got, test.want)
			}
		})
	}
}

func TestSlugOfSlug(t *testing.T) {
	once := Slug("Again & again")
	if twice := Slug(once); twice != once {
		t.Errorf("Slug changes its own result from %q to %q", once, twice)
	}
}

func reverses(t *testing.T, s, want string) {
	t.Helper()
	if got := Reverse(s); got != want {
		t.Errorf("Reverse(%q) = %q, want %q", s, got, want)
	}
}

func TestReverse(t *testing.T)        { reverses(t, "stressed", "desserts") }
func TestReverseEmpty(t *testing.T)   { reverses(t, "", "") }
func TestReverseAccents(t *testing.T) { reverses(t, "été!", "!été") }
func TestReverseChinese(t *testing.T) { reverses(t, "你好", "好你") }

func TestPalindromes(t *testing.T) {
	for _, s := range []string{"level", "Never odd or even", "A man, a plan, a canal: Panama", "x", ""} {
		t.Run(s, func(t *testing.T) {
			if !IsPalindrome(s) {
				t.Errorf("IsPalindrome(%q) = false", s)
			}
		})
	}
}

func TestNoPalindromes(t *testing.T) {
	for _, s := range []string{"palindrome", "ab", "Hello, world"} {
		if IsPalindrome(s) {
			t.Errorf("IsPalindrome(%q) = true", s)
		}
	}
}

func counts(t *testing.T, text string, want map[string]int) {
	t.Helper()
	if got := Count(text); !maps.Equal(got, want) {
		t.Errorf("Count(%q) = %v, want %v", text, got, want)
	}
}

func TestCount(t *testing.T) {
	counts(t, "a rose is a rose", map[string]int{"a": 2, "rose": 2, "is": 1})
}

func TestCountIgnoresCase(t *testing.T)        { counts(t, "Yes yes YES", map[string]int{"yes": 3}) }
func TestCountIgnoresPunctuation(t *testing.T) { counts(t, "no, no. no!", map[string]int{"no": 3}) }
func TestCountNothing(t *testing.T)            { counts(t, " ", map[string]int{}) }

func TestInitials(t *testing.T) {
	if got := Initials("ada king lovelace"); got != "AKL" {
		t.Errorf("got %q, want AKL", got)
	}
}

func TestInitialsOfNobody(t *testing.T) {
	if got := Initials(""); got != "" {
		t.Errorf("got %q, want none", got)
	}
}

func TestShorten(t *testing.T) {
	if got := Shorten("a long story", 7); got != "a long…" {
		t.Errorf("got %q", got)
	}
}

func TestShortenLeavesShort(t *testing.T) {
	if got := Shorten("short", 5); got != "short" {
		t.Errorf("got %q", got)
	}
}

func wraps(t *testing.T, text string, width int, want ...string) {
	t.Helper()
	if got := Wrap(text, width); !slices.Equal(got, want) {
		t.Errorf("Wrap(%q, %d) = %q, want %q", text, width, got, want)
	}
}

func TestWrap(t *testing.T)     { wraps(t, "the quick brown fox", 10, "the quick", "brown fox") }
func TestWrapFits(t *testing.T) { wraps(t, "fits", 10, "fits") }
func TestWrapLongWord(t *testing.T) {
	wraps(t, "a disproportionate word", 6, "a", "disproportionate", "word")
}
func TestWrapNothing(t *testing.T) { wraps(t, "", 10) }

func TestWrapHyphenates(t *testing.T) {
	t.Skip("Wrap does not hyphenate yet")
}

func ExampleSlug() {
	fmt.Println(Slug("Hello, World!"))
	// Output: hello-world
}

func ExampleCount() {
	for word, n := range Count("tick tock tick") {
		fmt.Println(word, n)
	}
	// Unordered output:
	// tick 2
	// tock 1
}

// FuzzReverse has three seeds here and one in testdata/fuzz, which `go test` runs like tests.
func FuzzReverse(f *testing.F) {
	for _, seed := range []string{"", "abc", "héllo"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("not text")
		}
		if twice := Reverse(Reverse(s)); twice != s {
			t.Errorf("reversing %q twice gives %q", s, twice)
		}
	})
}
