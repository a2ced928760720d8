package junit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// source hands a report's bytes to the XML decoder as legal UTF-8, and no more than a given number of them.
//
// Many tools copy raw test output into their reports, and one control character makes a file that no parser takes. Replacing
// such characters (also those written as references, &#27;) with U+FFFD can't change which elements there are, so it
// is done here rather than to refuse the file.
//
// It is an io.ByteReader, so the decoder reads no byte ahead: when it has seen the XML declaration and asks for the
// declared charset, source stands right behind the declaration and decodes the rest accordingly.
type source struct {
	in *bufio.Reader
	// latin1: the bytes are ISO-8859-1, otherwise UTF-8.
	latin1 bool
	// limit is the most bytes to read, left how many of them are not read yet.
	limit, left int64
	// pending is the unread rest of the last character, backed by char.
	pending []byte
	char    [utf8.UTFMax]byte
}

func newSource(in io.Reader, limit int64) (*source, error) {
	s := &source{in: bufio.NewReaderSize(in, 64<<10), limit: limit, left: limit}
	// A reader's error other than the end is met again by the decoder.
	switch head, err := s.in.Peek(3); {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil, errors.New("empty, 0 bytes")
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := s.in.Discard(len(head))
		return s, err
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\xff\xfe")):
		return nil, errors.New("encoded as UTF-16, only UTF-8, US-ASCII and ISO-8859-1 are supported")
	}
	return s, nil
}

// charset is the xml.Decoder's CharsetReader; in is s itself.
func (s *source) charset(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "us-ascii", "ascii":
	case "iso-8859-1", "iso_8859-1", "iso8859-1", "latin1", "latin-1":
		s.latin1 = true
	default:
		return nil, fmt.Errorf("encoded as %q, only UTF-8, US-ASCII and ISO-8859-1 are supported", name)
	}
	return in, nil
}

// ReadByte returns the next byte of the converted text.
func (s *source) ReadByte() (byte, error) {
	if len(s.pending) == 0 {
		r, err := s.next()
		if err != nil {
			return 0, err
		}
		s.pending = utf8.AppendRune(s.char[:0], r)
	}
	b := s.pending[0]
	s.pending = s.pending[1:]
	return b, nil
}

// Read makes source an io.Reader, which the decoder asks for and never uses.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// next returns the next character.
func (s *source) next() (rune, error) {
	r, n, err := s.decode()
	if err != nil {
		return 0, err
	}
	if r == '&' {
		skip := s.illegalReference()
		if skip > 0 {
			r = utf8.RuneError
		}
		if _, err := s.in.Discard(skip); err != nil {
			return 0, err
		}
		n += skip
	}
	if s.left -= int64(n); s.left < 0 {
		return 0, fmt.Errorf("larger than %d bytes", s.limit)
	}
	if !legal(r) {
		r = utf8.RuneError
	}
	return r, nil
}

func (s *source) decode() (r rune, size int, err error) {
	if s.latin1 {
		b, err := s.in.ReadByte()
		return rune(b), 1, err
	}
	return s.in.ReadRune() // U+FFFD for a byte that is not UTF-8
}

// illegalReference returns the length of a numeric reference ("#27;" or "#x1B;") to a character that XML does not allow,
// 0 if no such reference follows.
func (s *source) illegalReference() int {
	const longest = len("#x0010FFFF;")
	ahead, _ := s.in.Peek(longest) // shorter at the end of the input
	ref, _, found := bytes.Cut(ahead, []byte(";"))
	digits, isRef := strings.CutPrefix(string(ref), "#")
	if !found || !isRef {
		return 0
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	if err != nil || code <= utf8.MaxRune && legal(rune(code)) {
		return 0
	}
	return len(ref) + 1
}
