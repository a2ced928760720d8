// Package calendar answers questions about the Gregorian calendar.
package calendar

import "fmt"

// Date is a day of the Gregorian calendar. Months and days count from 1.
type Date struct{ Year, Month, Day int }

// String returns the date as in ISO 8601, such as "2024-02-29".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Parse reads what String writes. The error says what is wrong.
func Parse(s string) (Date, error) {
	var d Date
	if _, err := fmt.Sscanf(s, "%4d-%2d-%2d", &d.Year, &d.Month, &d.Day); err != nil || d.String() != s {
		return Date{}, fmt.Errorf("%q is not a date such as 2024-02-29", s)
	}
	if d.Month < 1 || d.Month > 12 {
		return Date{}, fmt.Errorf("%q: there is no month %d", s, d.Month)
	}
	if d.Day < 1 || d.Day > DaysIn(d.Year, d.Month) {
		return Date{}, fmt.Errorf("%q: that month has no day %d", s, d.Day)
	}
	return d, nil
}

// IsLeap tells whether a year has a 29 February.
func IsLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DaysIn returns how many days a month has.
func DaysIn(year, month int) int {
	switch month {
	case 2:
		if IsLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// Next returns the day after d.
func (d Date) Next() Date {
	switch {
	case d.Day < DaysIn(d.Year, d.Month):
		return Date{d.Year, d.Month, d.Day + 1}
	case d.Month < 12:
		return Date{d.Year, d.Month + 1, 1}
	}
	return Date{d.Year + 1, 1, 1}
}

// Weekday returns the English name of d's day of the week, by Zeller's congruence.
func (d Date) Weekday() string {
	year, month := d.Year, d.Month
	if month < 3 {
		year, month = year-1, month+12
	}
	h := (d.Day + 13*(month+1)/5 + year + year/4 - year/100 + year/400) % 7
	return [...]string{"Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}[h]
}

// Easter returns Easter Sunday, by the method of Meeus, Jones and Butcher.
func Easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return Date{year, n / 31, n%31 + 1}
}
