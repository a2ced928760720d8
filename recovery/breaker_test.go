package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shardctl/shardctl/batch"
	"github.com/shardctl/shardctl/recovery"
)

// Each row is a journal in short: "w1+" joins, "w1-" leaves, "w1!" is reaped, "w1[" claims, "w1]" settles; "w1 a passed" is a
// finish, "w1 a* passed" that of 25 tests, "w1 a passed late" one that comes from a worker which no longer holds the test. The
// run is stopped, or not.
func TestBreaker(t *testing.T) {
	five := func(worker string, decision ...string) string {
		var lines []string
		for _, test := range "abcde" {
			lines = append(lines, strings.Join(append([]string{worker, string(test), "unexecuted"}, decision...), " "))
		}
		return strings.Join(lines, ", ")
	}
	for name, test := range map[string]struct {
		journal string
		stops   bool
	}{
		"nothing works": {"w1+, " + five("w1"), true},
		"nothing works, batches of several before": {"w1+, w1[, w1], w1[, " + five("w1"), true},
		"fewer":                                         {"w1+, w1 a unexecuted, w1 b unexecuted, w1 c unexecuted, w1 d unexecuted", false},
		"one test again and again":                      {"w1+" + strings.Repeat(", w1 a unexecuted", 9), false},
		"a test passes in between":                      {"w1+, w1 a unexecuted, w1 b unexecuted, w1 z passed, w1 c unexecuted, w1 d unexecuted, w1 e unexecuted", false},
		"a test failed before":                          {"w1+, w1 z failed, " + five("w1"), false},
		"many after a skip":                             {"w1+, w1 z skipped, w1 a* unexecuted", true},
		"many, one of them executed":                    {"w1+, w1 z failed, w1 a* unexecuted, w1 y passed", false},
		"crashes are no evidence":                       {"w1+, w1 a* crashed, w1 b* timeout", false},
		"crashes refute none":                           {"w1+, w1 a unexecuted, w1 b unexecuted, w1 x crashed, w1 c unexecuted, w1 d unexecuted, w1 e unexecuted", true},
		"another works":                                 {"w1+, w2+, w2 z passed, w1 a* unexecuted", false},
		"another worked and left":                       {"w1+, w2+, w2 z passed, w2-, w1 a* unexecuted", true},
		"another worked and died":                       {"w1+, w2+, w2 z passed, w2!, w1 a* unexecuted", true},
		"another worked, and does not any more":         {"w1+, w2+, w2 z passed, w1 a* unexecuted, w2 y unexecuted", true},
		"another is about to show whether it works":     {"w1+, w2+, w2[, " + five("w1"), false},
		"another shows that it does not work":           {"w1+, w2+, w2[, " + five("w1") + ", w2 a unexecuted", true},
		"another is idle and has shown nothing":         {"w1+, w2+, w2[, w2], " + five("w1"), true},
		"the journal begins anew":                       {"w1+, " + strings.Replace(five("w1"), "w1 e", "open, w1+, w1 e", 1), false},
		"of a worker whose join is not in this journal": {five("w1"), true},
		"told again":                                    {"w1+, " + five("w1", "late"), false},
		"told again by another that works":              {"w1+, w2+, w2 z passed, w1 a* unexecuted, w2 y unexecuted late", false},
		"a pass that comes late":                        {"w1+, w1 a unexecuted, w1 b unexecuted, w1 c unexecuted, w1 d unexecuted, w1 z passed late, w1 e unexecuted", false},
		"a late pass of one lost":                       {"w1+, w2+, w2!, w2 z passed late, " + five("w1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.do(func() { tellAll(f, test.journal) })
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				progress, _, took, err := supervise(ctx, f, recovery.Limits{})
				if !test.stops {
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("it ended %q, %v, because %q", progress, err, f.abortion.Why)
					}
					return
				}
				if progress != batch.IsAborted || err != nil || took > 0 || f.abortion.EnoughFailures || f.abortion.Who != "controller" {
					t.Fatalf("it ended %q, %v after %v: %+v", progress, err, took, f.abortion)
				}
				for _, text := range []string{"before it runs a test", " in a row, each alone): exit status 127: sh: jest: not found; try it by hand"} {
					if !strings.Contains(f.abortion.Why, text) {
						t.Errorf("it does not say %q: %s", text, f.abortion.Why)
					}
				}
			})
		})
	}
}

// tellAll tells a journal as TestBreaker has it, in one go.
func tellAll(f *fake, journal string) {
	for entry := range strings.SplitSeq(journal, ", ") {
		kinds := map[byte]batch.EventType{'+': batch.Joined, '-': batch.Left, '!': batch.Reaped, '[': batch.Claimed, ']': batch.Settled}
		fields := strings.Fields(entry)
		if entry == "open" {
			f.tell(batch.Event{Type: batch.Opened})
			continue
		}
		if len(fields) == 1 {
			end := len(entry) - 1
			f.tell(batch.Event{Type: kinds[entry[end]], Worker: entry[:end]})
			continue
		}
		e := batch.Event{Type: batch.Finish, Worker: fields[0], Test: fields[1], Outcome: batch.Outcome{
			Status: batch.Status(fields[2]), Message: "exit status 127", Output: "starting\nsh: jest: not found\n",
		}}
		if len(fields) > 3 {
			e.Decision = batch.Decision(fields[3])
		}
		f.tell(e)
		for n := 1; strings.HasSuffix(fields[1], "*") && n < 25; n++ {
			e.Test = fmt.Sprint(fields[1], n)
			f.tell(e)
		}
	}
}

// A controller that is started again reads a long journal in pieces, and judges none of them by itself.
func TestBreakerReadsTheWholeJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.do(func() {
			tellAll(f, "w1+, w1[, w1]"+strings.Repeat(", w1 a crashed", 992))
			tellAll(f, "w1 a unexecuted, w1 b unexecuted, w1 c unexecuted, w1 d unexecuted, w1 e unexecuted, w1 z passed")
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if progress, _, _, err := supervise(ctx, f, recovery.Limits{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended %q, %v, because %q", progress, err, f.abortion.Why)
		}
	})
}

// The reason is one line of a verdict, however much the runner said.
func TestBreakerIsBrief(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.do(func() {
			for n := range 5 {
				f.tell(batch.Event{Type: batch.Finish, Worker: "w", Test: fmt.Sprint(n), Outcome: batch.Outcome{
					Status: batch.Unexecuted, Message: strings.Repeat("ü", 500), Output: strings.Repeat("日本", 500),
				}})
			}
		})
		_, _, _, _ = supervise(t.Context(), f, recovery.Limits{})
		if n := len([]rune(f.abortion.Why)); n == 0 || n > 260 || strings.Contains(f.abortion.Why, "\ufffd") {
			t.Errorf("%d characters: %s", n, f.abortion.Why)
		}
	})
}
