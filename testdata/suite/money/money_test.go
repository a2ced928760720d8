package money

import (
	"fmt"
	"slices"
	"testing"
)

func prints(t *testing.T, a Amount, want string) {
	t.Helper()
	if got := a.String(); got != want {
		t.Errorf("%d cents are printed as %q, want %q", int64(a), got, want)
	}
}

func TestPrint(t *testing.T)         { prints(t, 1234, "12.34") }
func TestPrintCents(t *testing.T)    { prints(t, 5, "0.05") }
func TestPrintZero(t *testing.T)     { prints(t, 0, "0.00") }
func TestPrintNegative(t *testing.T) { prints(t, -5, "-0.05") }

func TestParse(t *testing.T) {
	for s, want := range map[string]Amount{
		"12": 1200, "12.3": 1230, "12.34": 1234, "0.05": 5, "-7.01": -701, "0": 0,
	} {
		t.Run(s, func(t *testing.T) {
			if got, err := Parse(s); got != want || err != nil {
				t.Errorf("Parse(%q) = %v, %v, want %v", s, got, err, want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, s := range []string{"", "free", "1.234", "1.", ".5", "--1", "1,50", "99999999999999999999"} {
		t.Run(s, func(t *testing.T) {
			if got, err := Parse(s); err == nil {
				t.Errorf("Parse(%q) = %v, want an error", s, got)
			}
		})
	}
}

func splits(t *testing.T, a Amount, n int, want ...Amount) {
	t.Helper()
	if got := a.Split(n); !slices.Equal(got, want) {
		t.Errorf("%v in %d parts is %v, want %v", a, n, got, want)
	}
}

func TestSplitEven(t *testing.T)      { splits(t, 900, 3, 300, 300, 300) }
func TestSplitUneven(t *testing.T)    { splits(t, 1000, 3, 334, 333, 333) }
func TestSplitOne(t *testing.T)       { splits(t, 1000, 1, 1000) }
func TestSplitFewCents(t *testing.T)  { splits(t, 2, 4, 1, 1, 0, 0) }
func TestSplitNothing(t *testing.T)   { splits(t, 0, 2, 0, 0) }
func TestSplitAmongNone(t *testing.T) { splits(t, 0, 0) }

func TestSplitLosesNothing(t *testing.T) {
	for a := Amount(0); a < 500; a++ {
		for n := 1; n < 12; n++ {
			if sum := Sum(a.Split(n)...); sum != a {
				t.Errorf("%v in %d parts adds up to %v", a, n, sum)
			}
		}
	}
}

func TestPercent(t *testing.T) {
	if got := Amount(19900).Percent(19); got != 3781 {
		t.Errorf("19 %% of 199.00 is %v, want 37.81", got)
	}
}

func TestPercentRoundsUp(t *testing.T) {
	if got := Amount(50).Percent(1); got != 1 {
		t.Errorf("1 %% of 0.50 is %v, want 0.01", got)
	}
}

func TestSumOfNothing(t *testing.T) {
	if got := Sum(); got != 0 {
		t.Errorf("got %v", got)
	}
}

func TestSumOfDebts(t *testing.T) {
	if got := Sum(500, -700, 100); got != -100 {
		t.Errorf("got %v, want -1.00", got)
	}
}

func ExampleAmount_Split() {
	fmt.Println(Amount(1000).Split(3))
	// Output: [3.34 3.33 3.33]
}
