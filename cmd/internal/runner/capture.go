package runner

import (
	"fmt"
	"strings"
)

// outputEnds is how much of a process's output is kept at each end: the start says what was run, the end how it failed.
const outputEnds = 64 << 10

// capture is an io.Writer that keeps the first and the last bytes of what is written, in constant memory. Its zero value
// keeps nothing; see newCapture. It is not safe for concurrent use.
type capture struct {
	ends int
	head []byte
	// tail is a ring once it holds ends bytes; next is where its oldest byte is.
	tail []byte
	next int
	// dropped counts the bytes between head and tail.
	dropped int64
}

// newCapture returns a capture that keeps the first and the last ends bytes.
func newCapture(ends int) *capture { return &capture{ends: ends} }

// Write takes all of p. It never fails.
func (c *capture) Write(p []byte) (int, error) {
	n := len(p)
	room := min(len(p), c.ends-len(c.head))
	c.head, p = append(c.head, p[:room]...), p[room:]
	if over := len(p) - c.ends; over > 0 {
		c.dropped += int64(over)
		p = p[over:]
	}
	room = min(len(p), c.ends-len(c.tail))
	c.tail, p = append(c.tail, p[:room]...), p[room:]
	c.dropped += int64(len(p))
	for len(p) > 0 {
		k := copy(c.tail[c.next:], p)
		c.next, p = (c.next+k)%c.ends, p[k:]
	}
	return n, nil
}

// String returns what was kept, with a line between the ends that counts the bytes that were not. Invalid UTF-8 is replaced.
func (c *capture) String() string {
	head, tail := string(c.head), string(c.tail[c.next:])+string(c.tail[:c.next])
	if c.dropped > 0 {
		head += fmt.Sprintf("\n[... %d bytes dropped ...]\n", c.dropped)
	}
	return strings.ToValidUTF8(head+tail, "\uFFFD")
}
