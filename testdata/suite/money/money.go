// Package money adds, splits and prints amounts without losing a cent.
package money

import (
	"fmt"
	"strconv"
	"strings"
)

// Amount is a sum of money, in cents.
type Amount int64

// String returns the amount with two decimals, such as "-0.05".
func (a Amount) String() string {
	sign := ""
	if a < 0 {
		sign, a = "-", -a
	}
	return fmt.Sprintf("%s%d.%02d", sign, a/100, a%100)
}

// Parse reads "12", "12.3", "12.34", with "-" before it or not.
func Parse(s string) (Amount, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, cents, dot := strings.Cut(digits, ".")
	if dot && len(cents) == 1 {
		cents += "0"
	}
	if !dot {
		cents = "00"
	}
	n, err := strconv.ParseUint(whole+cents, 10, 62)
	if err != nil || len(cents) != 2 || whole == "" {
		return 0, fmt.Errorf("%q is not an amount such as 12.34", s)
	}
	if negative {
		return -Amount(n), nil
	}
	return Amount(n), nil
}

// Split divides the amount into n parts that differ by at most one cent; the larger ones come first.
func (a Amount) Split(n int) []Amount {
	parts := make([]Amount, n)
	for i := range parts {
		parts[i] = a / Amount(n)
		if Amount(i) < a%Amount(n) {
			parts[i]++
		}
	}
	return parts
}

// Percent returns p percent of the amount, rounded half up.
func (a Amount) Percent(p int) Amount { return (a*Amount(p) + 50) / 100 }

// Sum adds amounts.
func Sum(amounts ...Amount) Amount {
	var sum Amount
	for _, a := range amounts {
		sum += a
	}
	return sum
}
