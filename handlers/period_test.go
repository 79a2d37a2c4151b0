package handlers

import (
	"testing"
	"time"
)

func TestNewPeriod(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, x := range []struct{ name, now, from, last, before, beforeLast string }{
		{"today", "2026-11-27 00:00", "2026-11-27", "2026-11-27", "2026-11-26", "2026-11-26"},
		{"week", "2026-11-27 23:59", "2026-11-23", "2026-11-27", "2026-11-16", "2026-11-20"},
		{"week", "2026-11-29 12:00", "2026-11-23", "2026-11-29", "2026-11-16", "2026-11-22"}, // a Sunday
		{"week", "2026-11-30 00:00", "2026-11-30", "2026-11-30", "2026-11-23", "2026-11-23"},
		{"month", "2026-11-30 12:00", "2026-11-01", "2026-11-30", "2026-10-01", "2026-10-30"},
		{"month", "2028-03-31 12:00", "2028-03-01", "2028-03-31", "2028-02-01", "2028-02-29"}, // February is shorter, with its leap day
		{"month", "2027-01-05 12:00", "2027-01-01", "2027-01-05", "2026-12-01", "2026-12-05"},
		{"quarter", "2026-11-30 12:00", "2026-10-01", "2026-11-30", "2026-07-01", "2026-08-30"},
	} {
		p, ok := NewPeriod(x.name, at(x.now))
		day := func(t time.Time) string { return t.Format(time.DateOnly) }
		got := []string{day(p.From), day(p.Last()), day(p.BeforeFrom), day(p.BeforeTo.AddDate(0, 0, -1))}
		want := []string{x.from, x.last, x.before, x.beforeLast}
		for i := range want {
			if !ok || got[i] != want[i] {
				t.Errorf("%s at %s: %v, want %v", x.name, x.now, got, want)
				break
			}
		}
	}
	if _, ok := NewPeriod("year", at("2026-01-01 00:00")); ok {
		t.Error("there is no such period")
	}
	for _, x := range []struct{ name, now, from, last, before string }{
		{"week", "2026-11-30 09:10", "2026-11-23", "2026-11-29", "2026-11-16"},
		{"month", "2028-03-01 09:15", "2028-02-01", "2028-02-29", "2028-01-01"},
	} {
		p, _ := LastPeriod(x.name, at(x.now))
		if got := []string{p.From.Format(time.DateOnly), p.Last().Format(time.DateOnly), p.BeforeFrom.Format(time.DateOnly)}; got[0] != x.from || got[1] != x.last || got[2] != x.before || !p.BeforeTo.Equal(p.From) {
			t.Errorf("last %s at %s: %v", x.name, x.now, got)
		}
	}
	p := DaysPeriod(at("2026-03-01 00:00"), at("2020-01-01 00:00"))
	if p.Days() != mostDays || p.From.Year() != 2020 {
		t.Errorf("%+v", p)
	}
}

// A zone with summer time: a day of 23 hours is a day.
func TestDaysOverSummerTime(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	p := DaysPeriod(time.Date(2026, 3, 28, 0, 0, 0, 0, zone), time.Date(2026, 3, 30, 0, 0, 0, 0, zone))
	if p.Days() != 3 || p.BeforeFrom.Format(time.DateOnly) != "2026-03-25" {
		t.Errorf("%d days, before from %s", p.Days(), p.BeforeFrom)
	}
}
