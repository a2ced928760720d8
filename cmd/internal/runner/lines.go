package runner

import "bytes"

// lines is an io.Writer that calls each for every line, without its end. A line longer than max bytes is cut.
type lines struct {
	max  int
	each func([]byte)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		line, after, ended := bytes.Cut(p, []byte{'\n'})
		l.rest = append(l.rest, line[:min(len(line), l.max-len(l.rest))]...)
		if p = after; ended {
			l.each(l.rest)
			l.rest = l.rest[:0]
		}
	}
	return n, nil
}

// end takes what stands behind the last line end.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.each(l.rest)
		l.rest = nil
	}
}
