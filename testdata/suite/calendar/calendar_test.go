package calendar

import (
	"fmt"
	"testing"
)

func TestDaysIn(t *testing.T) {
	for i, month := range []struct {
		name string
		days int
	}{
		{"January", 31}, {"February", 28}, {"March", 31}, {"April", 30}, {"May", 31}, {"June", 30},
		{"July", 31}, {"August", 31}, {"September", 30}, {"October", 31}, {"November", 30}, {"December", 31},
	} {
		t.Run(month.name, func(t *testing.T) {
			if got := DaysIn(2023, i+1); got != month.days {
				t.Errorf("got %d days, want %d", got, month.days)
			}
		})
	}
}

func leap(t *testing.T, year int, want bool) {
	t.Helper()
	if got := IsLeap(year); got != want {
		t.Errorf("IsLeap(%d) = %v", year, got)
	}
}

func TestLeapYear(t *testing.T)          { leap(t, 2024, true) }
func TestCommonYear(t *testing.T)        { leap(t, 2023, false) }
func TestCenturyIsNoLeap(t *testing.T)   { leap(t, 1900, false) }
func TestFourthCenturyLeap(t *testing.T) { leap(t, 2000, true) }

func TestLeapYearHas366Days(t *testing.T) {
	days := 0
	for d := (Date{2024, 1, 1}); d.Year == 2024; d = d.Next() {
		days++
	}
	if days != 366 {
		t.Errorf("2024 has %d days", days)
	}
}

func next(t *testing.T, day, want Date) {
	t.Helper()
	if got := day.Next(); got != want {
		t.Errorf("the day after %v is %v, want %v", day, got, want)
	}
}

func TestNextDay(t *testing.T)       { next(t, Date{2023, 5, 17}, Date{2023, 5, 18}) }
func TestNextMonth(t *testing.T)     { next(t, Date{2023, 4, 30}, Date{2023, 5, 1}) }
func TestNextYear(t *testing.T)      { next(t, Date{2023, 12, 31}, Date{2024, 1, 1}) }
func TestNextIsLeapDay(t *testing.T) { next(t, Date{2024, 2, 28}, Date{2024, 2, 29}) }
func TestNextIsNoLeap(t *testing.T)  { next(t, Date{2023, 2, 28}, Date{2023, 3, 1}) }

func weekday(t *testing.T, day Date, want string) {
	t.Helper()
	if got := day.Weekday(); got != want {
		t.Errorf("%v is a %s, want %s", day, got, want)
	}
}

func TestWeekdayOfMoonLanding(t *testing.T) { weekday(t, Date{1969, 7, 20}, "Sunday") }
func TestWeekdayOfMillennium(t *testing.T)  { weekday(t, Date{2000, 1, 1}, "Saturday") }
func TestWeekdayOfLeapDay(t *testing.T)     { weekday(t, Date{2024, 2, 29}, "Thursday") }
func TestWeekdayOfGoRelease(t *testing.T)   { weekday(t, Date{2009, 11, 10}, "Tuesday") }

func TestEaster(t *testing.T) {
	for year, want := range map[int]string{
		1818: "1818-03-22", // the earliest possible
		1943: "1943-04-25", // the latest possible
		2000: "2000-04-23",
		2019: "2019-04-21",
		2020: "2020-04-12",
		2021: "2021-04-04",
		2022: "2022-04-17",
		2023: "2023-04-09",
		2024: "2024-03-31",
		2025: "2025-04-20",
	} {
		t.Run(fmt.Sprint(year), func(t *testing.T) {
			if got := Easter(year).String(); got != want {
				t.Errorf("Easter was on %s, want %s", got, want)
			}
		})
	}
}

func TestEasterIsASunday(t *testing.T) {
	for year := 1900; year < 2100; year++ {
		if day := Easter(year).Weekday(); day != "Sunday" {
			t.Errorf("Easter of %d is a %s", year, day)
		}
	}
}

func TestParse(t *testing.T) {
	day, err := Parse("2024-02-29")
	if err != nil || day != (Date{2024, 2, 29}) {
		t.Errorf("got %v, %v", day, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, s := range []string{"", "yesterday", "2024-2-29", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-32"} {
		t.Run(s, func(t *testing.T) {
			if day, err := Parse(s); err == nil {
				t.Errorf("Parse(%q) = %v, want an error", s, day)
			}
		})
	}
}

func TestParseWhatStringWrites(t *testing.T) {
	for d := (Date{1999, 12, 1}); d.Year < 2001; d = d.Next() {
		if got, err := Parse(d.String()); got != d {
			t.Errorf("Parse(%q) = %v, %v", d, got, err)
		}
	}
}
