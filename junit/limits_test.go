package junit

import (
	"strings"
	"testing"
)

func TestReadLimits(t *testing.T) {
	const report = `<testsuite><testcase name="n"/></testsuite>`
	enough := limits{bytes: int64(len(report)), depth: 2, elements: 2}
	if _, err := read(strings.NewReader(report), enough); err != nil {
		t.Errorf("within the limits: %v", err)
	}
	for want, tighten := range map[string]func(*limits){
		"larger than 42 bytes": func(l *limits) { l.bytes-- },
		"nested deeper than 1": func(l *limits) { l.depth-- },
		"more than 1 elements": func(l *limits) { l.elements-- },
	} {
		lim := enough
		tighten(&lim)
		if _, err := read(strings.NewReader(report), lim); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
