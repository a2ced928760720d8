package runner

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestCapture(t *testing.T) {
	for _, tt := range []struct {
		writes []string
		want   string
	}{
		{nil, ""},
		{[]string{"", "ab"}, "ab"},
		{[]string{"abcd"}, "abcd"},
		{[]string{"abcd", "efgh"}, "abcdefgh"},
		{[]string{"abcdefgh"}, "abcdefgh"},
		{[]string{"abcdefghi"}, "abcd\n[... 1 bytes dropped ...]\nfghi"},
		{[]string{"abcdefgh", "i"}, "abcd\n[... 1 bytes dropped ...]\nfghi"},
		{[]string{"abcdefgh", "ijklm"}, "abcd\n[... 5 bytes dropped ...]\njklm"},
		{[]string{"ab", "cdefghijklmnopqrst", "u", "vw"}, "abcd\n[... 15 bytes dropped ...]\ntuvw"},
		{[]string{"abc\xff"}, "abc\uFFFD"},
		{[]string{"abcéfghijk"}, "abc\uFFFD\n[... 3 bytes dropped ...]\nhijk"},
	} {
		c := newCapture(4)
		for _, w := range tt.writes {
			if n, err := c.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%q: %d, %v", w, n, err)
			}
		}
		if got := c.String(); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.writes, got, tt.want)
		}
	}
}

// However the bytes are cut into writes, the same is kept.
func TestCaptureRandomWrites(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		ends := random.IntN(9)
		all := make([]byte, random.IntN(60))
		for i := range all {
			all[i] = byte('a' + i%26)
		}
		c := newCapture(ends)
		for rest := all; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			_, _ = c.Write(rest[:n])
			rest = rest[n:]
		}
		want := string(all)
		if over := len(all) - 2*ends; over > 0 {
			want = fmt.Sprintf("%s\n[... %d bytes dropped ...]\n%s", all[:ends], over, all[len(all)-ends:])
		}
		if c.String() != want {
			t.Fatalf("seed %d: %d bytes, ends of %d: %q, want %q", seed, len(all), ends, c, want)
		}
	}
}

func TestCaptureMemory(t *testing.T) {
	chunk := bytes.Repeat([]byte("x"), 32<<10)
	c := newCapture(outputEnds)
	if n := testing.AllocsPerRun(1000, func() { _, _ = c.Write(chunk) }); n > 1 {
		t.Errorf("%v allocations a write", n)
	}
	if held := cap(c.head) + cap(c.tail); held > 3*outputEnds {
		t.Errorf("%d bytes are held", held)
	}
}
